"""How a table is declared, and how every other layer reads the declaration.

A column says everything about itself once: `column("meaning", unit=…, vocab=…)`. From it come the SQL comment and
CHECKs, the GraphQL field with its description, the filter operators, the importer maps and the sample factories.
`describe(table)` is the one way to read a declaration back.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, ClassVar, Union, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from schema.search import words_of
from schema.vocab import Unit, Vocabulary, require_end_date

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

SQL_TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    str: sa.Text(),
    int: sa.Integer(),
    bool: sa.Boolean(),
    Decimal: sa.Numeric(18, 2),
    datetime: sa.DateTime(timezone=True),
    date: sa.Date(),
    UUID: sa.Uuid(),
    dict: JSONB(),
}


def new_id(at: datetime | None = None, *, randomness: int | None = None) -> UUID:
    """Make a UUIDv7: 48 bits of milliseconds since 1970, then 74 random bits (given ones make it repeatable)."""
    moment = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    noise = secrets.randbits(74) if randomness is None else randomness & ((1 << 74) - 1)
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    return UUID(int=(moment & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def now() -> datetime:
    """The present instant, in UTC."""
    return datetime.now(UTC)


class Table(SQLModel):
    """The base of every table. A table class is a declaration; rows are written by workflows and imports only."""

    metadata: ClassVar[sa.MetaData] = sa.MetaData(naming_convention=NAMING)
    __plural__: ClassVar[str] = ""
    __is_hidden__: ClassVar[bool] = False
    __has_history__: ClassVar[bool] = False
    __deprecation__: ClassVar[str | None] = None


@dataclass(frozen=True, slots=True)
class Link:
    """A foreign key seen from both ends: a to-one field here, a to-many field of the target."""

    name: str
    column: str
    target: str
    doc: str
    back: str
    back_doc: str


@dataclass(frozen=True, slots=True)
class ColumnNote:
    """What `column` and `link` leave on a column for `describe` to find."""

    doc: str
    unit: Unit | None = None
    vocab: type[Vocabulary] | None = None
    currency: str | None = None
    hidden: bool = False
    ge: int | None = None
    le: int | None = None
    gt: int | None = None
    target: str | None = None
    back: str = ""
    back_doc: str = ""
    numeric: tuple[int, int] | None = None
    search: bool = False
    begins: bool = False
    known_by: str | None = None
    before: str | None = None
    deprecated: str | None = None

    def __post_init__(self) -> None:
        require_end_date(self.deprecated)


NOTE = "accord"  # the key of a ColumnNote in a column's `info`


def column(
    doc: str,
    *,
    unit: Unit | None = None,
    vocab: type[Vocabulary] | None = None,
    currency: str | None = None,
    hidden: bool = False,
    ge: int | None = None,
    le: int | None = None,
    gt: int | None = None,
    numeric: tuple[int, int] | None = None,
    json: bool = False,
    search: bool = False,
    begins: bool = False,
    known_by: str | None = None,
    before: str | None = None,
    primary_key: bool = False,
    index: bool = False,
    unique: bool = False,
    deprecated: str | None = None,
    server_default: str | None = None,
    default: object = ...,
) -> Any:  # noqa: ANN401 - the one permitted Any: a field's declared type is its annotation
    """Declare a column: meaning, unit, bounds. A nullable column (`T | None`) defaults to null.

    `currency` names the column that holds the currency of a money amount. `hidden` keeps it out of GraphQL and history.
    `search` lets its words be found by the argument `search` of the table's lists, through an index of them.
    `begins`: the row is a fact from this instant on; an unknown one counts from when it was recorded, else as long as
    the records it is about. `known_by` names the column with the instant since when the value is true; `before` is what
    it was until then, null where nothing is said. So a question as of an earlier instant tells nothing that came later.
    `server_default` is SQL; the row factories then need no value. `deprecated` says what to use instead, and until when
    this stays: "Use seniority instead, until 2027-06-30".
    """
    note = ColumnNote(
        doc=doc,
        unit=unit,
        vocab=vocab,
        currency=currency,
        hidden=hidden,
        ge=ge,
        le=le,
        gt=gt,
        numeric=numeric,
        search=search,
        begins=begins,
        known_by=known_by,
        before=before,
        deprecated=deprecated,
    )
    keywords: dict[str, Any] = {"comment": doc, "info": {NOTE: note}}
    if server_default is not None:
        keywords["server_default"] = sa.text(server_default)
    chosen: dict[str, Any] = {} if default is ... else {"default": default}
    if vocab is not None or json:
        chosen["sa_type"] = JSONB if json else sa.Text
    return Field(primary_key=primary_key, index=index, unique=unique, sa_column_kwargs=keywords, **chosen)


def link(
    target: str,
    doc: str,
    *,
    back: str = "",
    back_doc: str = "",
    index: bool = True,
    hidden: bool = False,
    primary_key: bool = False,
    is_derived: bool = False,
    deprecated: str | None = None,
    default: object = ...,
) -> Any:  # noqa: ANN401 - as in column()
    """Declare a foreign key `<name>_id` to `target`.

    GraphQL shows it as the to-one field `<name>`, and, with `back`, as the to-many field `back` of the target.
    A link that `is_derived` from rows that are there anyway has no constraint: checking it again would only cost.
    """
    note = ColumnNote(doc=doc, hidden=hidden, target=target, back=back, back_doc=back_doc, deprecated=deprecated)
    chosen: dict[str, Any] = {} if default is ... else {"default": default}
    if not is_derived:
        chosen["foreign_key"] = f"{target}.id"
    return Field(
        index=index, primary_key=primary_key, sa_column_kwargs={"comment": doc, "info": {NOTE: note}}, **chosen
    )


class Record(Table):
    """A record with an identity of its own."""

    id: UUID = column("The record's identity (UUIDv7, made by the application).", primary_key=True, default=None)
    created_at: datetime = column("When Accord first stored the record.", server_default="now()", default=None)
    updated_at: datetime = column("When Accord last changed the record.", server_default="now()", default=None)
    row_version: int = column(
        "Counts the changes of the record; edits name the one they saw.", server_default="1", default=None, ge=1
    )


class HistoryRecord(Record):
    """A record whose every change leaves a row in its `_version` table (see `schema.history`)."""

    __has_history__: ClassVar[bool] = True

    effective_at: datetime | None = column(
        "Since when the present values are true; unknown is null. A write states it, history reads it.",
        hidden=True,
        default=None,
    )
    is_assumed: bool = column(
        "The source told no history: the present values are assumed to hold since effective_at.",
        hidden=True,
        server_default="false",
        default=None,
    )
    deleted_at: datetime | None = column(
        "When the record was deleted (softly); null while it is kept.", hidden=True, default=None
    )


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """One column as the other layers see it."""

    name: str
    python: type
    is_nullable: bool
    is_key: bool
    has_default: bool
    note: ColumnNote
    link: Link | None

    @property
    def doc(self) -> str:
        """The column's meaning."""
        return self.note.doc


