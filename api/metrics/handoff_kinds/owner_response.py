"""How long people who were handed over wait for a touch, in the time in which sales works."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.handoff_kinds.handoff_rows import (
    ATTEMPT,
    FIRST_HANDOFF,
    HANDOFF_TIE,
    HandoffKind,
    handoff_rows,
)
from api.metrics.kinds.business_clock import working_time
from api.metrics.kinds.contact_facts import belongs_to
from api.metrics.kinds.kind import FigureValues, duration_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, all_of
from schema.kpis.answer_vocab import WarningCode


@dataclass(frozen=True, slots=True)
class OwnerResponseTime(HandoffKind):
    """The working time from each handoff of the period to the first touch by hand of sales.

    Shapes: one row per handoff; n counts those with such a touch. A handoff that was returned for data before it is
            left out: the clock stands still, and starts again with the next handoff.
    Units:  seconds.
    Source: the handoffs; the touchpoints of sales by hand; the calendar of the duties of sales.
    """

    reads = ("handoff", "touchpoint", "contact")

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at, took, responder_id` (who touched)."""
        took = Sql("c.took::double precision")
        return CountedRows(
            rows=_responses(request),
            aggregates=Aggregates(
                n=Sql("count(c.took)"), untouched=count_where(Sql("c.took is null")), mean=Sql("avg({})", took)
            ),
            is_base=Sql("c.took is not null"),
            value=Sql("c.took"),
            tie=HANDOFF_TIE,
            spread=took,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution."""
        return duration_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """Nobody was touched."""
        return "Nobody handed over in the period was touched by hand since, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """NEVER_TOUCHED: how many handoffs no touch followed."""
        if untouched := table.total.untouched:
            handoffs = "1 handoff was" if untouched == 1 else f"{untouched:,} handoffs were"
            message = f"{handoffs} not followed by a touch by hand of sales, and cannot be in the value."
            yield AnswerWarning(code=WarningCode.NEVER_TOUCHED, message=message, count=untouched)


def _responses(request: ResolvedKpiRequest) -> Sql:
    """The handoffs with their first touch. A touch after the person was sent back answers a later handoff."""
    clock = working_time(request.context.accord)
    until = request.frame.until
    sent_back = Sql("case when h.status in ('REJECTED', 'RETURNED') then h.decided_at end as sent_back_at")
    is_returned = Sql("h.status = 'RETURNED' and h.decided_at < {} as is_returned", until)
    handed = handoff_rows(request, Sql("h.handed_at"), [], sent_back, is_returned)
    owned, merged = belongs_to(request.context, "t", "c")
    conditions = [
        owned,
        ATTEMPT,
        Sql("t.occurred_at >= c.at"),
        Sql("t.occurred_at < {}", until),
        Sql("t.occurred_at <= coalesce(c.sent_back_at, 'infinity')"),
        *request.context.reach("touchpoint", "t"),
    ]
    rows = Sql(
        "select c.contact_id, c.handoff_id, c.at, t.responder_id, {} as took from ({}) c{} left join lateral"
        " (select t.occurred_at as at, t.member_id as responder_id from touchpoint t where {}"
        " order by t.occurred_at, t.id limit 1) t on true{} where t.at is not null or not c.is_returned",
        clock.seconds_between(Sql("c.at"), Sql("t.at")),
        handed,
        merged,
        all_of(conditions),
        clock.joined,
    )
    return clock.within(rows, FIRST_HANDOFF, until)
