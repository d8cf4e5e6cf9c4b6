"""What a declaration says beyond SQL: the notes of columns, links as fields, and ranges that may not overlap."""

from dataclasses import dataclass
from typing import TypedDict

from schema.formats import Format
from schema.vocab import Unit, Vocabulary, require_end_date

NOTE = "accord"  # the key of a ColumnNote in a column's `info`


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key as two GraphQL fields: to-one `name` on this table, and to-many `back` on the target."""

    name: str
    column: str
    target: str
    doc: str
    back: str
    back_doc: str


class ColumnMeaning(TypedDict, total=False):
    """The arguments of `column` that say what the values mean; `column` explains them."""

    unit: Unit | None
    vocab: type[Vocabulary] | None
    format: Format | None
    currency: str | None
    rate_at: str | None
    hidden: bool
    ge: int | None
    le: int | None
    gt: int | None
    numeric: tuple[int, int] | None
    search: bool
    personal: bool
    is_big: bool
    dimension: bool
    written_by: str | None
    changed_by: str | None
    begins: bool
    known_by: str | None
    before: str | None
    overwritten_at: str | None
    finalized_at: str | None
    deprecated: str | None


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """The arguments of `column` and `link`, kept on the SQLAlchemy column for `describe`."""

    doc: str
    unit: Unit | None = None
    vocab: type[Vocabulary] | None = None
    format: Format | None = None
    currency: str | None = None
    rate_at: str | None = None
    hidden: bool = False
    ge: int | None = None
    le: int | None = None
    gt: int | None = None
    target: str | None = None
    back: str = ""
    back_doc: str = ""
    numeric: tuple[int, int] | None = None
    search: bool = False
    personal: bool = False
    is_big: bool = False
    dimension: bool = False
    written_by: str | None = None
    changed_by: str | None = None
    begins: bool = False
    known_by: str | None = None
    before: str | None = None
    overwritten_at: str | None = None
    finalized_at: str | None = None
    deprecated: str | None = None

    def __post_init__(self) -> None:
        require_end_date(self.deprecated)


@dataclass(frozen=True, slots=True)
class DisjointRanges:
    """A rule of a table: the ranges from `start` to before `end` of rows that are equal in `same` do not overlap.

    The intake checks it (`api/intake/constraint_violations.py`). PostgreSQL could only with an extension (btree_gist).
    """

    same: tuple[str, ...]
    start: str
    end: str
