"""How to declare a table, and how the other layers read a declaration.

A column is declared once: `column("meaning", unit=…, vocab=…)`. The SQL comment and CHECKs, the GraphQL field with its
description, the filter operators, the fields of import presets and the sample's rows are derived from it.
`describe(table)` reads a declaration.
"""

import secrets
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import UnionType
from typing import Any, ClassVar, Union, Unpack, get_args, get_origin
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB
from sqlmodel import Field, SQLModel

from schema.access.rights import Permission
from schema.declarations import NOTE, ColumnMeaning, ColumnNote, DisjointRanges, Link
from schema.formats import Format
from schema.search.indexes import add_search_indexes
from schema.vocab import require_end_date

NAMING = {
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}

WHOLE_NUMBERS = sa.ARRAY(sa.BigInteger())
SQL_TYPES: dict[type, sa.types.TypeEngine[Any]] = {
    str: sa.Text(),
    int: sa.Integer(),
    bool: sa.Boolean(),
    Decimal: sa.Numeric(18, 2),
    datetime: sa.DateTime(timezone=True),
    date: sa.Date(),
    UUID: sa.Uuid(),
    dict: JSONB(),
    list: WHOLE_NUMBERS,
}


def new_id(at: datetime | None = None, *, randomness: int | None = None) -> UUID:
    """Make a UUIDv7: 48 bits of milliseconds since 1970 and 74 random bits.

    `at` is the instant to encode (default: now); `randomness` replaces the random bits, to make the id repeatable.
    """
    moment = time.time_ns() // 1_000_000 if at is None else int(at.timestamp() * 1000)
    noise = secrets.randbits(74) if randomness is None else randomness & ((1 << 74) - 1)
    high, low = noise >> 62, noise & ((1 << 62) - 1)
    return UUID(int=(moment & ((1 << 48) - 1)) << 80 | 0x7 << 76 | high << 64 | 0x2 << 62 | low)


def now() -> datetime:
    """Return the current instant, in UTC."""
    return datetime.now(UTC)


class Table(SQLModel):
    """The base class of every table.

    `__plural__` is the name of the list in GraphQL (default: the table's name with an s). `__is_hidden__` keeps the
    table out of GraphQL. `__permission__` is what reading the table needs. `__needs_reach_all__`: its rows are about
    all records together, such as their numbers, so that only principals with reach ALL read them.
    `__keeps_corrections__`: a row that is changed or removed is kept as it was (see `schema.corrections`).
    `__deprecation__` is the reason and last day of a deprecated table.
    """

    metadata: ClassVar[sa.MetaData] = sa.MetaData(naming_convention=NAMING)
    __plural__: ClassVar[str] = ""
    __is_hidden__: ClassVar[bool] = False
    # As `is_derived` of a link: the rows are computed from checked ones, so the columns imply no CHECK.
    __is_derived__: ClassVar[bool] = False
    __has_history__: ClassVar[bool] = False
    __keeps_corrections__: ClassVar[bool] = False
    __permission__: ClassVar[Permission] = Permission.READ
    __needs_reach_all__: ClassVar[bool] = False
    __deprecation__: ClassVar[str | None] = None
    __disjoint_ranges__: ClassVar[DisjointRanges | None] = None


