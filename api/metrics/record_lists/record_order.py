"""The order of a list of counted records, and the positions in it that cursors carry."""

import base64
import binascii
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from itertools import groupby
from uuid import UUID

import orjson

from api.errors import AccordError, ErrorCode
from api.metrics.answer import ContactPressure
from api.plan.json_objects import require_cursor_length
from api.plan.list_arguments import SortDirection
from api.sql import Sql, join, name

_DESCENDING = (SortDirection.DESC, SortDirection.DESC_NULLS_FIRST)
_NULLS_FIRST = (SortDirection.ASC_NULLS_FIRST, SortDirection.DESC_NULLS_FIRST)
SortValue = datetime | Decimal | int | None


class RecordSort(Enum):
    """What a list of counted records can be sorted by: the columns of its rows."""

    AT = "at"
    VALUE = "value"
    TOUCHES = "touches"
    FIRST_TOUCH_AT = "first_touch_at"
    LAST_TOUCH_AT = "last_touch_at"

    @property
    def is_of_pressure(self) -> bool:
        """Whether it is a value of `contactPressure`, which is null for people who were never over the policy."""
        return self not in (RecordSort.AT, RecordSort.VALUE)


# The type of each nullable column, and a value that stands for null.
_KINDS = {
    RecordSort.VALUE: ("numeric", "0"),
    RecordSort.TOUCHES: ("bigint", "0"),
    RecordSort.FIRST_TOUCH_AT: ("timestamptz", "'epoch'::timestamptz"),
    RecordSort.LAST_TOUCH_AT: ("timestamptz", "'epoch'::timestamptz"),
}


@dataclass(frozen=True, slots=True)
class _Part:
    """One expression of the order, never null, and the value that a cursor has for it."""

    expression: Sql
    is_descending: bool
    position: Sql


@dataclass(frozen=True, slots=True)
class RecordOrder:
    """The terms of an order, most significant first. Records equal in all terms are sorted by instant, id and tie.

    Those take the direction of the last term, so that the opposite terms give the opposite order.
    """

    terms: tuple[tuple[RecordSort, SortDirection], ...] = ()

    @classmethod
    def of(cls, terms: Iterable[tuple[RecordSort, SortDirection]]) -> "RecordOrder":
        """Return the order of these terms. Equal orders have equal terms, so that their cursors are the same.

        A value that is given twice sorts where it is given first. A last term that repeats the default is left out.
        """
        first: dict[RecordSort, SortDirection] = {}
        for sort, direction in terms:
            first.setdefault(sort, direction)
        if RecordSort.AT in first:  # never null
            is_descending = _is_descending(first[RecordSort.AT])
            first[RecordSort.AT] = SortDirection.DESC if is_descending else SortDirection.ASC
            *before, last = first.items()
            default = _is_descending(before[-1][1]) if before else False
            if last[0] is RecordSort.AT and is_descending is default:
                del first[RecordSort.AT]
        return cls(tuple(first.items()))

    @property
    def needs_pressure(self) -> bool:
        """Whether a term sorts by contact pressure."""
        return any(sort.is_of_pressure for sort, _ in self.terms)

    @property
    def sql(self) -> Sql:
        """The expressions of the `order by` clause, over the rows `r`."""
        return self._sorted(is_reversed=False)

    @property
    def reversed_sql(self) -> Sql:
        """The same for the opposite order."""
        return self._sorted(is_reversed=True)

    def beyond(self, argument: str, cursor: str) -> Sql:
        """The condition that a row `r` lies after the cursor (argument `after`) or before it (`before`).

        Errors: BAD_INPUT for a text that is not a cursor of a list in this order.
        """
        require_cursor_length(cursor, argument)
        try:
            label, values, at, record_id, tie = orjson.loads(base64.b64decode(cursor, validate=True))
            if label == self.label and isinstance(tie, str) and "\0" not in tie:
                given = [_sort_value(sort, value) for (sort, _), value in zip(self.terms, values, strict=True)]
                parts = self._parts(given, _instant(at), UUID(record_id), tie)
                return _beyond(list(parts), is_after=argument == "after")
        except (binascii.Error, ValueError, TypeError, AttributeError, ArithmeticError):
            pass  # whatever is wrong with it, the error below reports it
        end = "endCursor" if argument == "after" else "startCursor"
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"`{argument}` is not a cursor of a list of counted records in this order.",
            f"Take it from `pageInfo.{end}` or an edge's `cursor` of the same list with the same `orderBy`.",
        )

    @property
    def label(self) -> str:
        """A text that distinguishes the order from others, for cursors."""
        return ", ".join(f"{sort.value} {direction.value}" for sort, direction in self.terms)

    def _sorted(self, *, is_reversed: bool) -> Sql:
        parts = self._parts([None] * len(self.terms), None, None, "")
        return join(
            ", ",
            (Sql("{} desc" if part.is_descending is not is_reversed else "{}", part.expression) for part in parts),
        )

    def _parts(
        self, values: Iterable[SortValue], at: datetime | None, record_id: UUID | None, tie: str
    ) -> Iterator[_Part]:
        is_descending = False
        for (sort, direction), value in zip(self.terms, values, strict=True):
            is_descending = _is_descending(direction)
            if sort is RecordSort.AT:
                yield _Part(Sql("r.at"), is_descending, Sql("{}::timestamptz", at))
                continue
            column = Sql("r.{}", name(sort.value))
            # Nulls are sorted by an expression of their own, so that rows compare by values that are never null.
            yield _Part(Sql("({} is null)", column), direction in _NULLS_FIRST, Sql("{}::boolean", value is None))
            kind, least = _KINDS[sort]
            known = f"coalesce({{}}, {least})"
            yield _Part(Sql(known, column), is_descending, Sql(known, Sql(f"{{}}::{kind}", value)))
        if all(sort is not RecordSort.AT for sort, _ in self.terms):
            yield _Part(Sql("r.at"), is_descending, Sql("{}::timestamptz", at))
        yield _Part(Sql("r.id"), is_descending, Sql("{}::uuid", record_id))
        # Compared by bytes: a text's order otherwise depends on the database's collation, and cursors would not.
        yield _Part(Sql('r.tie collate "C"'), is_descending, Sql("{}::text", tie))


