"""The rows that questions about deals on their way count: openings, and what stood open at an instant.

Deals whose opening is unknown stand in no period. They come along, told apart by `is_unopened`, to be told with the
answer; their `at` is the instant of asking.
"""

from datetime import datetime, timedelta

from api.metrics.closings import BEGINS, countable
from api.metrics.entries import between
from api.metrics.periods import pairs
from api.metrics.question import Question
from api.sql import Sql, all_of

_MOMENT = timedelta(microseconds=1)
_HOLDS = f"{BEGINS} <= {{0}} and (h.valid_to is null or h.valid_to > {{0}})"


def opening_rows(question: Question, *, has_amounts: bool) -> Sql:
    """One row a deal opened in the period, `deal_id, at, updated_at, is_unopened`, and if asked `amount, currency`.

    The amount is that of the deal's version at the opening, or of its first one where its history begins later.
    """
    amounts, none, at_opening = Sql(""), Sql(""), Sql("")
    if has_amounts:
        amounts, none = Sql(", a.amount, a.currency"), Sql(", null::numeric, null::text")
        at_opening = Sql(
            " left join lateral (select h.amount, h.currency from deal_version h where h.deal_id = d.id"
            f" and (h.valid_to is null or h.valid_to > greatest(d.opened_at, {BEGINS}))"
            f" order by {BEGINS}, h.id limit 1) a on true"
        )
    opened = [Sql("d.opened_at < {}", question.frame.as_of), *between(Sql("d.opened_at"), question.frame.stretch)]
    return Sql(
        "select d.id as deal_id, d.opened_at as at, d.updated_at, false as is_unopened{} from deal d{} where {}"
        " union all select d.id, {}::timestamptz, d.updated_at, true{} from deal d where {}",
        amounts,
        at_opening,
        all_of([*opened, *countable(question)]),
        question.frame.as_of,
        none,
        all_of([Sql("d.opened_at is null"), *countable(question)]),
    )


def standing_rows(question: Question, boundaries: tuple[datetime, ...]) -> Sql:
    """One row a deal and instant at which it stood open, as its history has it.

    `deal_id, at, amount, currency, chance, updated_at, is_standing, is_unopened`. The instants are the last before each
    bucket's end, or before the end of the period where there are no buckets: so that each lies in its bucket, and what
    changed at the end itself is not seen yet. Deals that are `is_unopened` and not `is_standing` were in no history yet
    at the last of the instants: nobody knows whether they were open.
    """
    instants = snapshots(question, boundaries)
    last, counting = instants[-1], all_of(countable(question))
    if len(instants) == 1:
        at, held = Sql("{}::timestamptz as at", last), Sql(_HOLDS.format("{}"), last, last)
        source = Sql("deal_version h")
    else:
        # Each version is put into the instants at which it held, in one pass over the history.
        given, step = Sql("{}::timestamptz[]", list(instants)), Sql("interval '1 microsecond'")
        source = Sql(
            f"(select h.*, generate_series(width_bucket({BEGINS} - {{}}, {{}}) + 1,"
            " coalesce(width_bucket(h.valid_to - {}, {}), {}::int)) as place from deal_version h"
            " where h.outcome = 'OPEN') h",
            *(step, given, step, given, len(instants)),
        )
        at, held = Sql("({})[h.place] as at", given), Sql("true")
    return Sql(
        "select h.deal_id, {}, h.amount, h.currency, coalesce(h.probability, s.probability) as chance, d.updated_at,"
        " true as is_standing, d.opened_at is null as is_unopened from {} join deal d on d.id = h.deal_id"
        " left join pipeline_stage s on s.id = h.pipeline_stage_id where h.outcome = 'OPEN' and {} and {}"
        " union all select d.id, {}::timestamptz, null, null, null, d.updated_at, false, true from deal d"
        " where d.opened_at is null and {} and not exists (select from deal_version h where h.deal_id = d.id and "
        + BEGINS
        + " <= {})",
        *(at, source, held, counting, last, counting, last),
    )


def snapshots(question: Question, boundaries: tuple[datetime, ...]) -> tuple[datetime, ...]:
    """The instants looked at, in order: the last one within each bucket, or within the period."""
    as_of = question.frame.as_of
    ends = [end for _, end in pairs(boundaries)] or [question.frame.stretch.end or as_of]
    return tuple(min(end, as_of) - _MOMENT for end in ends)
