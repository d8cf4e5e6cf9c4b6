"""Rows of stage entries: which entries into a stage count, under the switches `skip`, `reentry` and `asOf`."""

from collections.abc import Iterator, Sequence
from datetime import timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.figure_table import FigureTable
from api.metrics.journeys.journey_entries import journey_columns, picked_journeys
from api.metrics.periods.period_days import Interval
from api.metrics.population import is_person_of
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of, join
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Reentry, Skip

EVER = Interval(None, None)
# A person who skips stages enters several of them at one instant: the rank distinguishes these rows.
RANK_TIE = Sql("to_char(c.rank, 'FM000000')")


def counted_entries(request: ResolvedKpiRequest, stages: tuple[str, ...], *, more: Sequence[str] = ()) -> Sql:
    """The counted entries into stages in the period: `contact_id, at, is_implied, stage, rank, own_at, exited_at`.

    Journeys have no `exited_at`; `more` are further columns of these.
    """
    own = request.skip is not Skip.IMPLIED
    return picked_entries(request, stages, own=own, within=request.frame.interval, more=more)


def picked_entries(
    request: ResolvedKpiRequest,
    stages: tuple[str, ...],
    *,
    own: bool,
    within: Interval,
    is_joined: bool = False,
    more: Sequence[str] = (),
) -> Sql:
    """The counted entries into stages in an interval: `contact_id, at, is_implied, stage, rank, own_at, exited_at`.

    With `own`, an entry counts at the instant at which the contact's own facts satisfied the stage, and implied entries
    do not count. With `is_joined` the rows are joined to contacts that count, and whether they do is not checked again.
    Journeys have no `exited_at`; `more` are further columns of these.
    """
    at = Sql("e.counted_at") if request.reads_journeys else Sql("e.own_at") if own else Sql("e.entered_at")
    # A single stage is compared by `=`: the planner estimates it from the column's statistics.
    stage = Sql("e.stage = {}", stages[0]) if len(stages) == 1 else Sql("e.stage = any ({}::text[])", list(stages))
    conditions = [
        Sql("e.evaluation_id = {}", request.context.evaluation),
        stage,
        Sql("{} < {}", at, request.frame.until),
        *between(at, within),
    ]
    if request.reads_journeys:
        columns = Sql("{}{}{}", ranked(request), carried(request, "e"), Sql("".join(f", e.{it}" for it in more)))
        return picked_journeys(request, conditions, columns, own=own, is_joined=is_joined)
    conditions += _reentry(request, own=own)
    if not is_joined:
        conditions.append(is_person_of(request, Sql("e.contact_id")))
        conditions += request.context.reach("stage_entry", "e")
    return Sql(
        "select e.contact_id, {} as at, {} as is_implied, e.stage, {}, e.own_at, e.exited_at{}"
        " from stage_entry e where {}",
        at,
        Sql("false") if own else Sql("e.is_implied"),
        ranked(request),
        carried(request, "e"),
        all_of(conditions),
    )


def ranked(request: ResolvedKpiRequest) -> Sql:
    """The column `rank` of an entry `e`."""
    rank = request.rank("e")
    return rank if request.has_one_ladder else Sql("{} as rank", rank)


def carried(request: ResolvedKpiRequest, row: str) -> Sql:
    """The further columns of a row that the request reads, each after a comma: selects in selects hand them on.

    The version that judged the row if windows depend on it; of journeys, the values of the dimensions.
    """
    version = Sql(f", {row}.accord_version_id" if request.windows else "")
    return Sql("{}{}", version, journey_columns(request, row))


def skipped_stage(table: FigureTable, *, one: str, many: str) -> Iterator[AnswerWarning]:
    """The warning of the rows without a duration, because a stage was skipped: `1 person …` or `12 people …`."""
    if skipped := table.total.skipped:
        who = f"1 {one}" if skipped == 1 else f"{skipped:,} {many}"
        why = "so that nothing says how long it took. They are not in the value; with skip=IMPLIED they are."
        yield AnswerWarning(code=WarningCode.SKIPPED_STAGE, message=f"{who}, {why}", count=skipped)


def first_entry(request: ResolvedKpiRequest) -> Sql:
    """A query for the first entry into one of the request's stages: one look at the index per stage."""
    # `min` over all stages would read every entry; a limit per stage reads one row of the index each.
    conditions = [Sql("e.evaluation_id = {}", request.context.evaluation), Sql("e.stage = s.stage")]
    conditions += request.context.reach("stage_entry", "e")
    return Sql(
        "select min(first.at) from unnest({}::text[]) s (stage),"
        " lateral (select e.entered_at as at from stage_entry e"
        " where {} order by e.entered_at limit 1) first",
        list(request.stages),
        join(" and ", conditions),
    )


def elapsed(length: timedelta) -> Sql:
    """A duration as an SQL interval in seconds: an interval of days would depend on the session's time zone."""
    return Sql("make_interval(secs => {}::double precision)", length.total_seconds())


def between(instant: Sql, within: Interval) -> list[Sql]:
    """The conditions that an instant lies in an interval."""
    conditions = []
    if within.start is not None:
        conditions.append(Sql("{} >= {}", instant, within.start))
    if within.end is not None:
        conditions.append(Sql("{} < {}", instant, within.end))
    if within.parts:
        parts = (all_of(between(instant, Interval(start, end))) for start, end in within.parts)
        conditions.append(Sql("({})", join(" or ", parts)))
    return conditions


def _reentry(request: ResolvedKpiRequest, *, own: bool) -> list[Sql]:
    """Which of a person's entries into one stage count. Occurrences are numbered in the order of time."""
    other = Sql(
        "select from stage_entry o"
        " where o.contact_id = e.contact_id and o.evaluation_id = e.evaluation_id and o.stage = e.stage"
    )
    match request.reentry:
        case Reentry.EACH:
            return []
        case Reentry.FIRST if own:
            # The first occurrence may be an implied one, which does not count: then an earlier own one decides.
            earlier = Sql("{} and o.occurrence < e.occurrence and o.own_at is not null", other)
            return [Sql("e.occurrence = 1 or not exists ({})", earlier)]
        case Reentry.FIRST:
            return [Sql("e.occurrence = 1")]
        case Reentry.LAST:
            # The last one by `asOf`: later occurrences do not count as later.
            at = Sql("o.own_at") if own else Sql("o.entered_at")
            later = Sql("{} and o.occurrence > e.occurrence and {} < {}", other, at, request.frame.until)
            return [Sql("not exists ({})", later)]
