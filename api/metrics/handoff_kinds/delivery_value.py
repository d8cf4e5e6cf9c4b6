"""The value that marketing delivered to sales, of the value that it owed."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from api.metrics.columns import Aggregates
from api.metrics.counted_rows import CountedRows
from api.metrics.figure_table import FigureCell
from api.metrics.handoff_kinds.delivery import DeliveryShare, had_entered
from api.metrics.handoff_kinds.handoff_rows import FIRST_HANDOFF, handoff_rows
from api.metrics.kinds.business_clock import BusinessClock, duties_of_sales
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.accord import Accord
from schema.clauses.handoff_duties import VolumeDuty
from schema.clauses.time_limits import Limit


@dataclass(frozen=True, slots=True)
class DeliveryValueShare(DeliveryShare):
    """The agreed value of the people whom sales accepted or did not dispute in time, divided by the value owed.

    Shapes: one row per person, duty with a lead value, and part (bucket or total).
    Units:  the reporting currency, in which lead values are agreed; nothing is converted.
    Source: the handoffs and their deadlines; the accord's duties of volume, and its limit of the decision.
    """

    without_duty = "The accord owes no value: agree on a lead_value in handoff.marketing.volume."
    divides_amounts = True

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The people: `contact_id, part, at` (the first delivery in the part)`, duty, worth`."""
        clock, _ = _clock(request)
        return CountedRows(
            rows=clock.within(self.delivered(request, boundaries), FIRST_HANDOFF, request.frame.until),
            aggregates=Aggregates(amount=Sql("sum(c.worth)")),
            value=Sql("c.worth"),
            tie=Sql("c.duty::text"),
            has_parts=True,
        )

    def duties(self, accord: Accord) -> tuple[VolumeDuty, ...]:
        """The duties with a lead value."""
        # Not super(): a dataclass with slots is another class than the one that the compiler saw.
        return tuple(duty for duty in DeliveryShare.duties(self, accord) if duty.lead_value is not None)

    def worth(self, duty: VolumeDuty) -> Decimal:
        """The lead value."""
        return duty.lead_value or Decimal(0)

    def handed_over(self, request: ResolvedKpiRequest, place: int, duty: VolumeDuty) -> Sql:
        """The handoffs that sales accepted, or did not dispute by their deadline, at the earlier of the two."""
        clock, limit = _clock(request)
        due = Sql("coalesce(h.due_at, {})", clock.after(Sql("h.handed_at"), limit.time)) if limit else Sql("h.due_at")
        # Of null and an instant, `least` is the instant: without a deadline, a person counts when accepted.
        at = Sql(
            "case when h.status = 'ACCEPTED' then least(h.decided_at, {})"
            " when h.decided_at is null or h.decided_at > {} then {} end",
            *(due, due, due),
        )
        columns = (Sql("{}::int as duty", place), Sql("{}::numeric as worth", self.worth(duty)))
        return handoff_rows(request, at, [had_entered(request, duty.stage)], *columns, joined=clock.joined)

    def numerator(self, cell: FigureCell) -> Decimal:
        """The value delivered."""
        total = cell.amounts.get(None)
        return total.amount if total else Decimal(0)


def _clock(request: ResolvedKpiRequest) -> tuple[BusinessClock, Limit | None]:
    """The clock by which sales decides on handoffs, and its limit; None if none is agreed."""
    accord = request.context.accord
    sales = duties_of_sales(accord)
    limit = sales.decide_within if sales else None
    return BusinessClock.of(accord, limit.calendar if limit else None), limit
