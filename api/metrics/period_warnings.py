"""What an answer says about its period: its days, and whether it has begun, is over, or lies before all data."""

from collections.abc import Iterator
from datetime import timedelta

from api.db import ReadSession
from api.metrics.answer import AnsweredPeriod, AnswerWarning
from api.metrics.periods.calendar_units import day_of
from api.metrics.resolved_request import ResolvedKpiRequest, TimeFrame
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode

_CLOCK_DIFFERENCE = timedelta(minutes=1)


def answered_period(frame: TimeFrame) -> AnsweredPeriod:
    """The period that an answer is about."""
    days = frame.days
    return AnsweredPeriod(starts_on=days.starts_on, before=days.before, timezone=frame.zone.key, is_over=frame.is_over)


def unfinished_period(frame: TimeFrame) -> Iterator[AnswerWarning]:
    """PERIOD_OPEN: how many days of the period are after that of `asOf`. All history has no end, and is never open."""
    if frame.days.before is None or frame.is_over or not frame.has_begun:
        return
    left = (frame.days.before - day_of(frame.as_of, frame.zone)).days - 1
    rest = {0: "its last day is not over", 1: "1 day of it is still to come"}.get(
        left, f"{left:,} days of it are still to come"
    )
    message = f"The period is not over, so the value may still change: {rest}."
    yield AnswerWarning(code=WarningCode.PERIOD_OPEN, message=message, count=left)


def as_of_ahead(frame: TimeFrame) -> Iterator[AnswerWarning]:
    """AS_OF_AHEAD: the requested `asOf` lies after now by more than clocks differ."""
    if frame.ahead is None or frame.ahead - frame.as_of <= _CLOCK_DIFFERENCE:
        return
    message = (
        f"asOf={frame.ahead.isoformat()} lies in the future, of which nothing is known. The answer is as of"
        f" {frame.as_of.isoformat()}."
    )
    yield AnswerWarning(code=WarningCode.AS_OF_AHEAD, message=message, count=None)


async def missing_period(session: ReadSession, request: ResolvedKpiRequest, first_fact: Sql) -> AnswerWarning | None:
    """Why a period in which nothing was counted has no value; None if it has one, which may be 0.

    PERIOD_NOT_BEGUN, or PERIOD_BEFORE_DATA if the period, or `asOf`, lies before the first fact.
    Reads:  `first_fact`, a query for an instant not after the first fact, if the period has an end, or `asOf` is given.
    """
    frame = request.frame
    begin, before, end = frame.days.starts_on, frame.days.before, frame.interval.end
    if not frame.has_begun:
        message = f"The period begins on {begin}, after the day of `asOf`, {day_of(frame.as_of, frame.zone)}."
        return AnswerWarning(code=WarningCode.PERIOD_NOT_BEGUN, message=message, count=None)
    if end is None and not frame.is_past:
        return None
    first = await session.value(first_fact)
    if first is None or first < (frame.until if end is None else min(end, frame.until)):
        return None
    if before is None or end is None or frame.until < end:
        last = f"`asOf` lies on {day_of(frame.as_of, frame.zone)}"
    else:
        last = f"The period ends on {before - timedelta(days=1)}"
    message = f"{last}, before the data begin, on {day_of(first, frame.zone)}."
    return AnswerWarning(code=WarningCode.PERIOD_BEFORE_DATA, message=message, count=None)
