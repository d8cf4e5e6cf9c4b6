"""Suggests the column that identifies the rows: one that is an identity by its name, never one that merely differs.

A date, an amount, a score or a name may differ in every row that was read and still be the same for the next two
people. So a column is a key only if it is an identity by name or nature (Id, Record ID, an e-mail address), and if its
values can be one. Everything else is a question to the user.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from api.importers.cell_values import ROUNDED_NUMBER
from api.importers.date_formats import date_notation

_EXACT_DIGITS = 15  # a spreadsheet keeps so many digits of a number, and writes zeros for the others
_ROUNDED = re.compile(ROUNDED_NUMBER)
_LONG_NUMBER = re.compile(rf"[0-9]{{{_EXACT_DIGITS + 1},}}")
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_FRACTION = re.compile(r"[+-]?([0-9]{1,3}([ .,'\u00a0\u202f\u2019][0-9]{3})+|[0-9]+)?[.,][0-9]{1,4}")
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[^\W\d_A-Z]+|[0-9]+")
_IDENTITIES = frozenset({"id", "ids", "uuid", "guid", "vid", "gid"})
_LONGEST_KEY = 80  # characters; a longer value is free text
_FEWEST_ADDRESSES = 0.9  # the share of values that are addresses, in a column of e-mail addresses
# The first word of `Company ID` in a file of contacts: it identifies the company.
_OTHER_RECORDS: Mapping[str, frozenset[str]] = {
    "company": frozenset({"company", "account", "organization", "organisation", "org", "employer"}),
    "deal": frozenset({"deal", "opportunity"}),
    "contact": frozenset({"contact", "lead", "person", "customer", "member"}),
    "": frozenset(
        {"owner", "user", "campaign", "parent", "manager", "team", "product", "pipeline", "stage", "role", "page"}
        | {"form", "list", "group", "currency", "country", "region", "type", "status", "category", "source", "price"}
    ),
}


class KeyCandidate(Protocol):
    """What is known of a column of the sample."""

    @property
    def name(self) -> str:
        """The header."""

    @property
    def values(self) -> Counter[str]:
        """The first distinct values, without empty cells."""

    @property
    def filled(self) -> int:
        """How many cells are not empty."""

    @property
    def rows(self) -> int:
        """How many rows were read."""

    @property
    def is_unique(self) -> bool:
        """Whether no value stands twice."""


Candidate = TypeVar("Candidate", bound=KeyCandidate)


@dataclass(slots=True)
class AddressSpellings:
    """How often an e-mail address stands in a column: capitals and blanks are no part of it."""

    repeated: int = 0
    example: str = ""
    _seen: set[int] = field(default_factory=set)

    def add(self, text: str) -> None:
        """Take a value of the column into account."""
        spelling = hash(text.strip().casefold())
        if spelling in self._seen:
            self.repeated += 1
            self.example = self.example or text
        self._seen.add(spelling)


def is_identity(name: str, table: str) -> bool:
    """Whether a header says that its column identifies the rows of a table: `id`, `mql_id`, `LeadId`; not `Paid`."""
    words = [word.casefold() for word in _WORD.findall(name)]
    if not words or words[-1] not in _IDENTITIES:
        return False
    others = frozenset().union(*(names for other, names in _OTHER_RECORDS.items() if other != table))
    return not others & set(words[:-1])


def is_address_column(column: KeyCandidate) -> bool:
    """Whether nearly all values of a column are e-mail addresses, and most rows have one."""
    found = sum(bool(_ADDRESS.fullmatch(value)) for value in column.values)
    return column.filled * 2 > column.rows and found >= _FEWEST_ADDRESSES * len(column.values) > 0


def why_no_key(values: Iterable[str]) -> str | None:
    """The reason for which values cannot identify anything, to complete "its values are …"; None if they can.

    One odd value is no reason, unless a spreadsheet has rounded it: other ids were rounded then too.
    """
    found = list(values)
    if rounded := next((value for value in found if _ROUNDED.fullmatch(value)), None):
        return f"numbers that a spreadsheet rounded, such as {rounded}: export the file again, with the column as text"
    long = [value for value in found if _LONG_NUMBER.fullmatch(value)]
    if len(long) > 1 and all(set(value[_EXACT_DIGITS:]) == {"0"} for value in long):
        reason = f"numbers of which a spreadsheet kept {_EXACT_DIGITS} digits, such as {long[0]}"
        return f"{reason}: export the file again, with the column as text"
    half = len(found) / 2
    if sum(_is_date(value) for value in found) > half:
        return "dates"
    if sum(bool(_FRACTION.fullmatch(value)) for value in found) > half:
        return "amounts"
    if sum(len(value) > _LONGEST_KEY for value in found) > half:
        return "long texts"
    return None


def identity_column(columns: Iterable[Candidate]) -> Candidate | None:
    """The first of the columns whose values identify the rows of the sample: never empty, never twice the same."""
    return next((column for column in columns if _is_distinct(column) and why_no_key(column.values) is None), None)


def doubtful_keys(columns: Iterable[Candidate], table: str) -> Iterator[tuple[Candidate, str]]:
    """Yield the columns that seem to identify the rows of the sample, and the reason for which they are not taken."""
    for column in columns:
        reason = why_no_key(column.values)
        if is_identity(column.name, table) and reason is not None:
            yield column, f"its values are {reason}"
        elif _is_distinct(column):
            nature = "nothing shows that it identifies anything" if reason is None else f"its values are {reason}"
            yield column, f"it differs in all rows, but {nature}"


def _is_distinct(column: KeyCandidate) -> bool:
    return column.is_unique and column.filled == column.rows > 0


def _is_date(value: str) -> bool:
    # Eight digits alone may be a date or a number: an id of eight digits is common.
    return not value.isdecimal() and date_notation(value) is not None