DEFAULT_ORDER = RecordOrder()


@dataclass(frozen=True, slots=True)
class CountedRecord:
    """One counted record, and its position in a list of that order."""

    id: UUID
    at: datetime
    tie: str
    value: Decimal | None = None  # what it gives to the number, in its unit; null for an amount that is kept apart
    pressure: ContactPressure | None = None
    order: RecordOrder = DEFAULT_ORDER

    @property
    def cursor(self) -> str:
        """The opaque cursor of its position."""
        values = [
            str(value) if isinstance(value := self._value(sort), Decimal) else value for sort, _ in self.order.terms
        ]
        position = [self.order.label, values, self.at, str(self.id), self.tie]
        return base64.b64encode(orjson.dumps(position)).decode()

    def _value(self, sort: RecordSort) -> SortValue:
        if sort is RecordSort.AT:
            return self.at
        if sort is RecordSort.VALUE:
            return self.value
        found: SortValue = None if self.pressure is None else getattr(self.pressure, sort.value)
        return found


def _beyond(parts: list[_Part], *, is_after: bool) -> Sql:
    """The condition that a row lies beyond a position. Neighbours of one direction are compared as one row value."""
    condition: Sql | None = None
    runs = [list(run) for _, run in groupby(parts, key=lambda part: part.is_descending)]
    for run in reversed(runs):
        row = Sql("({})", join(", ", (part.expression for part in run)))
        position = Sql("({})", join(", ", (part.position for part in run)))
        further = Sql(f"{{}} {'>' if is_after is not run[0].is_descending else '<'} {{}}", row, position)
        if condition is not None:
            further = Sql("({} or ({} = {} and {}))", further, row, position, condition)
        condition = further
    if condition is None:
        raise ValueError("an order has at least one part")
    return condition


def _is_descending(direction: SortDirection) -> bool:
    return direction in _DESCENDING


def _sort_value(sort: RecordSort, value: object) -> SortValue:
    """Return the value of a cursor for a term. Errors: ValueError, TypeError for a value of another type."""
    if value is None and sort is not RecordSort.AT:
        return None
    if sort is RecordSort.VALUE:
        return _decimal(value)
    if sort is not RecordSort.TOUCHES:
        return _instant(value)
    if not isinstance(value, int) or not 0 <= value < 2**31:
        raise TypeError(f"{value} is not a number of touches")
    return value


def _decimal(value: object) -> Decimal:
    if isinstance(value, str) and (number := Decimal(value)).is_finite():
        return number
    raise TypeError(f"{value} is not a decimal")


def _instant(value: object) -> datetime:
    if isinstance(value, str) and (moment := datetime.fromisoformat(value)).tzinfo is not None:
        return moment.astimezone(UTC)
    raise TypeError(f"{value} is not an instant")
