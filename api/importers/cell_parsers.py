"""What a reading makes of a cell: its words, its forms of dates, its scale, on top of what the column takes."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

from api.importers.cell_values import Parse, day, decimal, instant, key, parser, written_out
from api.importers.value_reading import MARKS, Reading
from schema.base import ColumnShape


@dataclass(frozen=True, slots=True)
class Calendar:
    """How the source writes dates: its zone, and the days that mean none."""

    zone: str
    open_ends: tuple[date, ...]

    def instants(self, forms: Sequence[str]) -> Parse:
        """Read instants of any of the forms."""
        return self._read(forms, [instant(form, self.zone) for form in forms])

    def days(self, forms: Sequence[str]) -> Parse:
        """Read dates of any of the forms."""
        return self._read(forms, [day(form) for form in forms])

    def _read(self, forms: Sequence[str], parsers: list[Parse]) -> Parse:
        ends = [day(form) for form in forms] if self.open_ends else []

        def read(cell: str) -> object:
            if any(end in self.open_ends for end in _all(ends, cell)):
                return None
            found = _all(parsers, cell)
            if not found:
                # The first form's reason, or (several) all of them.
                return parsers[0](cell) if len(parsers) == 1 else _no_date(forms)
            if any(each != found[0] for each in found):
                raise ValueError(f"is one date or another, by the forms {' and '.join(forms)}")
            return found[0]

        return parsers[0] if len(parsers) == 1 and not ends else read


def meaning(column: ColumnShape, reading: Reading, forms: Sequence[str], calendar: Calendar) -> Parse:
    """Return what reads the cells of a column as the preset says."""
    if forms and column.python is datetime:
        parse = calendar.instants(forms)
    elif forms and column.python is date:
        parse = calendar.days(forms)
    else:
        parse = parser(column)
    is_counted = reading.scale is not None or reading.plus
    scaled = _counted(parse, reading, is_whole=column.python is int) if is_counted else parse
    numbered = scaled if reading.decimal is None else written_out(scaled, *MARKS[reading.decimal])
    return worded(reading, numbered, parse)


def key_meaning(reading: Reading) -> Parse:
    """Return what reads a source's key for a record."""
    prefix = "" if reading.prefix is None else f"{reading.prefix}|"
    return worded(reading, lambda cell: key(prefix + cell), lambda word: key(prefix + word))


def worded(reading: Reading, parse: Parse, parse_ours: Parse) -> Parse:
    """Put the source's words before what reads the other cells."""
    told = parse
    if reading.words is not None:
        told = _translated({word: parse_ours(ours) for word, ours in reading.words.items()}, reading, parse)
    if reading.contains is not None:
        told = _containing(
            {word.casefold(): parse_ours(ours) for word, ours in reading.contains.items()}, reading, parse
        )
    if not reading.unknown:
        return told
    unknown, known = frozenset(reading.unknown), told
    return lambda cell: None if cell in unknown else known(cell)


def put_together(cells: Sequence[str]) -> str:
    """Texts with a space between, those that are there."""
    return " ".join(cell for cell in cells if cell)


def one_key(cells: Sequence[str]) -> str:
    """One key of several, or none where a part is missing; parts that hold the sign between them stay distinct."""
    if not all(cells):
        return ""
    return "|".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells)


def row_key(cells: Sequence[str]) -> str:
    """What tells rows apart: a part may be missing, not all of them."""
    return one_key([cell or "\\" for cell in cells]) if any(cells) else ""


def items(separator: str) -> Callable[[str], object]:
    """Read a list of keys; an item that is there twice counts once."""

    def read(cell: str) -> object:
        parts = (part.strip() for part in cell.split(separator))
        return list(dict.fromkeys(key(part) for part in parts if part))

    return read


def _all(parsers: Sequence[Parse], cell: str) -> list[object]:
    found = []
    for parse in parsers:
        try:
            found.append(parse(cell))
        except ValueError:
            continue
    return found


def _no_date(forms: Sequence[str]) -> object:
    raise ValueError(f"is no date of the forms {' or '.join(forms)}")


def _counted(parse: Parse, reading: Reading, *, is_whole: bool) -> Parse:
    """Scale and shift a number; a column of whole numbers takes the nearest."""
    scale = Decimal(1) if reading.scale is None else reading.scale

    def read(cell: str) -> object:
        number = decimal(cell) * scale + reading.plus
        text = f"{number.to_integral_value(ROUND_HALF_UP) if is_whole else number:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        try:
            return parse(text)
        except ValueError as error:
            # The value in the file is not the one that broke the bound.
            raise ValueError(f"is {text} by the preset's scale, which {error}") from error

    return read


def _translated(values: dict[str, object], reading: Reading, parse: Parse) -> Parse:
    def read(cell: str) -> object:
        if cell in values:
            return values[cell]
        if reading.others == "refused":
            raise ValueError(f"is not in the preset's map of words, which has {', '.join(values)}")
        return parse(cell) if reading.others == "kept" else None

    return read


def _containing(values: dict[str, object], reading: Reading, parse: Parse) -> Parse:
    def read(cell: str) -> object:
        text = cell.casefold()
        for word, value in values.items():
            if word in text:
                return value
        if reading.others == "refused":
            raise ValueError(f"holds none of the preset's words, which are {', '.join(values)}")
        return parse(cell) if reading.others == "kept" else None

    return read
