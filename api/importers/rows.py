"""The rows of a file as values, streamed: what is wrong with a row is written down, and the row left out."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from api.importers.cells import Parse
from api.importers.csv_rows import NoRow, read_csv
from api.importers.rejects import Rejects
from api.importers.source import Source
from schema.base import new_id

_PROGRESS_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of every row: its column in the file, how it is read, and the staged column that takes it."""

    name: str
    column: str
    sql_type: str
    parse: Parse
    is_required: bool


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
    places = [(source.header.index(cell.column), cell) for cell in cells]
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
        values = _values(source.name, line, row, places, rejects)
        if values is None:
            count.rejected += 1
        else:
            yield (line, *values, *(new_id() for _ in range(ids)))
    progress(source.lines)


def _values(
    name: str, line: int, row: list[str], places: list[tuple[int, Cell]], rejects: Rejects
) -> list[object] | None:
    """The values of a row, or None after everything that is wrong with it was written down."""
    values: list[object] = []
    wrong = False
    for place, cell in places:
        text = row[place].strip()
        try:
            if not text and cell.is_required:
                raise ValueError("is empty")
            values.append(cell.parse(text) if text else None)
        except ValueError as error:
            rejects.add(name, line, cell.column, row[place], str(error))
            wrong = True
    return None if wrong else values
