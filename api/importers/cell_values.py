"""From the text of a cell to a value, or the reason why it is none. Nothing is guessed."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from schema.base import ColumnShape

Parse = Callable[[str], object]
_LARGEST_KEY = 1000  # characters: more would not fit an index of PostgreSQL
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_SPACES = "' \u00a0\u202f\u2019"  # what stands between thousands beside point and comma: blanks, apostrophes
_LARGEST_INTEGER = 2**31 - 1
_BOOLEANS = {"true": True, "false": False, "t": True, "f": False, "yes": True, "no": False, "1": True, "0": False}


def text(cell: str) -> str:
    """Take text as it is."""
    if "\0" in cell:
        raise ValueError("holds a NUL character, which no text has")
    return cell


def key(cell: str) -> str:
    """Take a source's key for a record."""
    if len(cell) > _LARGEST_KEY:
        raise ValueError(f"is longer than a key can be ({_LARGEST_KEY} characters)")
    return text(cell)


def instant(form: str, zone: str) -> Parse:
    """Read instants of a stated form; without an offset of their own they are of the zone."""
    local = ZoneInfo(zone)

    @lru_cache(maxsize=1 << 14)
    def read(cell: str) -> datetime:
        found = _moment(cell, form)
        if found.tzinfo is None:
            found = found.replace(tzinfo=local)
            if found.utcoffset() != found.replace(fold=1).utcoffset():
                raise ValueError(f"happens twice or never in {zone}, where clocks were changed")
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("is out of the calendar") from error

    return read


def day(form: str) -> Parse:
    """Read dates of a stated form."""

    @lru_cache(maxsize=1 << 14)
    def read(cell: str) -> date:
        return _moment(cell, form).date()

    return read


def _moment(cell: str, form: str) -> datetime:
    try:
        return datetime.strptime(cell, form)  # noqa: DTZ007 - the caller gives it its zone
    except ValueError as error:
        raise ValueError(f"is no date of the form {form}") from error


def _integer(cell: str) -> int:
    if not _INTEGER.fullmatch(cell):
        raise ValueError("is no whole number")
    if abs(int(cell)) > _LARGEST_INTEGER:
        raise ValueError("is larger than a whole number can be")
    return int(cell)


def decimal(cell: str) -> Decimal:
    """Read a number with a decimal point."""
    if not _DECIMAL.fullmatch(cell):
        raise ValueError("is no number with a decimal point")
    return Decimal(cell)


def written_out(parse: Parse, point: str, other: str) -> Parse:
    """Read numbers whose decimal mark is stated, and whose thousands may be set apart, by the other mark too."""
    between = f"[{re.escape(other)}{_SPACES}]"
    whole = rf"[+-]?([0-9]+|[1-9][0-9]{{0,2}}({between}[0-9]{{3}})+)"
    form = re.compile(rf"{whole}({re.escape(point)}[0-9]+)?")

    def read(cell: str) -> object:
        if not form.fullmatch(cell):
            raise ValueError(f"is no number like 1{other}234{point}56")
        return parse(re.sub(between, "", cell).replace(point, "."))

    return read


def _boolean(cell: str) -> bool:
    if cell.lower() not in _BOOLEANS:
        raise ValueError("is neither true nor false")
    return _BOOLEANS[cell.lower()]


_PARSERS: dict[type, Parse] = {bool: _boolean}
_NUMBERS: dict[type, Callable[[str], int | Decimal]] = {int: _integer, Decimal: decimal}


def parser(column: ColumnShape) -> Parse:
    """Return what reads the cells of a column that holds no dates, within the bounds."""
    if column.link is not None:
        return key
    if column.note.vocab is not None:
        return _choice({word.value: word.value for word in column.note.vocab})
    if column.python in _NUMBERS:
        return _bounded(_NUMBERS[column.python], column)
    return _PARSERS.get(column.python, text)


def _choice(words: dict[str, str]) -> Parse:
    def read(cell: str) -> str:
        if cell not in words:
            raise ValueError(f"is none of {', '.join(words)}")
        return words[cell]

    return read


def _bounded(parse: Callable[[str], int | Decimal], column: ColumnShape) -> Parse:
    note = column.note
    whole, places = note.numeric or (18, 2)
    ceiling = Decimal(f"1e{whole - places}")

    def read(cell: str) -> object:
        number = parse(cell)
        if note.ge is not None and number < note.ge:
            raise ValueError(f"is less than {note.ge}")
        if note.gt is not None and number <= note.gt:
            raise ValueError(f"is not more than {note.gt}")
        if note.le is not None and number > note.le:
            raise ValueError(f"is more than {note.le}")
        if not -ceiling < number < ceiling:
            raise ValueError("is larger than can be kept")
        return number

    return read
