"""Reads the rows of a file as values, streamed. A row with a wrong cell goes to the rejects file and is left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Protocol

from api.identity.new_ids import generate_ids
from api.importers.cell_values import CellError, Parse
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.layout.footer import Footer
from api.importers.source_file import SourceFile
from api.importers.value_reading import ValueReading
from api.intake.staged import Reject, RejectedRow
from api.progress import Progress

LEFT_OUT = "; only this value was left out"
DATED_AT_IMPORT = "; the instant of the import stands in for it"
_PROGRESS_ROWS = 1000


@dataclass(frozen=True, slots=True)
class RowCondition:
    """Which rows a reading applies to: columns, and the texts (in any case) that they must hold, or must not hold.

    A condition that names the empty cell also means the texts that are read as one, `empty`. All are in folded case.
    """

    when: tuple[tuple[str, frozenset[str]], ...]
    unless: tuple[tuple[str, frozenset[str]], ...]
    empty: frozenset[str] = frozenset()

    def tester(self, places: dict[str, int]) -> Callable[[list[str]], bool]:
        """Return a test of the file's rows. A column that the file lacks is empty."""
        tests = [(places.get(column), self._all(words), True) for column, words in self.when]
        tests += [(places.get(column), self._all(words), False) for column, words in self.unless]

        def holds(row: list[str]) -> bool:
            for place, words, is_wanted in tests:
                text = "" if place is None else row[place].strip().casefold()
                if (text in words) is not is_wanted:
                    return False
            return True

        return holds

    def _all(self, words: frozenset[str]) -> frozenset[str]:
        return words | self.empty if "" in words else words


@dataclass(frozen=True, slots=True)
class StagedColumn:
    """A column of a temporary table, and how its value is read from a row of the file.

    `others` are columns of the file that `join` joins to `column`. The value is null where `condition` does not hold.
    An `is_test` column holds whether the condition holds. `empty` are the texts that are read as an empty cell.
    `reading` and the date formats `forms` are what `parse` was made of, for explanations; a plain key has none. Without
    `is_vital`, a cell that cannot be read leaves `when_unreadable` in place of its value.
    """

    name: str
    column: str
    sql_type: str
    parse: Parse
    is_required: bool
    others: tuple[str, ...] = ()
    join: Callable[[Sequence[str]], str] | None = None
    condition: RowCondition | None = None
    is_test: bool = False
    reading: ValueReading | None = None
    forms: tuple[str, ...] = ()
    is_vital: bool = True
    when_empty: object = None
    when_unreadable: object = None
    empty: frozenset[str] = frozenset()

    def stricter(self, *, is_required: bool, is_vital: bool) -> "StagedColumn":
        """Return the same column for one more use: what any of its uses requires holds."""
        return replace(self, is_required=self.is_required or is_required, is_vital=self.is_vital or is_vital)

    def reader(self, places: dict[str, int]) -> Callable[[list[str]], object]:
        """Return a function from a row to the value. It raises ValueError with the reason if the cell is wrong."""
        taken = [places.get(column) for column in (self.column, *self.others)]
        holds = None if self.condition is None else self.condition.tester(places)
        if self.is_test and holds is not None:
            return holds
        # Local names: this function runs once for every cell of the file.
        first, parse, join, is_required, empty = taken[0], self.parse, self.join, self.is_required, self.empty
        when_empty = self.when_empty

        def read(row: list[str]) -> object:
            if holds is not None and not holds(row):
                return None
            if join is None:
                text = "" if first is None else row[first].strip()
            else:
                cells = ["" if place is None else row[place].strip() for place in taken]
                text = join(["" if cell in empty else cell for cell in cells])
            if text and text not in empty:
                return parse(text)
            if is_required:
                raise ValueError("is empty" if not text else "stands for an empty cell, but a value is needed")
            return when_empty

        return read


