"""What a field of a derived type is read from; the reader of documents turns it into the planner's selection."""

from dataclasses import dataclass
from typing import Any

from api.graph.context import Info
from schema.base import Link


def from_row(source: dict[str, Any], info: Info, **_: object) -> object:
    """The answer is there already, under the key that was asked."""
    return source[str(info.path.key)]


@dataclass(frozen=True, slots=True)
class FromColumn:
    """A column of the row."""

    column: str


@dataclass(frozen=True, slots=True)
class FromMoney:
    """A money column and the currency beside it."""

    column: str


@dataclass(frozen=True, slots=True)
class FromLink:
    """The one record that a column names."""

    link: Link


@dataclass(frozen=True, slots=True)
class FromBack:
    """The rows of another table whose link names this one."""

    table: str
    link: Link


@dataclass(frozen=True, slots=True)
class FromStage:
    """The stage a contact is in."""


@dataclass(frozen=True, slots=True)
class FromTable:
    """A root field: a list of a table."""

    table: str


@dataclass(frozen=True, slots=True)
class FromId:
    """A root field: the record of a table that its argument `id` names; of any table where none is said."""

    table: str | None = None


@dataclass(frozen=True, slots=True)
class FromIds:
    """A root field: the records of any tables by its argument `ids`, in that order."""