def column(
    doc: str,
    *,
    json: bool = False,
    numbers: bool = False,
    primary_key: bool = False,
    index: bool = False,
    unique: bool = False,
    server_default: str | None = None,
    default: object = ...,
    **meaning: Unpack[ColumnMeaning],
) -> Any:  # noqa: ANN401 - the one permitted Any: a field's declared type is its annotation
    """Declare a column. `doc` is its SQL comment and GraphQL description.

    - `json`: an object. `numbers`: an array of whole numbers of 64 bits.
    - `unit`: what a number measures. `currency`: the column with the currency of this amount; `rate_at`: the column
      with the time whose exchange rate converts it (default: today).
    - `vocab`: the words of a text column; a CHECK and a GraphQL enum. `format`: the one spelling that imports store.
    - `ge`, `le`, `gt`: bounds, which become a CHECK. `numeric`: precision and scale, (18, 2) by default.
      `is_big`: an integer of 64 bits.
    - `hidden`: neither GraphQL nor history has the column.
    - `search`: the argument `search` of the table's lists finds the words of this column, through an index.
    - `personal`: personal data of a contact. Only principals with the right PERSONAL_DATA read it.
    - `dimension`: KPIs can be broken down and filtered by the column, see `schema.kpis.declared_dimensions`.
    - `written_by`: what alone writes the column: the name of a mutation, or of what it is computed from. No derived
      mutation takes a value for it. `changed_by`: the mutation that changes it; only a creation takes a value.
    - `begins`: the row is a fact from this instant on; if null, from `recorded_at`, or as long as the records it links
      to. `known_by`: the column with the instant from which the value is known. `before`: the value until then
      (default: null). Reads `asOf` an earlier instant use all three to leave out later knowledge.
    - `overwritten_at`: the column with the instant at which sources overwrite the value, such as a closing. Without a
      history of it, an import cannot know the value before that instant, and leaves it null there.
    - `finalized_at`: the column with the instant at which sources may give a final value, such as a closing. Where an
      import adds that instant to a known record, its value holds since then, and the former one until then. The final
      value of a new record is also the best known of the time before.
    - `server_default`: the default as an SQL expression. `default=None`: the Python value may be omitted.
    - `deprecated`: what to use instead, and the last day: "Use seniority instead, until 2027-06-30".
    """
    note = ColumnNote(doc=doc, **meaning)
    keywords: dict[str, Any] = {"comment": doc, "info": {NOTE: note}}
    if server_default is not None:
        keywords["server_default"] = sa.text(server_default)
    chosen: dict[str, Any] = {} if default is ... else {"default": default}
    if note.vocab or json or numbers:
        chosen["sa_type"] = JSONB if json else WHOLE_NUMBERS if numbers else sa.Text
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
    written_by: str | None = None,
    changed_by: str | None = None,
    overwritten_at: str | None = None,
    deprecated: str | None = None,
    default: object = ...,
) -> Any:  # noqa: ANN401 - as in column()
    """Declare a foreign key `<name>_id` to the table `target`.

    GraphQL shows it as the to-one field `<name>` of this table and, with `back`, as the to-many field `back` of the
    target. `is_derived` declares no SQL constraint: the row is computed from existing rows, so a check only costs time.
    `written_by`, `changed_by` and `overwritten_at` are as in `column`.
    """
    note = ColumnNote(
        doc=doc,
        hidden=hidden,
        target=target,
        back=back,
        back_doc=back_doc,
        written_by=written_by,
        changed_by=changed_by,
        overwritten_at=overwritten_at,
        deprecated=deprecated,
    )
    chosen: dict[str, Any] = {} if default is ... else {"default": default}
    if not is_derived:
        chosen["foreign_key"] = f"{target}.id"
    return Field(
        index=index, primary_key=primary_key, sa_column_kwargs={"comment": doc, "info": {NOTE: note}}, **chosen
    )


