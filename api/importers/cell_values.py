"""Parses the text of a cell into a value. A cell that is not certain raises ValueError with the reason."""

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from functools import lru_cache, partial
from zoneinfo import ZoneInfo

from schema.base import ColumnShape
from schema.date_forms import EPOCHS, form_reader
from schema.formats import READERS, Format
from schema.vocab import Currency, Vocabulary

Parse = Callable[[str], object]
"""Returns the value of a cell; ValueError completes the sentence "The cell …"."""
# What a spreadsheet makes of a long number: one digit before the mark, a sign, two digits or more.
ROUNDED_NUMBER = r"[+-]?[0-9]([.,][0-9]+)?[eE][+][0-9]{2,3}"


class CellError(ValueError):
    """The reason why a cell cannot be read, where it repeats the cell; `summary` is the reason without it."""

    def __init__(self, reason: str, summary: str) -> None:
        super().__init__(reason)
        self.summary = summary


_LARGEST_KEY = 1000  # characters; a longer key may not fit a PostgreSQL index
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_DECIMAL = re.compile(r"[+-]?[0-9]{1,18}(\.[0-9]{1,18})?")
_SPACES = "' \u00a0\u202f\u2019"  # what groups thousands beside point and comma: blanks, apostrophes
_LARGEST_INTEGER = 2**31 - 1
_BOOLEANS = {"true": True, "false": False, "t": True, "f": False, "yes": True, "no": False, "1": True, "0": False}


def parse_text(cell: str) -> str:
    """Return the text unchanged."""
    if "\0" in cell:
        raise ValueError("holds a NUL character, which no text may have")
    return cell


def parse_key(cell: str) -> str:
    """Return a source's key for a record, in its one spelling."""
    cell = key_spelling(cell)
    if len(cell) > _LARGEST_KEY:
        raise ValueError(f"is longer than a key may be ({_LARGEST_KEY} characters)")
    return parse_text(cell)


def key_spelling(cell: str) -> str:
    """The one spelling of a key: an e-mail address in lower case, so that Ada@acme.com and ada@acme.com are one person.

    It holds for every key that has the shape of an address, also for one that links to a record of another file.
    """
    return cell.lower() if "@" in cell and _ADDRESS.fullmatch(cell) else cell


def instant_parser(form: str, zone: str) -> Parse:
    """Return a parser of instants in a form of dates; those without a zone of their own are in the time zone.

    Files repeat their dates, and parsing one is the dearest part of a row: the last ones are cached.
    """
    local, read = ZoneInfo(zone), form_reader(form)

    @lru_cache(maxsize=1 << 14)
    def parse(cell: str) -> datetime:
        found = read(cell)
        if found.tzinfo is None:
            found = found.replace(tzinfo=local)
            if found.utcoffset() != found.replace(fold=1).utcoffset():
                raise ValueError(f"happens twice or never in {zone}, where clocks were changed; add the offset")
        try:
            return found.astimezone(UTC)
        except OverflowError as error:
            raise ValueError("is out of the calendar, which has the years 1 to 9999") from error

    return parse


def day_parser(form: str, zone: str = "UTC") -> Parse:
    """Return a parser of dates in a form of dates.

    Of an instant, the date is the one that is written. An epoch number writes none: midnight in UTC is a day without a
    time, as CRMs export it; any other is an instant, whose date is that of the time zone.
    """
    local, read, is_epoch = ZoneInfo(zone), form_reader(form), form in EPOCHS

    @lru_cache(maxsize=1 << 14)
    def parse(cell: str) -> date:
        found = read(cell)
        if is_epoch and found.time() != time.min:
            found = found.astimezone(local)
        return found.date()

    return parse


def _parse_integer(cell: str) -> int:
    if not _INTEGER.fullmatch(cell):
        raise ValueError("is not a whole number")
    if abs(int(cell)) > _LARGEST_INTEGER:
        raise ValueError(f"is larger than a whole number may be ({_LARGEST_INTEGER})")
    return int(cell)


def parse_decimal(cell: str) -> Decimal:
    """Return a number with a decimal point."""
    if not _DECIMAL.fullmatch(cell):
        raise ValueError("is not a number with a decimal point")
    return Decimal(cell)


def grouped_number_parser(parse: Parse, point: str, other: str) -> Parse:
    """Return a parser of numbers whose decimal mark is `point` and whose thousands may be grouped, by `other` too."""
    between = f"[{re.escape(other)}{_SPACES}]"
    whole = rf"[+-]?([0-9]+|[1-9][0-9]{{0,2}}({between}[0-9]{{3}})+)"
    form = re.compile(rf"{whole}({re.escape(point)}[0-9]+)?")

    def parse_grouped(cell: str) -> object:
        if not form.fullmatch(cell):
            raise ValueError(f"is not a number like 1{other}234{point}56")
        return parse(re.sub(between, "", cell).replace(point, "."))

    return parse_grouped


def _parse_boolean(cell: str) -> bool:
    if cell.lower() not in _BOOLEANS:
        raise ValueError("is neither true nor false")
    return _BOOLEANS[cell.lower()]


# Files repeat countries and domains, and the kind of a mailbox is computed from the address just read.
FORMAT_PARSERS: dict[Format, Parse] = {form: lru_cache(maxsize=1 << 12)(read) for form, read in READERS.items()}
_PARSERS: dict[type, Parse] = {bool: _parse_boolean}
_NUMBERS: dict[type, Callable[[str], int | Decimal]] = {int: _parse_integer, Decimal: parse_decimal}


def column_parser(column: ColumnShape) -> Parse:
    """Return the parser for a column without dates: its type, its vocabulary, its bounds."""
    if column.link is not None:
        return parse_key
    if column.note.vocab is not None:
        return vocabulary_parser(column.note.vocab)
    if column.note.format is not None:
        return FORMAT_PARSERS[column.note.format]
    if column.python in _NUMBERS:
        return _bounded_parser(_NUMBERS[column.python], column)
    return _PARSERS.get(column.python, parse_text)


def vocabulary_parser(vocabulary: type[Vocabulary]) -> Parse:
    """Return the parser of a vocabulary's words. The code of a currency may be in lower case."""
    words = {word.value: word.value for word in vocabulary}
    if vocabulary is Currency:
        return partial(_parse_currency, codes=words)

    def parse(cell: str) -> str:
        if cell not in words:
            raise ValueError(f"is not one of {', '.join(words)}")
        return words[cell]

    return parse


def _parse_currency(cell: str, codes: dict[str, str]) -> str:
    code = codes.get(cell) or codes.get(cell.strip().upper())
    if code is None:
        raise ValueError("is not the code of a currency (ISO 4217), such as EUR")
    return code


def _bounded_parser(parse: Callable[[str], int | Decimal], column: ColumnShape) -> Parse:
    note = column.note
    whole, places = note.numeric or (18, 2)
    ceiling = Decimal(f"1e{whole - places}")

    def parse_bounded(cell: str) -> object:
        number = parse(cell)
        if note.ge is not None and number < note.ge:
            raise ValueError(f"is less than {note.ge}")
        if note.gt is not None and number <= note.gt:
            raise ValueError(f"is not more than {note.gt}")
        if note.le is not None and number > note.le:
            raise ValueError(f"is more than {note.le}")
        if not -ceiling < number < ceiling:
            raise ValueError(f"is too large; numbers here are below {ceiling:f}")
        return number

    return parse_bounded
