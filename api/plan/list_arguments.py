"""The arguments of a list as a frozen tree: filter, order, page; and grouping keys, group filter and group order.

Columns are named as in the tables. A value is a constant, or a `Parameter` that every execution of the statement binds.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Literal
from uuid import UUID

from api.access.evaluation import CURRENT, RequestedReading
from api.sql import Parameter
from schema.vocab import Grain

Operator = Literal["eq", "in", "lt", "lte", "gt", "gte", "isNull", "contains", "startsWith"]
Quantifier = Literal["some", "none", "every"]
Scalar = str | int | bool | Decimal | datetime | date | UUID | Parameter
Operand = Scalar | tuple[Scalar, ...]


# -------------------------------------------------------------------------------------------------------- filters


@dataclass(frozen=True, slots=True)
class Comparison:
    """A comparison of one column with a value. A null column satisfies only `isNull`.

    The operand of `in` is a tuple, of `isNull` a boolean, of every other operator one value.
    """

    column: str
    operator: Operator
    value: Operand


@dataclass(frozen=True, slots=True)
class Conjunction:
    """True if all parts are true; true without parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Disjunction:
    """True if at least one part is true; false without parts."""

    parts: "tuple[Condition, ...]"


@dataclass(frozen=True, slots=True)
class Negation:
    """True if the part is false or null. So it matches rows with a null in the column that the part compares."""

    part: "Condition"


@dataclass(frozen=True, slots=True)
class ToOneCondition:
    """True if the record that the foreign key `column` names is visible and satisfies the part."""

    column: str
    part: "Condition"


@dataclass(frozen=True, slots=True)
class ToManyCondition:
    """True if some, none or every row of `table` whose foreign key `column` names this record satisfies the part.

    Only visible rows count. With no visible rows, `none` and `every` are true.
    """

    table: str
    column: str
    quantifier: Quantifier
    part: "Condition"


@dataclass(frozen=True, slots=True)
class IsCountedCondition:
    """A comparison of whether KPIs can count a contact, company or deal; operands as in `Comparison`."""

    operator: Operator
    value: Operand


STAGE_GROUP = "group"  # the group of the present stage, compared like a column of its stage entry


@dataclass(frozen=True, slots=True)
class PresentStageCondition:
    """True if the contact is in a stage, and the open stage entry of highest rank satisfies all comparisons.

    They compare columns of `stage_entry`, or `STAGE_GROUP`.
    """

    comparisons: tuple[Comparison, ...] = ()


@dataclass(frozen=True, slots=True)
class ListAggregateCondition:
    """True if an aggregate of a list satisfies all tests: operators with their operands, as in `Comparison`."""

    aggregate: "ListAggregate"
    tests: tuple[tuple[Operator, Operand], ...]


@dataclass(frozen=True, slots=True)
class ConvertedComparison:
    """A comparison of a money column in the reporting currency with a value; operands as in `Comparison`."""

    column: str
    operator: Operator
    value: Operand


Condition = (
    Comparison
    | Conjunction
    | Disjunction
    | Negation
    | ToOneCondition
    | ToManyCondition
    | PresentStageCondition
    | IsCountedCondition
    | ListAggregateCondition
    | ConvertedComparison
)

# ------------------------------------------------------------------------------------------------ computed values


@dataclass(frozen=True, slots=True)
class PresentStageColumn:
    """A column of the open stage entry of highest rank of a contact."""

    column: str


@dataclass(frozen=True, slots=True)
class ListAggregate:
    """An aggregate of the rows of `table` whose foreign key `column` names a record.

    Only visible rows that satisfy `where` count. Without such rows the count is 0, and every other aggregate is null.
    """

    table: str
    column: str
    call: "AggregateCall"
    where: Condition | None = None


@dataclass(frozen=True, slots=True)
class ConvertedAmount:
    """A money column of a table, converted to the reporting currency; null if there is no rate."""

    table: str
    column: str


@dataclass(frozen=True, slots=True)
class VocabularyPosition:
    """The position of a column's word in its vocabulary, from 1: the order in which the words are declared."""

    table: str
    column: str


# A value of a row that is not one of its columns, to sort by.
ComputedValue = PresentStageColumn | ListAggregate | ConvertedAmount | VocabularyPosition


# ---------------------------------------------------------------------------------------------- order and page


class SortDirection(StrEnum):
    """The direction of a sort and the position of nulls; nulls are last by default, in both directions."""

    ASC = "ASC"
    DESC = "DESC"
    ASC_NULLS_FIRST = "ASC_NULLS_FIRST"
    DESC_NULLS_FIRST = "DESC_NULLS_FIRST"


@dataclass(frozen=True, slots=True)
class OrderTerm:
    """A column or computed value to sort by. With `links`, one of the record that these foreign keys lead to."""

    by: str | ComputedValue
    direction: SortDirection
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """The page of a list: of the rows that match `where` and `search`, sorted, between two cursors, the first `size`.

    `is_from_end` takes the last `size` rows instead. `search` is a list of lower-case words; every one has to begin
    some word in a row's searched columns. `with_merged`: with the rows that were merged into another one. `reading` is
    that of a list of stage entries.
    """

    size: int
    after: str | None = None
    where: Condition | None = None
    order: tuple[OrderTerm, ...] = ()
    before: str | None = None
    is_from_end: bool = False
    search: tuple[str, ...] | Parameter | None = None
    with_merged: bool = False
    reading: RequestedReading = CURRENT


def page_of_ids(ids: Collection[UUID], *, with_merged: bool) -> Page:
    """Return the page of the rows with these ids.

    The size is part of a statement's text: one for every number of ids would fill each connection with statements that
    are prepared once and never run again. So it is rounded up to a power of two.
    """
    size = 1 << max(0, len(ids) - 1).bit_length()
    return Page(size, where=Comparison("id", "in", tuple(ids)), with_merged=with_merged)


# --------------------------------------------------------------------------------------------------------- groups

AggregateFunction = Literal["count", "countDistinct", "sum", "avg", "min", "max"]


@dataclass(frozen=True, slots=True)
class AggregateCall:
    """An aggregate over many rows: a function of one column; without a column, the number of rows.

    With `is_converted`, of the amounts of a money column that can be converted to the reporting currency.
    """

    function: AggregateFunction
    column: str | None = None
    is_converted: bool = False


# The grouping key of the present stage of contacts. Not a name that a column can have.
PRESENT_STAGE_KEY = "stage()"


@dataclass(frozen=True, slots=True)
class GroupingKey:
    """A column to group by, or `PRESENT_STAGE_KEY`.

    With a `grain`, the instants or dates of the column are grouped by the first day of their bucket.
    """

    column: str
    grain: Grain | None = None


@dataclass(frozen=True, slots=True)
class GroupComparison:
    """A comparison of an aggregate of a group with a value; operands as in `Comparison`."""

    call: AggregateCall
    operator: Operator
    value: Operand


@dataclass(frozen=True, slots=True)
class Having:
    """A filter of groups. True if all comparisons and all of `all_of` are true, one of `any_of` is (unless it is None),
    and `negated` is not.
    """

    comparisons: tuple[GroupComparison, ...] = ()
    all_of: "tuple[Having, ...]" = ()
    any_of: "tuple[Having, ...] | None" = None
    negated: "Having | None" = None


@dataclass(frozen=True, slots=True)
class GroupOrderTerm:
    """An aggregate or a grouping key to sort groups by."""

    by: AggregateCall | GroupingKey
    direction: SortDirection
