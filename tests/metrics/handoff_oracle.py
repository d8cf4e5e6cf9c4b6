"""An independent count of the KPIs of the duties at the handoff, handoff by handoff."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from schema.accord import Accord
from schema.clauses.business_time import add_business_time, business_time_between
from schema.clauses.calendars import BusinessCalendar
from schema.clauses.exits import RejectReason
from schema.clauses.handoff_duties import HandoffDuties, SalesDuties
from tests.metrics.generated_activity import Handed, Known, OracleRequest, Row, Touched

KEYS = (
    "sla_decided_in_time",
    "sla_followed_up",
    "never_contacted_rate",
    "reject_feedback_complete",
    "owner_response_time",
)
OFFICE = BusinessCalendar.model_validate(
    {
        "key": "office",
        "title": "Office",
        "hours": [
            {"days": ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY"], "opens": "08:00", "closes": "18:00"},
            {"days": ["SUNDAY"], "opens": "00:00", "closes": "24:00"},
        ],
        "closed": [{"on": "2026-01-14", "name": "Fair"}],
    }
)
REASONS = tuple(
    RejectReason.model_validate({"code": code, "label": code, "disposition": disposition, "fault": "NEITHER"})
    for code, disposition in (("NO_FIT", "DISQUALIFY"), ("NO_TIMING", "RECYCLE"))
)
DUTIES: tuple[dict[str, object], ...] = (
    {},
    {"decide_within": "1 day", "reject_with": ["NOTE"]},
    {"attempts": {"at_least": 2, "within": {"time": "20 hours", "calendar": "office"}}, "reject_with": ["REASON"]},
    {
        "decide_within": {"time": "10 hours", "calendar": "office"},
        "attempts": {"at_least": 1, "within": "2 days"},
        "reject_with": ["REASON", "NOTE"],
    },
)


def with_duties(accord: Accord, duties: dict[str, object], *, has_calendar: bool) -> Accord:
    """The accord with duties of sales, and with the calendar that they name, or that is the only one."""
    agreed = HandoffDuties.model_validate({"sales": duties}) if duties else None
    needed = has_calendar or "office" in str(duties)
    return accord.model_copy(
        update={"handoff": agreed, "calendars": (OFFICE,) if needed else (), "reject_reasons": REASONS}
    )


@dataclass(frozen=True)
class Clock:
    """The time of a calendar; without one, all time."""

    calendar: BusinessCalendar | None
    zone: ZoneInfo

    def after(self, start: datetime, length: timedelta) -> datetime:
        return add_business_time(self.calendar, self.zone, start, length) if self.calendar else start + length

    def between(self, start: datetime, end: datetime) -> timedelta:
        return business_time_between(self.calendar, self.zone, start, end) if self.calendar else end - start


def rows(known: Known, request: OracleRequest) -> Iterator[Row]:
    """The counted rows of one person."""
    count = {
        "sla_decided_in_time": _due,
        "sla_followed_up": _followed_up,
        "never_contacted_rate": _never_contacted,
        "reject_feedback_complete": _feedback,
        "owner_response_time": _response,
    }[request.key]
    for handed in known.handoffs:
        yield from count(known, handed, request)


def _sales(request: OracleRequest) -> SalesDuties | None:
    return request.accord.handoff.sales if request.accord.handoff else None


def _clock(request: OracleRequest, key: str | None) -> Clock:
    zone = ZoneInfo(request.accord.reporting.timezone)
    return Clock(None if key is None else request.accord.calendar(key), zone)


def _working_time(request: OracleRequest) -> Clock:
    """Here there is one calendar at most, so it is that of every duty, or the only one."""
    return _clock(request, "office" if request.accord.calendars else None)


def _decided(handed: Handed, status: str, request: OracleRequest) -> datetime | None:
    is_so = handed.status == status and handed.decided is not None and request.holds(handed.decided)
    return handed.decided if is_so else None


def _due(known: Known, handed: Handed, request: OracleRequest) -> Iterator[Row]:
    sales = _sales(request)
    limit = sales.decide_within if sales else None
    due = handed.due
    if due is None and limit is not None:
        due = _clock(request, limit.calendar).after(handed.handed, limit.time)
    if due is None or not request.holds(due):
        return
    is_by_then = handed.decided is not None and handed.decided <= due
    if not (is_by_then and handed.status == "RETURNED"):
        is_decided = handed.decided is not None and handed.decided < request.until
        yield Row(known, due, is_part=is_by_then, responder=handed.member if is_decided else None)


def _is_by_sales(touch: Touched) -> bool:
    return not touch.is_automated and touch.team != "MARKETING"


def _reaches(touch: Touched) -> bool:
    came = not touch.is_ours and touch.kind in ("CALL", "EMAIL_REPLY", "MEETING")
    return _is_by_sales(touch) and (touch.outcome in ("QUALIFIED", "CONNECTED", "NOT_INTERESTED") or came)


def _followed_up(known: Known, handed: Handed, request: OracleRequest) -> Iterator[Row]:
    sales = _sales(request)
    accepted = _decided(handed, "ACCEPTED", request)
    if accepted is None or sales is None or sales.attempts is None:
        return
    end = _clock(request, sales.attempts.within.calendar).after(accepted, sales.attempts.within.time)
    within = [touch for touch in known.touches if handed.handed <= touch.at <= end and touch.at < request.until]
    attempts = [touch for touch in within if touch.is_ours and _is_by_sales(touch) and touch.at >= accepted]
    is_met = len(attempts) >= sales.attempts.at_least or any(_reaches(touch) for touch in within)
    yield Row(known, accepted, is_part=is_met, is_waiting=not is_met and end >= request.until)


def _never_contacted(known: Known, handed: Handed, request: OracleRequest) -> Iterator[Row]:
    accepted = _decided(handed, "ACCEPTED", request)
    if accepted is None:
        return
    end = _working_time(request).after(accepted, timedelta(hours=72))
    is_touched = any(
        handed.handed <= touch.at <= end
        and touch.at < request.until
        and ((touch.is_ours and _is_by_sales(touch)) or _reaches(touch))
        for touch in known.touches
    )
    is_over = end < request.until
    yield Row(known, accepted, is_part=not is_touched and is_over, is_waiting=not is_touched and not is_over)


def _feedback(known: Known, handed: Handed, request: OracleRequest) -> Iterator[Row]:
    rejected = _decided(handed, "REJECTED", request)
    if rejected is None:
        return
    sales = _sales(request)
    has = {"REASON": handed.reason in ("NO_FIT", "NO_TIMING"), "NOTE": bool((handed.note or "").strip())}
    wanted = sales.reject_with if sales else ("REASON", "NOTE")
    yield Row(known, rejected, is_part=all(has[part] for part in wanted), responder=handed.member)


def _response(known: Known, handed: Handed, request: OracleRequest) -> Iterator[Row]:
    if not request.holds(handed.handed):
        return
    was_sent_back = handed.status in ("REJECTED", "RETURNED")
    touches = [
        touch
        for touch in known.touches
        if touch.is_ours and _is_by_sales(touch) and handed.handed <= touch.at < request.until
        if not was_sent_back or (handed.decided is not None and touch.at <= handed.decided)
    ]
    if touches:
        first = min(touches, key=lambda touch: (touch.at, touch.number))
        took = _working_time(request).between(handed.handed, first.at)
        yield Row(known, handed.handed, amount=took.total_seconds(), responder=first.member)
    elif not (handed.status == "RETURNED" and handed.decided is not None and handed.decided < request.until):
        yield Row(known, handed.handed)
