"""The share of handoffs that sales decided in one way."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import COUNT_ALL, Aggregates, count_where
from api.metrics.counted_rows import EVERY_ROW, CountedRows
from api.metrics.day_sums.summed_rows import SummedRows, SumUnit
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.handoff_kinds.handoff_rows import HANDOFF_TIE, first_handoff
from api.metrics.handoff_kinds.reason_shares import as_shares_of_all
from api.metrics.journeys.journey_entries import is_journey_of, journey_columns
from api.metrics.kinds.contact_facts import counts, person_of
from api.metrics.kinds.kind import FigureValues, KpiKind, share_figure
from api.metrics.kinds.stage_entries import between
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.measures.handoffs import Decisions
from schema.kpis.switch_words import Censoring
from schema.vocab import Anchor

_STATUS, _REASON, _RESPONDER = Sql("h.status"), Sql("h.reject_reason"), Sql("h.assigned_to_id")


@dataclass(frozen=True, slots=True)
class DecisionShare(KpiKind):
    """The share of decided handoffs that were decided with some of the statuses.

    Shapes: PERIOD: one row per handoff decided in the period. COHORT: one row per handoff handed over in it.
    Source: the handoffs.
    """

    part: Decisions
    whole: Decisions
    reads = ("handoff", "contact")

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have handoffs at their decision."""
        return request.anchor is Anchor.PERIOD

    def summed(self, request: ResolvedKpiRequest) -> SummedRows:
        """The days of the decisions."""
        return SummedRows(SumUnit.DAY, "handoff_journey")

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first handoff: nothing is decided before it was handed over."""
        return first_handoff(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at, status, reject_reason, responder_id`."""
        statuses = [status.value for status in self.part.statuses]
        is_part = Sql("coalesce(c.status = any ({}::text[]), false)", statuses)
        is_decided_only = request.censoring is Censoring.DECIDED_ONLY
        is_base = Sql("c.status is not null") if is_decided_only else EVERY_ROW
        return CountedRows(
            rows=_handoffs(request, self.whole),
            aggregates=Aggregates(
                n=count_where(is_base) if is_decided_only else COUNT_ALL,
                numerator=count_where(is_part),
                waiting=count_where(Sql("c.status is null")),
            ),
            is_base=is_base,
            is_converted=is_part,
            tie=HANDOFF_TIE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The part divided by the whole."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No handoff was decided."""
        happened = "handed over" if request.anchor is Anchor.COHORT else "decided"
        return f"No handoff was {happened} in the period, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """OPEN_COHORT: how many handoffs are not decided yet."""
        if waiting := table.total.waiting:
            left_out = request.censoring is Censoring.DECIDED_ONLY
            effect = "They are not in the value." if left_out else "The value may still change."
            message = f"{waiting:,} of the handoffs are not decided yet. {effect}"
            yield AnswerWarning(code=WarningCode.OPEN_COHORT, message=message, count=waiting)

    def adjusted(
        self, request: ResolvedKpiRequest, table: FigureTable, boundaries: tuple[datetime, ...]
    ) -> FigureTable:
        """By REJECT_REASON, the shares of all decisions, which sum to the rate of the total."""
        return as_shares_of_all(request, table) if Dimension.REJECT_REASON in request.by else table


def _handoffs(request: ResolvedKpiRequest, whole: Decisions) -> Sql:
    """One row per handoff: `contact_id, handoff_id, at, status, reject_reason, responder_id` (who decided).

    PERIOD: at its decision, if it was decided with one of the statuses. COHORT: at the handing over; status, reason and
    responder are null until it is decided.
    """
    if request.reads_journeys:
        return _decided_journeys(request, whole)
    until, within = request.frame.until, request.frame.interval
    statuses = [status.value for status in whole.statuses]
    decided = Sql("h.status = any ({}::text[]) and h.decided_at < {}", statuses, until)
    person, joined = person_of(request.context, "h")
    if request.anchor is Anchor.COHORT:
        at, conditions = Sql("h.handed_at"), [Sql("h.handed_at < {}", until)]
        status, reason, responder = (
            Sql("case when {} then {} end", decided, column) for column in (_STATUS, _REASON, _RESPONDER)
        )
    else:
        at, conditions, status, reason, responder = Sql("h.decided_at"), [decided], _STATUS, _REASON, _RESPONDER
    conditions += [*between(at, within), counts(request, person), *request.context.reach("handoff", "h")]
    return Sql(
        "select {} as contact_id, h.id as handoff_id, {} as at, {} as status, {} as reject_reason,"
        " {} as responder_id from handoff h{}"
        " where {}",
        person,
        at,
        status,
        reason,
        responder,
        joined,
        all_of(conditions),
    )


def _decided_journeys(request: ResolvedKpiRequest, whole: Decisions) -> Sql:
    """The rows of PERIOD, with what dimensions read."""
    conditions = [
        Sql("h.evaluation_id = {}", request.context.evaluation),
        Sql("h.status = any ({}::text[])", [status.value for status in whole.statuses]),
        Sql("h.counted_at < {}", request.frame.until),
        *between(Sql("h.counted_at"), request.frame.interval),
        is_journey_of(request, "h"),
    ]
    return Sql(
        "select h.contact_id, h.handoff_id, h.counted_at as at, h.status, h.reject_reason, h.responder_id{}"
        " from handoff_journey h where {}",
        journey_columns(request, "h"),
        all_of(conditions),
    )