@dataclass(frozen=True, slots=True)
class TableShape:
    """One table as the other layers see it: names, meaning, columns, links."""

    name: str
    type_name: str
    plural: str
    doc: str
    columns: tuple[ColumnShape, ...]
    is_hidden: bool
    has_history: bool
    deprecated: str | None = None

    @property
    def has_id(self) -> bool:
        """Whether rows of the table have an id of their own; the others are identified by the records they join."""
        return any(column.name == "id" for column in self.columns)

    @property
    def links(self) -> tuple[Link, ...]:
        """The visible links to one other record."""
        return tuple(column.link for column in self.columns if column.link and not column.note.hidden)

    @property
    def visible(self) -> tuple[ColumnShape, ...]:
        """The columns that GraphQL and history show."""
        return tuple(column for column in self.columns if not column.note.hidden)

    @property
    def searched(self) -> tuple[str, ...]:
        """The columns whose words `search` finds."""
        return tuple(column.name for column in self.columns if column.note.search)

    def column(self, name: str) -> ColumnShape:
        """The column of that name; KeyError if there is none."""
        for each in self.columns:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no column {name}")


def describe(table: type[Table]) -> TableShape:
    """Read a table's declaration."""
    require_end_date(table.__deprecation__)
    built = sql_table(table)
    return TableShape(
        name=built.name,
        type_name=table.__name__,
        plural=table.__plural__ or f"{built.name}s",
        doc=(table.__doc__ or "").strip(),
        columns=tuple(_describe_column(table, each) for each in built.columns),
        is_hidden=table.__is_hidden__,
        has_history=table.__has_history__,
        deprecated=table.__deprecation__,
    )


