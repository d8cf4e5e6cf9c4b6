"""An independent count of the KPIs of touches that divide by the people touched, person by person."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise

from tests.metrics.generated_activity import Known, OracleRequest, Row, Touched

KEYS = ("response_rate", "cross_team_collision", "opt_out_rate")
DAY = timedelta(days=1)


def rows(known: Known, request: OracleRequest) -> Iterator[Row]:
    """The counted rows of one person, of whom there is one at most."""
    touched = [touch for touch in known.touches if touch.is_ours and request.holds(touch.at)]
    if not touched:
        return
    match request.key:
        case "response_rate":
            yield _replied(known, touched, request)
        case "cross_team_collision":
            yield from _collided(known, touched)
        case "opt_out_rate":
            yield _opted_out(known, touched, request)


def _replied(known: Known, touched: list[Touched], request: OracleRequest) -> Row:
    replies = [
        other.at for other in known.touches if not other.is_ours and not other.is_automated and other.at < request.until
    ]
    is_part = any(touch.at < at <= touch.at + (request.window or 14 * DAY) for touch in touched for at in replies)
    last = max(touch.at for touch in touched)
    return Row(
        known,
        min(touch.at for touch in touched),
        is_part=is_part,
        is_waiting=not is_part and last + (request.window or 14 * DAY) >= request.until,
    )


def _collided(known: Known, touched: list[Touched]) -> Iterator[Row]:
    ours, theirs = ([touch.at for touch in touched if touch.team == team] for team in ("MARKETING", "SALES"))
    if ours and theirs:
        collided = any(abs(one - other) <= DAY for one in ours for other in theirs)
        yield Row(known, max(min(ours), min(theirs)), is_part=collided)


def _opted_out(known: Known, touched: list[Touched], request: OracleRequest) -> Row:
    is_part = any(_is_after_a_touch(at, known, request) for at in _opt_outs(known) if at < request.until)
    last = max(touch.at for touch in touched)
    return Row(
        known,
        min(touch.at for touch in touched),
        is_part=is_part,
        is_waiting=not is_part and last + (request.window or 30 * DAY) >= request.until,
    )


def _opt_outs(known: Known) -> list[datetime]:
    """When one of the flags turned true. How a person was first known says nothing of when they opted out."""
    return [
        version.since
        for version, ((mail, call), (mail_now, call_now)) in zip(
            known.person.versions[1:], pairwise(known.is_out), strict=False
        )
        if (mail_now and not mail) or (call_now and not call)
    ]


def _is_after_a_touch(at: datetime, known: Known, request: OracleRequest) -> bool:
    before = [touch.at for touch in known.touches if touch.is_ours and touch.at <= at]
    return bool(before) and request.holds(max(before)) and at <= max(before) + (request.window or 30 * DAY)
