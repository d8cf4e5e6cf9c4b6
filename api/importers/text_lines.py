"""The lines of a text in bounded memory, counted; those of a row that broke can be read anew."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import TextIO

LONGEST_LINE = 1 << 20  # characters, of a line and of a row of several lines
MARK = "\ufeff"
_SHOWN = 600
_MOST_READ_AGAIN = 1 << 28  # characters: a file that needs more has no rows, only quotes


class _TooLong(str):
    """The beginning of a line that is longer than any may be; its rest was passed over."""

    __slots__ = ()


class Lines:
    """The lines of a text, counted as they are taken; those of a row that broke can be given back."""

    def __init__(self, text: TextIO) -> None:
        self._text = text
        self._given_back: deque[str] = deque()
        self._read_again = 0
        self._length = 0
        self.number = 0
        self.taken: list[str] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._given_back.popleft() if self._given_back else self._line()
        if not line:
            raise StopIteration
        self.number += 1
        self.taken.append(line)
        self._length += len(line)
        if type(line) is _TooLong or self._length > LONGEST_LINE:
            raise csv.Error(f"it is longer than {LONGEST_LINE:,} characters")
        return line

    def _line(self) -> str:
        line = self._text.readline(LONGEST_LINE + 1)
        if len(line) <= LONGEST_LINE:
            return line
        rest = line
        while rest and rest[-1] not in "\r\n":
            rest = self._text.readline(LONGEST_LINE)
        return _TooLong(line[:_SHOWN])

    def begin_row(self) -> int:
        """Forget the lines of the row before; the number of the line that comes next."""
        self.taken.clear()
        self._length = 0
        return self.number + 1

    def give_back(self) -> bool:
        """Have all lines of the broken row but its first read anew, each by itself; whether there are any."""
        again = self.taken[1:]
        self._given_back.extendleft(reversed(again))
        self.number -= len(again)
        self._read_again += sum(map(len, again))
        return bool(again)

    @property
    def is_hopeless(self) -> bool:
        """Whether so much was read twice that it never ends."""
        return self._read_again > _MOST_READ_AGAIN


def first_lines(text: TextIO, count: int) -> list[str]:
    """The first lines of a text, without those that are too long; `csv.Error` if the very first is."""
    found: list[str] = []
    lines = Lines(text)
    while len(found) < count:
        lines.begin_row()
        try:
            found.append(next(lines))
        except StopIteration:
            break
        except csv.Error:
            if not any(map(str.strip, found)):
                raise
    return found