class RowWatcher(Protocol):
    """Sees the rows of a file and the values that are read from them."""

    def follow(
        self, rows: Iterator[tuple[int, list[str] | UnreadableLine]]
    ) -> Iterator[tuple[int, list[str] | UnreadableLine]]:
        """Yield the same rows."""

    def reader(self, place: int, read: Callable[[list[str]], object]) -> Callable[[list[str]], object]:
        """Return a function with the same results, for the staged column at a place."""


@dataclass(slots=True)
class RowCount:
    """How many rows of a file were read and rejected, and the staged columns of which a value was left out."""

    read: int = 0
    rejected: int = 0
    footers: list[Footer] = field(default_factory=list)
    """What stands below the table; those lines are not counted as read."""
    left_out: set[str] = field(default_factory=set)


_Reader = tuple[StagedColumn, Callable[[list[str]], object]]


def read_rows(
    source: SourceFile,
    columns: tuple[StagedColumn, ...],
    ids: int,
    reject: Reject,
    count: RowCount,
    progress: Progress,
    *,
    watch: RowWatcher | None = None,
) -> Iterator[tuple[object, ...]]:
    """Yield the good rows: the line, the columns whose value was left out, the values of the columns, `ids` new ids.

    `count` counts along.
    """
    places = {column: place for place, column in reversed(list(enumerate(source.header)))}
    readers = [(column, column.reader(places)) for column in columns]
    new_ids = generate_ids()
    rows = read_csv(source, count.footers.append)
    if watch is not None:
        readers = [(column, watch.reader(place, read)) for place, (column, read) in enumerate(readers)]
        rows = watch.follow(rows)
    for line, row in rows:
        count.read += 1
        if count.read % _PROGRESS_ROWS == 0:
            progress(source.name, line, source.lines)
        if isinstance(row, UnreadableLine):
            reject(RejectedRow(source.name, line, "", row.text, row.reason))
            count.rejected += 1
            continue
        if len(row) != len(source.header):
            reason = f"the row has {len(row)} cells, the header {len(source.header)}"
            reject(RejectedRow(source.name, line, "", source.dialect.delimiter.join(row), reason))
            count.rejected += 1
            continue
        values, unreadable = _values(row, readers)
        if not unreadable:
            yield (line, None, *values, *islice(new_ids, ids))
            continue
        is_rejected = any(column.is_vital for column, _ in unreadable)
        for report in _reports(source.name, line, row, places, unreadable, is_rejected=is_rejected):
            reject(report)
        if is_rejected:
            count.rejected += 1
        else:
            left_out = [column.name for column, _ in unreadable]
            count.left_out.update(left_out)
            yield (line, left_out, *values, *islice(new_ids, ids))
    progress(source.name, source.lines, source.lines)


def _values(row: list[str], readers: list[_Reader]) -> tuple[list[object], list[tuple[StagedColumn, ValueError]]]:
    """The values of a row, and the columns that cannot be read, with the reasons."""
    values: list[object] = []
    unreadable: list[tuple[StagedColumn, ValueError]] = []
    for column, read in readers:
        try:
            values.append(read(row))
        except ValueError as error:
            values.append(column.when_unreadable)
            unreadable.append((column, error))
    return values, unreadable


def _reports(
    source: str,
    line: int,
    row: list[str],
    places: dict[str, int],
    unreadable: list[tuple[StagedColumn, ValueError]],
    *,
    is_rejected: bool,
) -> Iterator[RejectedRow]:
    """Every cell that cannot be read, once: several fields may read the same cell."""
    reported: set[tuple[str, str]] = set()
    for column, error in unreadable:
        reason = str(error)
        if (column.column, reason) in reported:
            continue
        reported.add((column.column, reason))
        value = row[places[column.column]] if column.column in places else ""
        summary = error.summary if isinstance(error, CellError) else reason
        if not is_rejected:
            reason += LEFT_OUT if column.when_unreadable is None else DATED_AT_IMPORT
        yield RejectedRow(source, line, column.column, value, reason, summary, is_left_out=not is_rejected)
