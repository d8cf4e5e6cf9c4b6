"""The shares of accepted handoffs that sales followed up, or never contacted."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.handoff_kinds.handoff_rows import (
    ATTEMPT,
    FIRST_HANDOFF,
    HANDOFF_TIE,
    REACHED,
    HandoffKind,
    handoff_rows,
    touches_after,
)
from api.metrics.kinds.business_clock import BusinessClock, duties_of_sales, working_time
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql

_ACCEPTED = Sql("h.status = 'ACCEPTED'")


@dataclass(frozen=True, slots=True)
class FollowUpShare(HandoffKind):
    """The share of the handoffs accepted in the period that sales followed up as often and as soon as agreed.

    Shapes: one row per accepted handoff.
    Source: the handoffs; the touchpoints of sales by hand; the accord's duty of attempts.
    """

    reads = ("handoff", "touchpoint", "contact")
    may_still = "have time left for further attempts"

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at` (the acceptance)`, is_met, is_open`."""
        is_met = Sql("c.is_met")
        return CountedRows(
            rows=_followed_up(request),
            aggregates=Aggregates(numerator=count_where(is_met), waiting=count_where(Sql("c.is_open"))),
            is_converted=is_met,
            tie=HANDOFF_TIE,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No handoff was accepted, or no attempts are agreed."""
        sales = duties_of_sales(request.context.accord)
        if sales is None or sales.attempts is None:
            return "The accord says nothing of attempts, so no follow-up is owed: agree on attempts."
        return "No handoff was accepted in the period, so there is nothing to divide by."


@dataclass(frozen=True, slots=True)
class NeverContactedShare(HandoffKind):
    """The share of the handoffs accepted in the period whose person sales did not touch within a working time.

    Shapes: one row per accepted handoff.
    Source: the handoffs; the touchpoints of sales by hand; the calendar of the duties of sales.
    """

    after: timedelta
    reads = ("handoff", "touchpoint", "contact")
    may_still = "are untouched, and their time is not over yet"

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The handoffs: `contact_id, handoff_id, at` (the acceptance)`, is_untouched, is_open`."""
        is_untouched = Sql("c.is_untouched")
        return CountedRows(
            rows=_untouched(request, self.after),
            aggregates=Aggregates(numerator=count_where(is_untouched), waiting=count_where(Sql("c.is_open"))),
            is_converted=is_untouched,
            tie=HANDOFF_TIE,
        )

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No handoff was accepted."""
        return "No handoff was accepted in the period, so there is nothing to divide by."


def _followed_up(request: ResolvedKpiRequest) -> Sql:
    """The accepted handoffs; attempts count from the acceptance, and having reached the person from the handoff on."""
    accord = request.context.accord
    sales = duties_of_sales(accord)
    if sales is None or sales.attempts is None:
        never = handoff_rows(request, Sql("h.decided_at"), [Sql("false")])
        return Sql("select h.*, false as is_met, false as is_open from ({}) h", never)
    duty = sales.attempts
    clock = BusinessClock.of(accord, duty.within.calendar)
    accepted = _accepted(request, clock.after(Sql("h.decided_at"), duty.within.time), clock.joined)
    within = [Sql("t.occurred_at >= c.handed_at"), Sql("t.occurred_at <= c.ends_at")]
    attempts = Sql("count(*) filter (where {} and t.occurred_at >= c.at) as attempts", ATTEMPT)
    made = Sql("{}, coalesce(bool_or({}), false) as is_reached", attempts, REACHED)
    is_met = Sql("(a.attempts >= {} or a.is_reached)", duty.at_least)
    rows = Sql(
        "select c.contact_id, c.handoff_id, c.at, {} as is_met, not {} and c.ends_at >= {} as is_open from ({}) c{}",
        is_met,
        is_met,
        request.horizon,
        accepted,
        touches_after(request, within, made),
    )
    return clock.within(rows, FIRST_HANDOFF, request.frame.until)


def _untouched(request: ResolvedKpiRequest, after: timedelta) -> Sql:
    """The accepted handoffs; a touch counts from the handoff on, because many call before they accept."""
    clock = working_time(request.context.accord)
    accepted = _accepted(request, clock.after(Sql("h.decided_at"), after), clock.joined)
    within = [
        Sql("t.occurred_at >= c.handed_at"),
        Sql("t.occurred_at <= c.ends_at"),
        Sql("({} or {})", ATTEMPT, REACHED),
    ]
    rows = Sql(
        "select c.contact_id, c.handoff_id, c.at, not a.is_touched and c.ends_at < {} as is_untouched,"
        " not a.is_touched and c.ends_at >= {} as is_open from ({}) c{}",
        request.horizon,
        request.horizon,
        accepted,
        touches_after(request, within, Sql("count(*) > 0 as is_touched")),
    )
    return clock.within(rows, FIRST_HANDOFF, request.frame.until)


def _accepted(request: ResolvedKpiRequest, ends_at: Sql, joined: Sql) -> Sql:
    """The handoffs accepted in the period: `contact_id, handoff_id, at, handed_at, ends_at`."""
    ends = Sql("{} as ends_at", ends_at)
    return handoff_rows(request, Sql("h.decided_at"), [_ACCEPTED], Sql("h.handed_at"), ends, joined=joined)
