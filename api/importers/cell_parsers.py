"""Builds the parser of a reading: the preset's words, date formats and scale, on top of the column's own parser."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from api.importers.cell_values import (
    CellError,
    Parse,
    column_parser,
    day_parser,
    grouped_number_parser,
    instant_parser,
    key_spelling,
    parse_decimal,
    parse_key,
)
from api.importers.value_reading import MARKS, ValueReading
from schema.base import ColumnShape
from schema.formats import read_email

_SALESFORCE_ID = re.compile(
    r"(?=.{0,2}[0-9])[A-Za-z0-9]{15}"
)  # a digit is among the first three, which name the object
_CAPITALS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


@dataclass(frozen=True, slots=True)
class DateSettings:
    """How a source writes dates: its time zone, and the dates that mean none."""

    zone: str
    open_ends: tuple[date, ...]

    def instants(self, forms: Sequence[str]) -> Parse:
        """Return a parser of instants in any of the formats."""
        return self._parser(forms, [instant_parser(form, self.zone) for form in forms])

    def days(self, forms: Sequence[str]) -> Parse:
        """Return a parser of dates in any of the formats."""
        return self._parser(forms, [day_parser(form, self.zone) for form in forms])

    def _parser(self, forms: Sequence[str], parsers: list[Parse]) -> Parse:
        ends = [day_parser(form, self.zone) for form in forms] if self.open_ends else []

        def parse_any(cell: str) -> object:
            if any(end in self.open_ends for end in _all_values(ends, cell)):
                return None
            found = _all_values(parsers, cell)
            if not found:
                # With one format, its own reason is more precise, such as an hour that does not exist.
                return parsers[0](cell) if len(parsers) == 1 else _not_a_date(forms)
            if any(value != found[0] for value in found):
                raise ValueError(f"is one date or another in the formats {' and '.join(forms)}")
            return found[0]

        return parsers[0] if len(parsers) == 1 and not ends else parse_any


def value_parser(column: ColumnShape, reading: ValueReading, forms: Sequence[str], dates: DateSettings) -> Parse:
    """Return the parser for the cells that a reading takes for a column. `forms` are the formats of their dates."""
    if forms and column.python is datetime:
        parse = dates.instants(forms)
    elif forms and column.python is date:
        parse = dates.days(forms)
    else:
        parse = column_parser(column)
    if column.python is date:
        return _item(reading, _with_words(reading, _shifted(parse, reading) if reading.is_shifted else parse, parse))
    is_scaled = reading.scale is not None or reading.plus
    scaled = _scaled(parse, reading, is_whole=column.python is int) if is_scaled else parse
    number = scaled if reading.decimal is None else grouped_number_parser(scaled, *MARKS[reading.decimal])
    return _item(reading, _with_words(reading, number, parse))


def begin_parser(reading: ValueReading, dates: DateSettings, forms: Sequence[str]) -> Parse:
    """Return the parser of the instant from which a record or its values hold."""
    parse = dates.instants(forms)
    return _item(reading, _with_words(reading, parse, parse))


def key_parser(reading: ValueReading) -> Parse:
    """Return the parser of a source's key for a record."""
    prefix = "" if reading.prefix is None else f"{reading.prefix}|"
    whole = whole_salesforce_id if reading.id_form == "salesforce" else str

    def parse_word(word: str) -> object:
        return parse_key(prefix + key_spelling(word))

    return _item(reading, _with_words(reading, lambda cell: parse_word(whole(cell)), parse_word))


def whole_salesforce_id(cell: str) -> str:
    """Complete an id of 15 characters, in which case matters, to that of 18; return any other text unchanged.

    Each of the three added characters says which of five characters are capital letters.
    """
    if not _SALESFORCE_ID.fullmatch(cell):
        return cell
    parts = (cell[:5], cell[5:10], cell[10:])
    capitals = (sum(character.isupper() << place for place, character in enumerate(part)) for part in parts)
    return cell + "".join(_CAPITALS[number] for number in capitals)


def join_texts(cells: Sequence[str]) -> str:
    """Join the texts that are not empty with a space."""
    return " ".join(cell for cell in cells if cell)


def join_key(cells: Sequence[str]) -> str:
    """Join the parts of a key; empty if a part is. The separator is escaped in parts, so that keys stay distinct."""
    if not all(cells):
        return ""
    return "|".join(key_spelling(cell).replace("\\", "\\\\").replace("|", "\\|") for cell in cells)


def join_salesforce_ids(cells: Sequence[str]) -> str:
    """Join the parts of a key, ids of 15 characters completed."""
    return join_key([whole_salesforce_id(cell) for cell in cells])


def join_row_key(cells: Sequence[str]) -> str:
    """Join the parts of a row's key, some of which may be empty; empty only if all are."""
    return join_key([cell or "\\" for cell in cells]) if any(cells) else ""


def parse_address(cell: str) -> object:
    """The one spelling of an e-mail address, to compare it by; of a text that is none, its lower case."""
    try:
        return read_email(cell)
    except ValueError:
        return parse_key(cell.lower())


