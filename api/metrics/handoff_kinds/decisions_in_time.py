"""The share of due decisions on handoffs that sales made in time."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.handoff_kinds.handoff_rows import (
    FIRST_HANDOFF,
    HANDOFF_TIE,
    HandoffKind,
    handoff_rows,
)
from api.metrics.kinds.business_clock import BusinessClock, duties_of_sales
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class DecisionInTimeShare(HandoffKind):
    """The share of the handoffs whose decision was due in the period that sales had decided by then.

    Shapes: one row per handoff whose decision fell due. One that was returned for data by then is left out.
    Source: the handoffs; for those without a deadline, the accord's limit from the handing over.
    """

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at` (when it was due)`, in_time, responder_id`."""
        in_time = Sql("c.in_time")
        return CountedRows(
            rows=_due(request),
            aggregates=Aggregates(numerator=count_where(in_time)),
            is_converted=in_time,
            tie=HANDOFF_TIE,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No decision was due."""
        sales = duties_of_sales(request.context.accord)
        if sales is None or sales.decide_within is None:
            return "No decision was due in the period, and the accord has no limit for it: agree on decide_within."
        return "No decision was due in the period, so there is nothing to divide by."


def _due(request: ResolvedKpiRequest) -> Sql:
    accord = request.context.accord
    sales = duties_of_sales(accord)
    limit = sales.decide_within if sales else None
    clock = BusinessClock.of(accord, limit.calendar if limit else None)
    stated = Sql("h.due_at")
    due = Sql("coalesce(h.due_at, {})", clock.after(Sql("h.handed_at"), limit.time)) if limit else stated
    by_then = Sql("h.decided_at <= {}", due)
    rows = handoff_rows(
        request,
        due,
        [Sql("(h.status = 'RETURNED' and {}) is not true", by_then)],
        Sql("coalesce(h.status in ('ACCEPTED', 'REJECTED') and {}, false) as in_time", by_then),
        Sql("case when h.decided_at < {} then h.assigned_to_id end as responder_id", request.frame.until),
        joined=clock.joined,
    )
    return clock.within(rows, FIRST_HANDOFF, request.frame.until)