@dataclass(frozen=True, slots=True)
class ColumnShape:
    """The declaration of one column, as other layers read it."""

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
    """The declaration of one table, as other layers read it."""

    name: str
    type_name: str
    plural: str
    doc: str
    columns: tuple[ColumnShape, ...]
    is_hidden: bool
    has_history: bool
    permission: Permission = Permission.READ
    edit_permission: Permission | None = None
    needs_reach_all: bool = False
    keeps_corrections: bool = False
    deprecated: str | None = None
    disjoint_ranges: DisjointRanges | None = None

    @property
    def has_id(self) -> bool:
        """Whether the rows have an id. Rows without one are identified by the records they link."""
        return any(column.name == "id" for column in self.columns)

    @property
    def links(self) -> tuple[Link, ...]:
        """The links that GraphQL shows."""
        return tuple(column.link for column in self.columns if column.link and not column.note.hidden)

    @property
    def visible(self) -> tuple[ColumnShape, ...]:
        """The columns that GraphQL and history show."""
        return tuple(column for column in self.columns if not column.note.hidden)

    @property
    def searched(self) -> tuple[str, ...]:
        """The names of the columns that `search` covers."""
        return tuple(column.name for column in self.columns if column.note.search)

    def column(self, name: str) -> ColumnShape:
        """Return the column of that name; KeyError if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(f"{self.name} has no column {name}")


def describe(table: type[Table]) -> TableShape:
    """Read a table's declaration, without the columns that PostgreSQL generates."""
    require_end_date(table.__deprecation__)
    built = sql_table(table)
    return TableShape(
        name=str(built.name),  # SQLAlchemy's own kind of text is no key of a JSON object
        type_name=table.__name__,
        plural=table.__plural__ or f"{built.name}s",
        doc=(table.__doc__ or "").strip(),
        columns=tuple(_describe_column(table, column) for column in built.columns if column.computed is None),
        is_hidden=table.__is_hidden__,
        has_history=table.__has_history__,
        permission=table.__permission__,
        edit_permission=getattr(table, "__edit_permission__", None),
        needs_reach_all=table.__needs_reach_all__,
        keeps_corrections=table.__keeps_corrections__,
        deprecated=table.__deprecation__,
        disjoint_ranges=table.__disjoint_ranges__,
    )


def sql_table(table: type[Table]) -> sa.Table:
    """Return the SQLAlchemy table of a table class."""
    built = sa.inspect(table).local_table
    if not isinstance(built, sa.Table):
        raise TypeError(f"{table.__name__} is not mapped to a table")
    return built


def _describe_column(table: type[Table], built: sa.Column[Any]) -> ColumnShape:
    note = note_of(built)
    to = None
    if note.target is not None:
        to = Link(built.name.removesuffix("_id"), built.name, note.target, note.doc, note.back, note.back_doc)
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
    """Return the note of a column; TypeError if it was not declared with `column` or `link`."""
    note = built.info.get(NOTE)
    if not isinstance(note, ColumnNote):
        raise TypeError(f"{built.table.name}.{built.name} must be declared with column(…) or link(…)")
    return note


def _python_type(annotation: Any) -> type:  # noqa: ANN401 - an annotation is any object
    if get_origin(annotation) in (Union, UnionType):
        annotation = next(option for option in get_args(annotation) if option is not type(None))
    bare = get_origin(annotation) or annotation
    if not isinstance(bare, type):
        raise TypeError(f"{annotation} is not a column type")
    return bare


def declare(table: type[Table]) -> None:
    """Complete a table: set the SQL types, and add the CHECKs and indexes that its columns imply."""
    built = sql_table(table)
    built.comment = (table.__doc__ or "").strip()
    for column in list(built.columns):
        note = note_of(column)
        python = _python_type(table.model_fields[column.name].annotation)
        column.default = None
        plain = sa.Text() if note.vocab else SQL_TYPES[python]
        column.type = sa.Numeric(*note.numeric) if note.numeric else sa.BigInteger() if note.is_big else plain
        for name, condition in () if table.__is_derived__ else _checks(column, note):
            built.append_constraint(sa.CheckConstraint(condition, name=name))
    add_search_indexes(built, searched_formats(built))


def searched_formats(built: sa.Table) -> dict[str, Format | None]:
    """Return the formats of the columns with `search=True`, by the name of the column."""
    return {column.name: note_of(column).format for column in built.columns if note_of(column).search}


def _checks(built: sa.Column[Any], note: ColumnNote) -> list[tuple[str, str]]:
    """Return the names and conditions of the CHECKs that a column's note implies."""
    checks: list[tuple[str, str]] = []
    if note.vocab is not None:
        # One array, not a list of words: PostgreSQL parses the stored condition for each statement that writes to the
        # table, and that of a list of all currencies has 34,000 characters.
        words = ",".join(word.value for word in note.vocab)
        checks.append((built.name, f"{built.name} = any ('{{{words}}}'::text[])"))
    limits = ((">=", note.ge), (">", note.gt), ("<=", note.le))
    bounds = [f"{built.name} {sign} {limit}" for sign, limit in limits if limit is not None]
    if bounds:
        checks.append((f"{built.name}_bounds", " and ".join(bounds)))
    return checks
