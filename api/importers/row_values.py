"""The rows of a file as values, streamed: what is wrong with a row is written down, and the row left out."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice

from api.identity.new_ids import fresh_ids
from api.importers.cell_values import Parse
from api.importers.csv_rows import NoRow, read_csv
from api.importers.rejects_file import Rejects
from api.importers.source_file import Source

_PROGRESS_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Guard:
    """Which rows are asked at all: columns and the words that they hold, whatever their case, or must not hold."""

    when: tuple[tuple[str, frozenset[str]], ...]
    unless: tuple[tuple[str, frozenset[str]], ...]

    def on(self, places: dict[str, int]) -> Callable[[list[str]], bool]:
        """Return what asks a row of the file; a column that the file lacks is empty."""
        asks = [(places.get(column), words, True) for column, words in self.when]
        asks += [(places.get(column), words, False) for column, words in self.unless]

        def holds(row: list[str]) -> bool:
            for place, words, is_wanted in asks:
                text = "" if place is None else row[place].strip().casefold()
                if (text in words) is not is_wanted:
                    return False
            return True

        return holds


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of every row: its column in the file, how it is read, and the staged column that takes it.

    `others` are columns that are joined to it. Where `guard` says no, the cell is not read. An `is_test` cell holds
    what the guard says.
    """

    name: str
    column: str
    sql_type: str
    parse: Parse
    is_required: bool
    others: tuple[str, ...] = ()
    join: Callable[[Sequence[str]], str] | None = None
    guard: Guard | None = None
    is_test: bool = False

    def required(self) -> "Cell":
        """The same cell, which must not be empty."""
        return replace(self, is_required=True)

    def reader(self, places: dict[str, int]) -> Callable[[list[str]], object]:
        """Return what takes the cell from a row; ValueError where it is wrong."""
        taken = [places.get(column) for column in (self.column, *self.others)]
        holds = None if self.guard is None else self.guard.on(places)
        if self.is_test and holds is not None:
            return holds
        first, parse, join, is_required = taken[0], self.parse, self.join, self.is_required

        def read(row: list[str]) -> object:
            if holds is not None and not holds(row):
                return None
            if join is None:
                text = "" if first is None else row[first].strip()
            else:
                text = join(["" if place is None else row[place].strip() for place in taken])
            if text:
                return parse(text)
            if is_required:
                raise ValueError("is empty")
            return None

        return read


@dataclass(slots=True)
class Count:
    """How many rows were read, and how many of them refused."""

    read: int = 0
    rejected: int = 0


def read_rows(
    source: Source,
    cells: tuple[Cell, ...],
    ids: int,
    rejects: Rejects,
    count: Count,
    progress: Callable[[int], None],
) -> Iterator[tuple[object, ...]]:
    """Each good row: its line, its values, and as many fresh ids as it may need."""
    places = {column: place for place, column in reversed(list(enumerate(source.header)))}
    readers = [(cell.column, cell.reader(places)) for cell in cells]
    fresh = fresh_ids()
    for line, row in read_csv(source):
        count.read += 1
        if count.read % _PROGRESS_ROWS == 0:
            progress(line)
        if isinstance(row, NoRow):
            rejects.add(source.name, line, "", row.text, row.reason)
            count.rejected += 1
            continue
        if len(row) != len(source.header):
            reason = f"the row has {len(row)} cells, the header {len(source.header)}"
            rejects.add(source.name, line, "", source.dialect.delimiter.join(row), reason)
            count.rejected += 1
            continue
        values = _values(source.name, line, row, places, readers, rejects)
        if values is None:
            count.rejected += 1
        else:
            yield (line, *values, *islice(fresh, ids))
    progress(source.lines)


def _values(
    name: str,
    line: int,
    row: list[str],
    places: dict[str, int],
    readers: list[tuple[str, Callable[[list[str]], object]]],
    rejects: Rejects,
) -> list[object] | None:
    """The values of a row, or None after everything that is wrong with it was written down."""
    values: list[object] = []
    wrong: dict[tuple[str, str], None] = {}
    for column, read in readers:
        try:
            values.append(read(row))
        except ValueError as error:
            wrong[column, str(error)] = None
    # Two fields may read one cell: what is wrong with it is told once.
    for column, reason in wrong:
        rejects.add(name, line, column, row[places[column]] if column in places else "", reason)
    return None if wrong else values
