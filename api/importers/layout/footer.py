"""Finds what stands below the table at the end of a file: totals and notes.

A row below the table is certain to be

- a note, if it has a single cell where the header has several (or, in a file that fills up its rows, a single filled
  cell of several words where every row above fills more), and a blank line or a total stands before it
- a total, if its first filled cell is a word for a total, its other cells are numbers or empty, and one of these holds:
  the word has no other meaning ("Grand total", "Total: Account"); a cell of the row's key is empty, so that it cannot
  be a record; one of its numbers is the sum of its column
- a total without a word, if a cell of the key is empty and one of its numbers is the sum of its column

A row that has the word and numbers alone, but none of the three, may be a record of that name: it is in doubt.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

TAIL_ROWS = 30  # rows below the table that are detected at most
DOUBT = (
    "the row may be a total or a record of that name; state skip_last = 1 in the preset if it is a total,"
    " skip_last = 0 if it is a record"
)
_WORDS = (
    "total|totals|sub-?total|sum|summe|gesamt|insgesamt|zwischensumme|somme|totaux|suma|soma|totale|totali|totales"
    "|totais|totaal"
)
_WORD = re.compile(rf"({_WORDS})( ?[:(–-].*| \d+)?", re.IGNORECASE)  # noqa: RUF001 - a dash of reports
_CERTAIN = re.compile(
    r"(grand|overall|report)[ -]totals?:?|gesamtsumme:?|gesamtergebnis:?|endsumme:?|total g[eé]n[eé]ral:?|total geral:?"
    rf"|suma total:?|somme totale:?|({_WORDS}) ?\(\d+[^)]*\)"
    # The totals of Google Ads.
    r"|totals?: (account|campaigns?|ad groups?|ads|keywords?|search( terms)?|display|video|shopping|app|hotel|smart"
    r"|discovery|demand gen|performance max|experiments?|filtered .*|removed .*|konto|kampagnen|anzeigengruppen)",
    re.IGNORECASE,
)
_NO_VALUE = frozenset({"", "-", "--", "—", "–", "n/a", "N/A"})  # noqa: RUF001 - dashes of reports
_CURRENCY = re.compile(r"[A-Z]{3}")
_NUMBER = re.compile(
    r"(?:[A-Z]{3} ?|[€$£¥] ?)?(?P<sign>[-+]?)(?P<number>\d[\d.,'\u2019 \u00a0\u202f]*)(?: ?(?:%|[€$£¥]|[A-Z]{3}))?"
)
_BLANKS = str.maketrans("", "", "'\u2019 \u00a0\u202f")


@dataclass(frozen=True, slots=True)
class TailRow:
    """A row near the end of a file: its line, its cells, and whether a blank line stands before it."""

    line: int
    cells: Sequence[str]
    is_after_blank: bool


@dataclass(frozen=True, slots=True)
class Footer:
    """What stands below the table: the lines of totals and notes, and the lines that are in doubt."""

    totals: tuple[int, ...] = ()
    notes: tuple[int, ...] = ()
    doubtful: tuple[int, ...] = ()

    @property
    def lines(self) -> tuple[int, ...]:
        """The lines that are certain not to be records."""
        return tuple(sorted((*self.totals, *self.notes)))


Sums = Callable[[int], "ColumnSums"]
"""Returns the sums of the columns over all rows above a line."""


@dataclass(frozen=True, slots=True)
class ColumnSums:
    """For every column the sum of its numbers, by decimal mark; None where a cell is no number."""

    rows: int
    point: tuple[Decimal | None, ...]
    comma: tuple[Decimal | None, ...]

    def match(self, cells: Sequence[str]) -> bool:
        """Whether one of the cells is the sum of its column, over two rows or more and not 0."""
        if self.rows < 2:
            return False
        for place, cell in enumerate(cells):
            for mark, sums in ((".", self.point), (",", self.comma)):
                number = number_of(cell, mark)
                if number and number == sums[place]:
                    return True
        return False


def sum_columns(rows: Iterable[Sequence[str]], width: int) -> ColumnSums:
    """Add up the columns of all rows with as many cells as the header."""
    count = 0
    point: list[Decimal | None] = [Decimal(0)] * width
    comma: list[Decimal | None] = [Decimal(0)] * width
    for row in rows:
        if len(row) != width:
            continue
        count += 1
        for mark, sums in ((".", point), (",", comma)):
            for place, total in enumerate(sums):
                if total is None or row[place].strip() in _NO_VALUE:
                    continue
                number = number_of(row[place].strip(), mark)
                sums[place] = None if number is None else total + number
    return ColumnSums(count, tuple(point), tuple(comma))


def number_of(cell: str, mark: str) -> Decimal | None:
    """Return the number in a cell, with a currency or a percent sign or without, for one decimal mark; else None."""
    found = _NUMBER.fullmatch(cell)
    if found is None:
        return None
    whole, point, part = found["number"].translate(_BLANKS).partition(mark)
    whole = whole.replace("," if mark == "." else ".", "")
    return Decimal(f"{found['sign']}{whole}{'.' * bool(point)}{part}") if f"{whole}{part}".isdecimal() else None


def find_footer(tail: Sequence[TailRow], width: int, key: Sequence[int], sums: Sums) -> Footer:
    """Find totals and notes among the last rows of a file.

    `width` is the number of columns, `key` the places of those that identify a row (empty: not known), `sums` adds up
    the columns above a line; it is used only where a row looks like a total.
    """
    start = len(tail)
    while start and width > 1 and _is_note(tail[start - 1]):
        start -= 1
    totals, doubtful = _totals(tail[:start], width, key, sums)
    # Notes begin below a blank line or a total. What stands above that is read as rows.
    first = start if totals else next((p for p in range(start, len(tail)) if tail[p].is_after_blank), len(tail))
    above = tail[: first - len(totals)]
    are_fuller = bool(above) and all(_filled(row) > 1 for row in above)
    notes = tail[first:] if are_fuller or all(len(row.cells) == 1 for row in tail[first:]) else ()
    return Footer(totals, tuple(row.line for row in notes), doubtful)


def _totals(
    rows: Sequence[TailRow], width: int, key: Sequence[int], sums: Sums
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lines of the totals that end these rows, and the line that is in doubt."""
    totals: list[int] = []
    for row in reversed(rows):
        verdict = _is_total(row, width, key, sums)
        if verdict is None and not totals:
            return (), (row.line,)
        if not verdict:
            break
        totals.insert(0, row.line)
    return tuple(totals), ()


