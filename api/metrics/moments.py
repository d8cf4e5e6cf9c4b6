"""The moments at which a state is told: the end of each bucket, and last that of the whole period.

What happened at such a moment is past it: a part tells what stands right before its end. A row's `part` is the number
of its bucket, and null for the whole.
"""

from datetime import UTC, datetime, timedelta

from api.metrics.question import Question
from api.sql import Sql

Moments = tuple[datetime, ...]

_BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)
_MOMENT = timedelta(microseconds=1)


def moments(question: Question, boundaries: tuple[datetime, ...]) -> Moments:
    """The ends of the parts in order, the whole's last; `asOf` cuts them all."""
    as_of, stretch = question.frame.as_of, question.frame.stretch
    if stretch.start is not None and stretch.start >= as_of:
        # Of a period that has not begun, nothing is known.
        return (_BEFORE_ALL,)
    return (*(min(each, as_of) for each in boundaries[1:]), min(stretch.end or as_of, as_of))


def parts_between(ends: Moments, after: Sql, until: Sql) -> Sql:
    """A source of the column `place`: those of the ends in `(after, until]`.

    One end is a plain condition: of a series the planner expects a thousand rows for each it is made for.
    """
    if len(ends) == 1:
        return Sql("(select 1 as place where {} < {} and {} >= {})", after, ends[0], until, ends[0])
    array = _array(ends)
    return Sql("generate_series(width_bucket({}, {}) + 1, width_bucket({}, {}))", after, array, until, array)


def part_and_moment(ends: Moments, place: Sql) -> Sql:
    """The columns `part` and `at`, the last instant before the part's end."""
    if len(ends) == 1:
        return Sql("null::int as part, {}::timestamptz as at", ends[0] - _MOMENT)
    return Sql(
        "nullif({}, {}::int) as part, ({})[{}] - interval '1 microsecond' as at", place, len(ends), _array(ends), place
    )


def _array(ends: Moments) -> Sql:
    return Sql("{}::timestamptz[]", list(ends))
