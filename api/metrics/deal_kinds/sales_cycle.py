"""How long deals take from opening, from the stage sql, or from the first touch to closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.answer_warnings import number_of
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_kind import ClosingKind
from api.metrics.deal_kinds.deal_rows import IS_NEGATIVE, NEWEST_UPDATE, closing_rows
from api.metrics.deal_kinds.deal_touches import role_holders, touches_of_deals
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, duration_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.deal_events import DealEvent
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.measures.deals import Closings
from schema.kpis.switch_words import SQL_STAGE, CycleStart

_READ_FROM: dict[CycleStart, tuple[str, ...]] = {
    CycleStart.OPENED: (),
    CycleStart.SQL: ("deal_contact", "contact", "stage_entry"),
    CycleStart.FIRST_TOUCH: ("deal_contact", "contact", "touchpoint"),
}
_STARTS = {
    CycleStart.OPENED: "known opening",
    CycleStart.SQL: f"entry into {SQL_STAGE} by anybody on it",
    CycleStart.FIRST_TOUCH: "touchpoint of anybody on it",
}


@dataclass(frozen=True, slots=True)
class SalesCycle(ClosingKind):
    """The time to the closing of the deals closed in the period, from the start that the switch `cycleStart` chooses.

    Shapes: one row per deal; n counts those with a start at or before the closing.
    Units:  seconds.
    Source: the deals, and their history for a past `asOf`; with another start than the opening, the entries into the
            stage sql or the touches of the people on the deal, within the principal's reach.
    """

    of: Closings

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have the present closings, and beside them the openings of the same deals."""
        return request.cycle_start is CycleStart.OPENED and not request.frame.is_past

    def tables(self, request: ResolvedKpiRequest) -> tuple[str, ...]:
        """The deals, and the people on them if the time does not run from the opening."""
        return (*self.reads, *_READ_FROM[request.cycle_start])

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings with `started_at`. A start after the closing is a wrong date, and counts as unknown."""
        took = Sql("case when c.started_at <= c.at then extract(epoch from c.at - c.started_at)::double precision end")
        is_known = Sql("coalesce(c.started_at <= c.at, false)")
        return CountedRows(
            rows=_started(request, closing_rows(request, self.of)),
            aggregates=Aggregates(
                n=count_where(is_known),
                unopened=count_where(Sql("not {}", is_known)),
                mean=Sql("avg({})", took),
                updated_at=NEWEST_UPDATE,
            ),
            is_base=is_known,
            value=Sql("extract(epoch from c.at - c.started_at)"),
            is_negative=IS_NEGATIVE,
            spread=took,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution."""
        return duration_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No start is known."""
        outcomes = " or ".join(outcome.value.lower() for outcome in self.of.outcomes)
        start = _STARTS[request.cycle_start]
        return f"No deal {outcomes} in the period has a {start}, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        count, within = table.largest_count(lambda cell: cell.unopened)
        if count:
            has = "has" if count == 1 else "have"
            lack = f"{within}{number_of(count, 'deal')} {has} no {_STARTS[request.cycle_start]}"
            message = f"{lack} before the closing and cannot be in the value."
            yield AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def _started(request: ResolvedKpiRequest, closings: Sql) -> Sql:
    """The closings `k` with `started_at`; null if there is no such instant at or before the closing."""
    match request.cycle_start:
        case CycleStart.OPENED if request.reads_journeys:
            return Sql(
                "select k.*, o.counted_at as started_at from ({}) k left join deal_journey o on o.deal_id = k.deal_id"
                " and o.evaluation_id = {} and o.event = {}",
                closings,
                request.context.evaluation,
                DealEvent.OPENED.value,
            )
        case CycleStart.OPENED:
            return Sql("select k.*, k.opened_at as started_at from ({}) k", closings)
        case CycleStart.SQL:
            starts = _first_entries(request)
        case CycleStart.FIRST_TOUCH:
            first = Sql("min(t.occurred_at) as started_at")
            starts = touches_of_deals(request, Sql("closed"), first, [Sql("t.occurred_at <= o.at")])
    return Sql(
        "with closed as materialized ({}) select k.*, x.started_at from closed k"
        " left join ({}) x on x.deal_id = k.deal_id",
        closings,
        starts,
    )


def _first_entries(request: ResolvedKpiRequest) -> Sql:
    """The first entry into sql of the people on each deal of `closed`, at or before its closing."""
    conditions = [
        Sql("e.evaluation_id = {}", request.context.evaluation),
        Sql("e.stage = {}", SQL_STAGE),
        Sql("e.entered_at <= o.at"),
        *request.context.reach("stage_entry", "e"),
    ]
    return Sql(
        "select o.deal_id, min(e.entered_at) as started_at from closed o join {}"
        " join stage_entry e on e.contact_id = any (p.ids) where {} group by o.deal_id",
        role_holders(request, "o.deal_id"),
        all_of(conditions),
    )
