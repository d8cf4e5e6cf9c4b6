"""The instants at which a state is read: the end of every bucket, and the end of the period.

An event at such an instant is not part of the state: a part has the state just before its end. The `part` of a row is
the number of its bucket, or null for the total.
"""

from datetime import UTC, datetime
from typing import TypeAlias

from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.sql import Sql

PartEnds: TypeAlias = tuple[datetime, ...]

_BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)


def part_ends(request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> PartEnds:
    """The ends of the parts in order, the total's last. None is after the first instant after `asOf`."""
    until, interval = request.frame.until, request.frame.interval
    if interval.start is not None and interval.start >= until:
        # A period that starts after `asOf` has no state.
        return (_BEFORE_ALL,)
    return (*(min(boundary, until) for boundary in boundaries[1:]), min(interval.end or until, until))


def parts_between(ends: PartEnds, after: Sql, until: Sql) -> Sql:
    """A source of the column `place`: the places of the ends in `(after, until]`.

    A single end is a plain condition: for every `generate_series` the planner expects a thousand rows.
    """
    if len(ends) == 1:
        return Sql("(select 1 as place where {} < {} and {} >= {})", after, ends[0], until, ends[0])
    array = _array(ends)
    return Sql("generate_series(width_bucket({}, {}) + 1, width_bucket({}, {}))", after, array, until, array)


def part_and_instant(ends: PartEnds, place: Sql) -> Sql:
    """The columns `part` and `at`, the last instant before the part's end."""
    if len(ends) == 1:
        return Sql("null::int as part, {}::timestamptz as at", ends[0] - MICROSECOND)
    return Sql(
        "nullif({}, {}::int) as part, ({})[{}] - interval '1 microsecond' as at", place, len(ends), _array(ends), place
    )


def _array(ends: PartEnds) -> Sql:
    return Sql("{}::timestamptz[]", list(ends))
