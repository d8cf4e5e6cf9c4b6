"""The moments at which a state is told: the end of each bucket, and last that of the whole period.

What happened at such a moment is past it: a part tells what stands right before its end. A row's `part` is the number
of its bucket, and null for the whole.
"""

from datetime import UTC, datetime

from api.metrics.question import Question
from api.sql import Sql

_BEFORE_ALL = datetime(1, 1, 2, tzinfo=UTC)


def moments(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """The ends of the parts as an array in order, the whole's last; `asOf` cuts them all."""
    as_of, stretch = question.frame.as_of, question.frame.stretch
    if stretch.start is not None and stretch.start >= as_of:
        # Of a period that has not begun, nothing is known.
        return Sql("{}::timestamptz[]", [_BEFORE_ALL])
    ends = [min(each, as_of) for each in boundaries[1:]]
    return Sql("{}::timestamptz[]", [*ends, min(stretch.end or as_of, as_of)])


def parts_between(ends: Sql, after: Sql, until: Sql) -> Sql:
    """The places of the ends in `(after, until]`."""
    return Sql("generate_series(width_bucket({}, {}) + 1, width_bucket({}, {}))", after, ends, until, ends)


def part_and_moment(ends: Sql, place: Sql) -> Sql:
    """The columns `part` and `at`, the last instant before the part's end."""
    return Sql(
        "nullif({}, cardinality({})) as part, ({})[{}] - interval '1 microsecond' as at", place, ends, ends, place
    )
