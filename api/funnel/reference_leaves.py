"""What score, silence and reported mean, by the plain definition: at one instant, from all facts up to it."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from api.funnel.reference_facts import ALL_TIME, ContactHistory, ReportFact, Segment, TouchFact
from schema.clauses.rules import ReportFilter, ScoreSum, TouchFilter

_SECOND = timedelta(seconds=1)


def matches(touch: TouchFact, wanted: TouchFilter) -> bool:
    """Whether a touch is one of those that a filter wants."""
    return (
        (not wanted.channel or touch.channel in wanted.channel)
        and (not wanted.kind or touch.kind in wanted.kind)
        and (not wanted.outcome or touch.outcome in wanted.outcome)
        and (not wanted.campaign or touch.campaign in wanted.campaign)
        and (wanted.direction is None or touch.direction is wanted.direction)
        and (wanted.team is None or touch.team is wanted.team)
    )


def reaches_score(wanted: ScoreSum, touches: Sequence[TouchFact], at: datetime, counting: Segment) -> bool:
    """Whether the score, rounded to 6 places, reaches what is wanted, by the touches inside a segment.

    The points of a touch are halved with every half-life that has passed since. Between two touches the score is that
    of the last whole second after the earlier one.
    """
    counted = [
        (touch.at, float(term.points))
        for touch in touches
        for term in wanted.terms
        if touch.at <= at and counting.holds(touch.at) and matches(touch, term)
    ]
    if not counted:
        return False
    last = max(moment for moment, _ in counted)
    looked_at = last + (at - last) // _SECOND * _SECOND
    score = 0.0
    for moment, points in counted:
        score += points * (0.5 ** ((looked_at - moment) / wanted.half_life) if wanted.half_life else 1)
    return round(score, 6) >= float(wanted.at_least)


def decay_instants(wanted: ScoreSum, touches: Sequence[TouchFact], as_of: datetime) -> Iterator[datetime]:
    """Yield, for each touch, when the score of all touches up to it is too low for the first time, by time alone.

    It is found by halving the time in question, with the definition of the score alone.
    """
    if wanted.half_life is None:
        return
    for last in {touch.at for touch in touches}:
        known = [touch for touch in touches if touch.at <= last]
        low, high = 0, max(0, (as_of - last) // _SECOND) + 1
        if not reaches_score(wanted, known, last, ALL_TIME) or reaches_score(
            wanted, known, last + high * _SECOND, ALL_TIME
        ):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            if reaches_score(wanted, known, last + middle * _SECOND, ALL_TIME):
                low = middle
            else:
                high = middle
        yield last + high * _SECOND


def is_silent(length: timedelta, contact: ContactHistory, at: datetime) -> bool:
    """Whether no touch lies in `(at - length, at]`, and the lifetime began at `at - length` or before."""
    start = contact.lifetime_start
    is_known = start is not None and start + length <= at
    return is_known and not any(at - length < touch.at <= at for touch in contact.touches)


def is_reported(wanted: ReportFilter, reports: Sequence[ReportFact], at: datetime) -> bool:
    """Whether one of the stages that the source reported last, up to the instant, is wanted."""
    past = [report for report in reports if report.source == wanted.source and report.at <= at]
    last = max((report.at for report in past), default=None)
    return any(report.at == last and report.stage in wanted.stage for report in past)


def has_report(wanted: ReportFilter, reports: Sequence[ReportFact], at: datetime) -> bool:
    """Whether the source reported a stage at exactly this instant."""
    return any(report.source == wanted.source and report.at == at for report in reports)