def key_list_parser(
    separator: str, *, ends_at: str | None = None, id_form: str | None = None
) -> Callable[[str], object]:
    """Return a parser of a list of keys, each of which ends before `ends_at`. A key that stands twice counts once."""
    whole = whole_salesforce_id if id_form == "salesforce" else str

    def parse(cell: str) -> object:
        items = cell.split(separator)
        parts = (item.strip() if ends_at is None else item.partition(ends_at)[0].strip() for item in items)
        return list(dict.fromkeys(parse_key(whole(part)) for part in parts if part))

    return parse


def _item(reading: ValueReading, parse: Parse) -> Parse:
    """Read the item of a cell that is a list: the first one, or the only one."""
    if reading.first_of:
        return _first_of(reading, parse)
    return _only_single(reading.single, parse) if reading.single is not None else parse


def _only_single(separator: str, parse: Parse) -> Parse:
    """Read a list of one item as the item, and a list of several as nothing."""

    def parse_single(cell: str) -> object:
        parts = [part.strip() for part in cell.split(separator) if part.strip()]
        return parse(parts[0]) if len(parts) == 1 else None

    return parse_single


def _first_of(reading: ValueReading, parse: Parse) -> Parse:
    """Read the first item of a list."""
    between = re.compile("|".join(re.escape(separator) for separator in reading.first_of))

    def parse_first(cell: str) -> object:
        items = (item.strip() for item in between.split(cell))
        first = next((item for item in items if item), None)
        return None if first is None else parse(first)

    return parse_first


def _shifted(parse: Parse, reading: ValueReading) -> Parse:
    """Add months, then days, to a date."""

    def parse_shifted(cell: str) -> object:
        day = parse(cell)
        if not isinstance(day, date):
            return day
        try:
            years, month = divmod(day.month - 1 + reading.plus_months, 12)
            return day.replace(year=day.year + years, month=month + 1) + timedelta(days=reading.plus)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"has no such day {reading.plus_months} months and {reading.plus} days later") from error

    return parse_shifted


def _with_words(reading: ValueReading, parse: Parse, parse_word: Parse) -> Parse:
    """Translate the cells that the preset has words for; `parse` reads the others, `parse_word` the words' values."""
    parse_cell = parse
    if reading.words is not None:
        parse_cell = _translated({word: parse_word(ours) for word, ours in reading.words.items()}, reading, parse)
    if reading.contains is not None:
        values = {word.casefold(): parse_word(ours) for word, ours in reading.contains.items()}
        parse_cell = _containing(values, reading, parse)
    if not reading.unknown:
        return parse_cell
    unknown, parse_known = frozenset(reading.unknown), parse_cell
    return lambda cell: None if cell in unknown else parse_known(cell)


def _translated(values: dict[str, object], reading: ValueReading, parse: Parse) -> Parse:
    parse_other = _other_cells(reading, parse, f"is not in the preset's map of words, which has {', '.join(values)}")

    def parse_translated(cell: str) -> object:
        return values[cell] if cell in values else parse_other(cell)

    return parse_translated


def _containing(values: dict[str, object], reading: ValueReading, parse: Parse) -> Parse:
    parse_other = _other_cells(reading, parse, f"contains none of the preset's words, which are {', '.join(values)}")

    def parse_containing(cell: str) -> object:
        text = cell.casefold()
        for word, value in values.items():
            if word in text:
                return value
        return parse_other(cell)

    return parse_containing


def _other_cells(reading: ValueReading, parse: Parse, reason: str) -> Parse:
    """Return the parser of cells that the preset has no word for, as `others` says."""

    def reject(_cell: str) -> object:
        raise ValueError(reason)

    return {"refused": reject, "unknown": _empty, "kept": parse}[reading.others]


def _empty(_cell: str) -> None:
    return None


def _all_values(parsers: Sequence[Parse], cell: str) -> list[object]:
    """The values of those parsers that accept the cell."""
    found = []
    for parse in parsers:
        try:
            found.append(parse(cell))
        except ValueError:
            continue
    return found


def _not_a_date(forms: Sequence[str]) -> object:
    raise ValueError(f"is not a date in the formats {' or '.join(forms)}")


def _scaled(parse: Parse, reading: ValueReading, *, is_whole: bool) -> Parse:
    """Scale and shift a number; a column of whole numbers takes the nearest."""
    scale = Decimal(1) if reading.scale is None else reading.scale

    def parse_scaled(cell: str) -> object:
        number = parse_decimal(cell) * scale + reading.plus
        text = f"{number.to_integral_value(ROUND_HALF_UP) if is_whole else number:f}"
        text = text.rstrip("0").rstrip(".") if "." in text else text
        try:
            return parse(text)
        except ValueError as error:
            # The reason is about the scaled number, which does not stand in the file: name it.
            reason = f"is {text} by the preset's scale, which {error}"
            raise CellError(reason, f"by the preset's scale, {error}") from error

    return parse_scaled
