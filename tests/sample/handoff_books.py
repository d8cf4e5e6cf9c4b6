"""A count of the KPIs of the duties at the handoff in plain Python, by the standard accord, whose office is in UTC."""

from collections.abc import Iterator
from datetime import datetime, time, timedelta
from typing import Any

Row = dict[str, Any]
KEYS = (
    "sla_decided_in_time",
    "sla_followed_up",
    "never_contacted_rate",
    "reject_feedback_complete",
    "owner_response_time",
)
DAY = timedelta(days=1)
ATTEMPTS, WITHIN, UNTOUCHED = 5, timedelta(days=14), timedelta(hours=72)


def office_time(start: datetime, end: datetime) -> timedelta:
    """The time from Monday to Friday, 9 to 17 o'clock, between two instants."""
    total, day = timedelta(0), start.date()
    while day <= end.date():
        opens, closes = (datetime.combine(day, time(hour), start.tzinfo) for hour in (9, 17))
        if day.weekday() < 5 and max(opens, start) < min(closes, end):
            total += min(closes, end) - max(opens, start)
        day += DAY
    return total


def office_end(start: datetime, length: timedelta) -> datetime:
    """When that much office time is over."""
    left, day = length, start.date()
    while True:
        opens, closes = (datetime.combine(day, time(hour), start.tzinfo) for hour in (9, 17))
        opens = max(opens, start)
        if day.weekday() < 5 and opens < closes:
            if left <= closes - opens:
                return opens + left
            left -= closes - opens
        day += DAY


def by_sales(touch: Row) -> bool:
    """Whether sales made or had the touch by hand."""
    return not touch["is_automated"] and touch["team_kind"] != "MARKETING"


def reaches(touch: Row) -> bool:
    """Whether sales reached the person."""
    came = touch["direction"] == "INBOUND" and touch["kind"] in ("EMAIL_REPLY", "CALL", "MEETING")
    return by_sales(touch) and (touch["outcome"] in ("QUALIFIED", "CONNECTED", "NOT_INTERESTED") or came)


def attempts(touches: list[Row]) -> list[Row]:
    """The touches of the person by sales by hand."""
    return [touch for touch in touches if touch["direction"] == "OUTBOUND" and by_sales(touch)]


def rows(
    key: str, handoff: Row, known: list[Row], start: datetime | None, end: datetime, now: datetime
) -> Iterator[tuple[float, bool]]:
    """What a handoff gives to a KPI over `[start, end)`, and whether it is part of the numerator."""

    def holds(at: datetime | None) -> bool:
        return at is not None and at < end and (start is None or at >= start)

    handed, decided, status = handoff["handed_at"], handoff["decided_at"], handoff["status"]
    touches = [touch for touch in known if handed <= touch["occurred_at"] <= now]
    match key:
        case "sla_decided_in_time":
            is_by_then = decided is not None and decided <= handoff["due_at"]
            if holds(handoff["due_at"]) and not (is_by_then and status == "RETURNED"):
                yield 1, is_by_then
        case "sla_followed_up" if status == "ACCEPTED" and holds(decided):
            within = [touch for touch in touches if touch["occurred_at"] <= decided + WITHIN]
            made = [touch for touch in attempts(within) if touch["occurred_at"] >= decided]
            yield 1, len(made) >= ATTEMPTS or any(reaches(touch) for touch in within)
        case "never_contacted_rate" if status == "ACCEPTED" and holds(decided):
            over = office_end(decided, UNTOUCHED)
            met = [*attempts(touches), *(touch for touch in touches if reaches(touch))]
            yield 1, over <= now and not any(touch["occurred_at"] <= over for touch in met)
        case "reject_feedback_complete" if status == "REJECTED" and holds(decided):
            yield 1, bool(handoff["reject_reason"]) and bool((handoff["note"] or "").strip())
        case "owner_response_time" if holds(handed):
            sent_back = status in ("REJECTED", "RETURNED")
            first = [
                touch["occurred_at"] for touch in attempts(touches) if not sent_back or touch["occurred_at"] <= decided
            ]
            if first:
                yield office_time(handed, min(first)).total_seconds(), False
