"""What is asked of the records, as a small frozen tree: no SQL, no GraphQL.

Each part has the `key` under which the answer has it. Fragments, variables, aliases and directives are resolved before;
two parts of one object never have the same key.
"""

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from api.sql import Slot
from schema.vocab import Grain

Operator = Literal["eq", "in", "lt", "lte", "gt", "gte", "isNull", "contains", "startsWith"]
Quantifier = Literal["some", "none", "every"]
# What a condition compares with; a slot where each run of the statement brings its own.
Scalar = str | int | bool | Decimal | datetime | date | UUID | Slot


@dataclass(frozen=True, slots=True)
class Comparison:
    """A test of one column. `in` takes a tuple, `isNull` a boolean, every other operator one value."""

    column: str
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Every:
    """True when all parts are; true for none."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Some:
    """True when at least one part is; not true for none."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Without:
    """True when the part is not true: a comparison with an empty value is not true, so its row is here."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class Linked:
    """True when the record that the column names may be seen, and the part is true of it."""

    column: str
    part: "Condition"


@dataclass(frozen=True, slots=True)
class Listed:
    """True when the part is true of some, none or every of the rows of `table` whose `column` names this record.

    Only rows that may be seen count: of nobody, `none` and `every` are true.
    """

    table: str
    column: str
    quantifier: Quantifier
    part: "Condition"


Condition = Comparison | Every | Some | Without | Linked | Listed


class SortDirection(StrEnum):
    """Which way a list is sorted, and where its empty values are: last, unless said otherwise."""

    ASC = "ASC"
    DESC = "DESC"
    ASC_NULLS_FIRST = "ASC_NULLS_FIRST"
    DESC_NULLS_FIRST = "DESC_NULLS_FIRST"


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """One column to sort by: of the row, or of the record that a way of links, each by its column, leads to."""

    column: str
    direction: SortDirection
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """Which rows of a list: those that match, sorted, between two cursors; of these the first so many, or the last.

    Of a list that is searched, each of the words begins some word of a row's names and addresses.
    """

    size: int
    after: str | None = None
    where: Condition | None = None
    order: tuple[OrderTerm, ...] = ()
    before: str | None = None
    is_last: bool = False
    search: tuple[str, ...] | Slot | None = None


@dataclass(frozen=True, slots=True)
class Typename:
    """The name of the GraphQL type, the same for each row."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Value:
    """The value of a column."""

    key: str
    column: str


@dataclass(frozen=True, slots=True)
class Member:
    """One named part of an object that is no record: of money, a stage, a page."""

    key: str
    name: str


@dataclass(frozen=True, slots=True)
class Amount:
    """A money column with its currency: `amount`, `currency`."""

    key: str
    column: str
    parts: "tuple[Member | Typename, ...]"


@dataclass(frozen=True, slots=True)
class PresentStage:
    """The stage a contact is in: `key`, `title`, `since`, `occurrence`."""

    key: str
    parts: "tuple[Member | Typename, ...]"


@dataclass(frozen=True, slots=True)
class ToOne:
    """The record that a foreign key names, or null."""

    key: str
    column: str
    table: str
    fields: "tuple[Field, ...]"


@dataclass(frozen=True, slots=True)
class ToMany:
    """The records whose foreign key `column` names this one."""

    key: str
    column: str
    connection: "Connection"


Field = Typename | Value | Amount | PresentStage | ToOne | ToMany


@dataclass(frozen=True, slots=True)
class TotalCount:
    """How many rows match, on all pages together."""

    key: str


@dataclass(frozen=True, slots=True)
class Nodes:
    """The rows of the page."""

    key: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The opaque place of a row in its list."""

    key: str


@dataclass(frozen=True, slots=True)
class Edges:
    """The rows of the page, each with its cursor."""

    key: str
    parts: "tuple[Cursor | Nodes | Typename, ...]"


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Where the page lies: `hasNextPage`, `hasPreviousPage`, `startCursor`, `endCursor`."""

    key: str
    parts: tuple[Member | Typename, ...]


Function = Literal["count", "countDistinct", "sum", "avg", "min", "max"]


@dataclass(frozen=True, slots=True)
class Figure:
    """What is computed of many rows: their number, or a function of one column."""

    function: Function
    column: str | None = None


@dataclass(frozen=True, slots=True)
class FigureValue:
    """A figure. `parts` are those of the amounts that a figure of money has, one for each currency."""

    key: str
    figure: Figure
    parts: tuple[Member | Typename, ...] = ()


@dataclass(frozen=True, slots=True)
class Figures:
    """The figures of one function, by column."""

    key: str
    parts: tuple[FigureValue | Typename, ...]


@dataclass(frozen=True, slots=True)
class Aggregate:
    """The figures of all rows that match, on all pages together, or of those of a group."""

    key: str
    parts: tuple[FigureValue | Figures | Typename, ...]


@dataclass(frozen=True, slots=True)
class GroupKey:
    """A column whose values tell groups apart; of instants and days, the first day of the bucket they are in."""

    column: str
    grain: Grain | None = None


@dataclass(frozen=True, slots=True)
class GroupTest:
    """A test of a figure of a group, as `Comparison`."""

    figure: Figure
    operator: Operator
    value: Scalar | tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Having:
    """Which groups: all tests hold, all of `every`, one of `some` where it is said, and `without` does not hold."""

    tests: tuple[GroupTest, ...] = ()
    every: "tuple[Having, ...]" = ()
    some: "tuple[Having, ...] | None" = None
    without: "Having | None" = None


@dataclass(frozen=True, slots=True)
class GroupTerm:
    """A figure or a key to sort groups by."""

    by: Figure | GroupKey
    direction: SortDirection


@dataclass(frozen=True, slots=True)
class KeyValues:
    """What a group's rows have in common, by column; null where the groups are not told apart by it."""

    key: str
    parts: tuple[Value | ToOne | Typename, ...]


@dataclass(frozen=True, slots=True)
class Groups:
    """The rows that match, on all pages together, in groups: sorted, the first so many."""

    key: str
    keys: tuple[GroupKey, ...]
    parts: tuple[FigureValue | KeyValues | Aggregate | Typename, ...]
    size: int
    having: Having = Having()
    order: tuple[GroupTerm, ...] = ()


@dataclass(frozen=True, slots=True)
class Connection:
    """One page of a table, and what is told of all its rows."""

    table: str
    page: Page
    parts: tuple[TotalCount | Nodes | Edges | PageInfo | Aggregate | Groups | Typename, ...]


@dataclass(frozen=True, slots=True)
class OneRecord:
    """One record by its id."""

    table: str
    id: UUID | Slot
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class ManyRecords:
    """Records by their ids, of several tables, in that order: null for one that is not there.

    `ids` has table and id of each; `fields` what is asked of those of one table.
    """

    ids: tuple[tuple[str, UUID], ...]
    fields: tuple[tuple[str, tuple[Field, ...]], ...]


@dataclass(frozen=True, slots=True)
class Root:
    """A root field of a document, under its key; as of an instant, all that is in it is as it was then."""

    key: str
    asked: OneRecord | ManyRecords | Connection | Typename
    as_of: datetime | Slot | None = None
