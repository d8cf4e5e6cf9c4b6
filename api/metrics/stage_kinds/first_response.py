"""How long people wait for our first touch."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.cohorts import DURATION, TOOK, cohort_statement, summed_cohort
from api.metrics.kinds.contact_facts import belongs_to
from api.metrics.kinds.kind import FigureValues, KpiKind, duration_figure
from api.metrics.kinds.stage_entries import carried, counted_entries, first_entry, skipped_stage
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES
from api.metrics.switches.censored_cohorts import censored_cohort, censored_durations, is_censored, whole_request
from api.sql import Sql, join
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Reentry, Skip

_AGGREGATES = replace(DURATION, untouched=count_where(Sql("c.is_waiting")))


@dataclass(frozen=True, slots=True)
class FirstResponse(KpiKind):
    """The time from the entry into a stage in the period to our first touch that was not automated.

    Shapes: one row per entry; n counts those with such a touch.
    Units:  seconds.
    Source: the stage entries of the current evaluation; the outbound touchpoints.
    """

    base: str
    reads = (STAGE_ENTRIES, "touchpoint")

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The stage in which people start to wait."""
        return (self.base,)

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have first entries, with our first touch since."""
        return request.reentry is Reentry.FIRST

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """The months of the entries."""
        return summed_cohort(request, _AGGREGATES)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into the stage."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The entries with their first touch."""
        if is_censored(request):
            return CountedRows(
                rows=censored_cohort(request, _responses(request, _entries(request)), _whole(request)),
                is_base=Sql("c.is_judged and c.target_at is not null"),
                value=TOOK,
            )
        return CountedRows(
            rows=_responses(request, _entries(request)),
            is_base=Sql("c.target_at is not null"),
            value=TOOK,
        )

    def statement(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...]) -> Sql:
        """The statement of the entries, followed until their first touch."""
        if is_censored(request):
            judged = censored_cohort(request, _with_skipped(request), _whole(request))
            return censored_durations(request, judged, boundaries, _AGGREGATES)
        return cohort_statement(request, _with_skipped(request), boundaries, _AGGREGATES)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution."""
        return duration_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was touched."""
        own = "" if request.skip is Skip.IMPLIED else " by facts of their own"
        return f"Nobody who entered {self.base}{own} in the period was touched by hand since, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many can still be touched as soon as the others. NEVER_TOUCHED: how many were not.

        SKIPPED_STAGE: how many skipped the stage and were touched since.
        """
        one = f"person skipped {self.base} and was touched since"
        many = f"people skipped {self.base} and were touched since"
        yield from skipped_stage(table, one=one, many=many)
        waiting, untouched = table.total.waiting, table.total.untouched
        if waiting and is_censored(request):
            message = f"{waiting:,} entered less than the time ago in which 90 % of the touched waited, or nobody was"
            message += " touched: they are not in the value."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        if not untouched:
            return
        if waiting and not is_censored(request):
            message = f"{waiting:,} entered so recently that they may still be touched as soon as 90 % of the others."
            message += " The value may still change."
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)
        people = "1 person was" if untouched == 1 else f"{untouched:,} people were"
        message = f"{people} not touched by hand since the entry, and cannot be in the value."
        yield AnswerWarning(code=WarningCode.NEVER_TOUCHED, message=message, count=untouched)


def _responses(request: ResolvedKpiRequest, entries: Sql) -> Sql:
    """One row per entry: `contact_id, at, is_implied, target_at, responder_id, may_convert`.

    `target_at` is our first touch, `responder_id` the member who made it; `may_convert` is whether there is none.
    """
    until = request.frame.until
    if request.reads_journeys:
        return Sql(
            "select c.contact_id, c.at, c.is_implied,"
            " case when c.responded_at < {} then c.responded_at end as target_at,"
            " case when c.responded_at < {} then c.responder_id end as responder_id,"
            " (c.responded_at < {}) is not true as may_convert{} from ({}) c",
            *(until, until, until, carried(request, "c"), entries),
        )
    owned, joined = belongs_to(request.context, "t", "c")
    return Sql(
        "select c.contact_id, c.at, c.is_implied, t.at as target_at, t.responder_id, t.at is null as may_convert"
        " from ({}) c{} left join lateral (select t.occurred_at as at, t.member_id as responder_id from touchpoint t"
        " where {} and t.direction = 'OUTBOUND' and not t.is_automated and t.occurred_at >= c.at"
        " and t.occurred_at < {}{} order by t.occurred_at, t.id limit 1) t on true",
        entries,
        joined,
        owned,
        until,
        join("", (Sql(" and {}", condition) for condition in request.context.reach("touchpoint", "t"))),
    )


def _whole(request: ResolvedKpiRequest) -> Sql:
    """The entries of the whole request with their first touch."""
    whole = whole_request(request)
    return _responses(whole, _entries(whole))


def _entries(request: ResolvedKpiRequest) -> Sql:
    """The entries into the stage; journeys with our first touch since."""
    return counted_entries(request, request.stages, more=("responded_at", "responder_id"))


def _with_skipped(request: ResolvedKpiRequest) -> Sql:
    """The entries, and, unless skipped stages count, with `is_skipped` those that skipped it and were touched since."""
    entries = _entries(request)
    counted = Sql("select c.*, false as is_skipped from ({}) c", _responses(request, entries))
    if request.skip is Skip.IMPLIED:
        return counted
    skipped = Sql(
        "select e.* from ({}) e where (e.own_at < {}) is not true",
        _entries(replace(request, skip=Skip.IMPLIED)),
        request.frame.until,
    )
    return Sql(
        "{} union all select c.contact_id, c.at, c.is_implied, null, c.responder_id, false{}, true"
        " from ({}) c where c.target_at is not null",
        counted,
        carried(request, "c"),
        _responses(request, skipped),
    )