def sql_table(table: type[Table]) -> sa.Table:
    """The SQLAlchemy table behind a table class."""
    built = sa.inspect(table).local_table
    if not isinstance(built, sa.Table):
        raise TypeError(f"{table.__name__} is no table of its own")
    return built


def _describe_column(table: type[Table], built: sa.Column[Any]) -> ColumnShape:
    note = note_of(built)
    to = None
    if note.target is not None:
        name = built.name.removesuffix("_id")
        to = Link(
            name=name, column=built.name, target=note.target, doc=note.doc, back=note.back, back_doc=note.back_doc
        )
    return ColumnShape(
        name=built.name,
        python=_python_type(table.model_fields[built.name].annotation),
        is_nullable=bool(built.nullable),
        is_key=built.primary_key,
        has_default=built.server_default is not None,
        note=note,
        link=to,
    )


def note_of(built: sa.Column[Any]) -> ColumnNote:
    """The note that `column` or `link` left; TypeError on a column declared otherwise."""
    note = built.info.get(NOTE)
    if not isinstance(note, ColumnNote):
        raise TypeError(f"{built.table.name}.{built.name} must be declared with column(…) or link(…)")
    return note


def _python_type(annotation: Any) -> type:  # noqa: ANN401 - an annotation is any object
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(each for each in get_args(annotation) if each is not type(None))
    bare = get_origin(annotation) or annotation
    if not isinstance(bare, type):
        raise TypeError(f"{annotation} is no type of a column")
    return bare


def declare(table: type[Table]) -> None:
    """Finish a table: exact SQL types, and the CHECKs that vocabularies and bounds imply."""
    built = sql_table(table)
    built.comment = (table.__doc__ or "").strip()
    for each in _columns_in_order(built):
        note = note_of(each)
        python = _python_type(table.model_fields[each.name].annotation)
        each.default = None
        if note.numeric:
            each.type = sa.Numeric(*note.numeric)
        else:
            each.type = sa.Text() if note.vocab else SQL_TYPES[python]
        for name, condition in _checks(each, note):
            built.append_constraint(sa.CheckConstraint(condition, name=name))
    add_search(built, built)


def add_search(built: sa.Table, like: sa.Table) -> None:
    """Declare the index of the words of the columns that are searched in `like`, on a table that has them."""
    searched = [each.name for each in like.columns if note_of(each).search]
    if searched:
        sa.Index(f"ix_{built.name}_search", sa.text(words_of(searched)), postgresql_using="gin", _table=built)


def _columns_in_order(built: sa.Table) -> list[sa.Column[Any]]:
    return list(built.columns)


def _checks(built: sa.Column[Any], note: ColumnNote) -> list[tuple[str, str]]:
    """The named conditions that a column's note implies."""
    found: list[tuple[str, str]] = []
    if note.vocab is not None:
        words = ", ".join(f"'{word.value}'" for word in note.vocab)
        found.append((built.name, f"{built.name} in ({words})"))
    bounds = [
        f"{built.name} {sign} {bound}"
        for sign, bound in ((">=", note.ge), (">", note.gt), ("<=", note.le))
        if bound is not None
    ]
    if bounds:
        found.append((f"{built.name}_bounds", " and ".join(bounds)))
    return found
