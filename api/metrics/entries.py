"""The rows that questions about people count: entries into stages, and who got from one stage to another."""

from datetime import timedelta

from api.metrics.ground import never_counted
from api.metrics.periods import Stretch
from api.metrics.question import Question
from api.sql import Sql, all_of
from schema.vocab import Anchor, Reentry, Skip

EVER = Stretch(None, None)


def counted_entries(question: Question, stages: tuple[str, ...]) -> Sql:
    """Entries into stages: `contact_id, at, is_implied, stage, rank`."""
    own = question.skip is not Skip.IMPLIED
    return _picked(question, stages, own=own, within=question.frame.stretch)


def pair_rows(question: Question) -> Sql:
    """Rows of a pair of stages.

    COHORT: one row a base entry, `contact_id, at, is_implied, target_at` (when it converted, whatever the window) and
    `may_convert` (whether an entry to come could still be its conversion). PERIOD: one row an entry into either stage,
    `contact_id, at, is_implied, is_base`.
    """
    base_own, target_own = question.skip is not Skip.IMPLIED, question.skip is Skip.EXCLUDE
    within = question.frame.stretch
    base, target = question.stages
    if question.anchor is Anchor.PERIOD:
        return Sql(
            "select contact_id, at, is_implied, true as is_base from ({}) b"
            " union all select contact_id, at, is_implied, false from ({}) t",
            _picked(question, (base,), own=base_own, within=within),
            _picked(question, (target,), own=target_own, within=within),
        )
    if question.reentry is Reentry.EACH:
        return _each(
            _picked(question, (base,), own=base_own, within=EVER),
            _picked(question, (target,), own=target_own, within=EVER),
            within,
        )
    # Whose first entry into the target lies before the base, or past the window, cannot convert any more.
    may_convert = Sql("t.at is null") if question.reentry is Reentry.FIRST else Sql("true")
    return Sql(
        "select b.contact_id, b.at, b.is_implied, case when t.at >= b.at then t.at end as target_at, {} as may_convert"
        " from ({}) b left join ({}) t on t.contact_id = b.contact_id",
        may_convert,
        _picked(question, (base,), own=base_own, within=within),
        # Joined to people who count: whether they do needs no second look.
        _picked(question, (target,), own=target_own, within=EVER, is_joined=True),
    )


def _each(base: Sql, target: Sql, within: Stretch) -> Sql:
    """Every base entry, with the conversion that is its own.

    An entry into the target belongs to the last base entry at or before it: one conversion is never counted for two. So
    what comes next in the person's own order decides, and one pass over both stages sees it.
    """
    return Sql(
        "select contact_id, at, is_implied, case when is_followed then next_at end as target_at,"
        " is_followed is null as may_convert from (select contact_id, at, is_implied, is_target,"
        " lead(is_target) over way as is_followed, lead(at) over way as next_at"
        " from (select contact_id, at, is_implied, false as is_target from ({}) b"
        " union all select contact_id, at, is_implied, true from ({}) t) e"
        " window way as (partition by contact_id order by at, is_target)) e"
        " where {}",
        base,
        target,
        all_of([Sql("not is_target"), *between(Sql("at"), within)]),
    )


def converts(window: timedelta | None) -> Sql:
    """Whether the cohort row `c` converted in time; a window's last instant is part of it."""
    if window is None:
        return Sql("c.target_at is not null")
    return Sql("coalesce(c.target_at <= c.at + {}, false)", interval(window))


def interval(length: timedelta) -> Sql:
    """Elapsed time, a day being 24 hours: an interval of days would depend on the session's time zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def between(instant: Sql, within: Stretch) -> list[Sql]:
    """The conditions under which an instant lies in a stretch."""
    conditions = []
    if within.start is not None:
        conditions.append(Sql("{} >= {}", instant, within.start))
    if within.end is not None:
        conditions.append(Sql("{} < {}", instant, within.end))
    return conditions


def _picked(question: Question, stages: tuple[str, ...], *, own: bool, within: Stretch, is_joined: bool = False) -> Sql:
    """The entries into stages that the switches `skip`, `reentry` and `asOf` let count, in a stretch of time."""
    at = Sql("e.own_at") if own else Sql("e.entered_at")
    stage = Sql("e.stage = {}", stages[0]) if len(stages) == 1 else Sql("e.stage = any ({}::text[])", list(stages))
    conditions = [
        Sql("e.evaluation_id = {}", question.ground.evaluation),
        stage,
        Sql("{} < {}", at, question.frame.as_of),
        *between(at, within),
        *_reentry(question, own=own),
    ]
    if not is_joined:
        never = never_counted(question.ground.accord)
        conditions.append(Sql("not exists (select from contact x where x.id = e.contact_id and ({}))", never))
    return Sql(
        "select e.contact_id, {} as at, {} as is_implied, e.stage, e.rank, e.exited_at from stage_entry e where {}",
        at,
        Sql("false") if own else Sql("e.is_implied"),
        all_of(conditions),
    )


def _reentry(question: Question, *, own: bool) -> list[Sql]:
    """Which of a person's entries into one stage count. Occurrences are in the order of time, in either reading."""
    other = Sql(
        "select from stage_entry o"
        " where o.contact_id = e.contact_id and o.evaluation_id = e.evaluation_id and o.stage = e.stage"
    )
    match question.reentry:
        case Reentry.EACH:
            return []
        case Reentry.FIRST if own:
            earlier = Sql("{} and o.occurrence < e.occurrence and o.own_at is not null", other)
            return [Sql("e.occurrence = 1 or not exists ({})", earlier)]
        case Reentry.FIRST:
            return [Sql("e.occurrence = 1")]
        case Reentry.LAST:
            at = Sql("o.own_at") if own else Sql("o.entered_at")
            later = Sql("{} and o.occurrence > e.occurrence and {} < {}", other, at, question.frame.as_of)
            return [Sql("not exists ({})", later)]