def _filled(row: TailRow) -> int:
    return sum(bool(cell.strip()) for cell in row.cells)


def _is_note(row: TailRow) -> bool:
    """Whether a row has the shape of a note: a single filled cell, its first, and no word for a total in it."""
    text = row.cells[0].strip()
    if not text or _filled(row) != 1 or _word_of_total(text):
        return False
    return len(row.cells) == 1 or " " in text


def _word_of_total(text: str) -> bool:
    return bool(_WORD.fullmatch(text) or _CERTAIN.fullmatch(text))


def _is_total(row: TailRow, width: int, key: Sequence[int], sums: Sums) -> bool | None:
    """Whether a row is a total; None if it may be a record of that name."""
    cells = [cell.strip() for cell in row.cells]
    cells += [""] * (width - len(cells))
    filled = [place for place, cell in enumerate(cells) if cell not in _NO_VALUE]
    if not filled or len(cells) > width:
        return False
    label = cells[filled[0]]
    is_word = _word_of_total(label)
    others = [cells[place] for place in (filled[1:] if is_word else filled)]
    are_numbers = all(_is_figure(cell) for cell in others)
    has_number = any(_NUMBER.fullmatch(cell) for cell in others)
    if not are_numbers or not (has_number or (is_word and len(row.cells) < width)):
        return False
    lacks_key = any(cells[place] in _NO_VALUE for place in key)
    if is_word and (lacks_key or _CERTAIN.fullmatch(label) or len(row.cells) < width):
        return True
    if not is_word and not lacks_key:
        return False
    if sums(row.line).match(cells):
        return True
    return None if is_word else False


def _is_figure(cell: str) -> bool:
    return bool(_NUMBER.fullmatch(cell) or _CURRENCY.fullmatch(cell))
