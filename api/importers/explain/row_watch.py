"""Keeps the values of one row of a file while the import reads them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from api.importers.csv_rows import UnreadableLine

_Row = list[str] | UnreadableLine


@dataclass(slots=True)
class RowWatch:
    """The row that begins on a line: its cells, and by staged column its value, or why it has none.

    `row_before` is the line of the row before it; it shows where the rows are if none begins on the line.
    """

    line: int
    row: _Row | None = None
    row_before: int | None = None
    values: dict[int, object] = field(default_factory=dict)
    wrong: dict[int, str] = field(default_factory=dict)
    _is_watched: bool = False

    def follow(self, rows: Iterator[tuple[int, _Row]]) -> Iterator[tuple[int, _Row]]:
        """Yield all rows, and notice when it is the watched one's turn."""
        for line, row in rows:
            self._is_watched = line == self.line
            if self._is_watched:
                self.row = row
            elif line < self.line:
                self.row_before = line
            yield line, row

    def reader(self, place: int, read: Callable[[list[str]], object]) -> Callable[[list[str]], object]:
        """Return the same reader, which keeps what it makes of the watched row for the staged column at a place."""

        def read_watched(row: list[str]) -> object:
            try:
                value = read(row)
            except ValueError as error:
                if self._is_watched:
                    self.wrong[place] = str(error)
                raise
            if self._is_watched:
                self.values[place] = value
            return value

        return read_watched
