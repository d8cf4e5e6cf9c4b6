"""A count in plain Python of who stands still, leaves, comes back or has no owner, by the standard accord."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

from tests.sample.handoff_books import office_time
from tests.sample.spans import MOMENT, Span

Row = dict[str, Any]
STAGES = ("suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer")
LIMITS = {"inquiry": 90, "mql": 14, "sal": 14, "sql": 30, "opportunity": 180}
RECYCLING = ("NO_TIMING", "NO_BUDGET", "NOT_REACHED")
HALF_A_YEAR, HOUR = timedelta(days=180), timedelta(hours=1)


def rows(
    key: str, entries: list[Row], handoffs: list[Row], versions: list[Row], span: Span
) -> Iterator[tuple[float, bool]]:
    """What a person gives to a KPI, and whether they are part of its numerator."""
    match key:
        case "stalled_rate":
            last = span.end - MOMENT
            standing = [entry for entry in entries if is_open(entry, last)]
            highest = max(standing, key=lambda entry: STAGES.index(entry["stage"]), default=None)
            if highest is not None and highest["stage"] in LIMITS:
                yield 1, highest["entered_at"] + timedelta(days=LIMITS[highest["stage"]]) < last
        case "recycle_rate":
            recycled = {*recyclings(entries, handoffs, span.now)}
            yield from ((1, at in recycled) for at in leaving(entries, span.now) if span.holds(at))
        case "recycled_reconversion":
            ends = recyclings(entries, handoffs, span.now)
            for at, following in zip(ends, [*ends[1:], span.now], strict=False):
                back = [entry["entered_at"] for entry in entries if entry["stage"] == "sql"]
                if span.holds(at):
                    yield 1, any(at < entered <= min(at + HALF_A_YEAR, following) for entered in back)
        case "orphan_hours":
            if hours := orphaned(entries, versions, span.start, min(span.end, span.now)) / HOUR:
                yield hours, False


def is_open(entry: Row, at: datetime) -> bool:
    """Whether the person is in the stage just after an instant."""
    return entry["entered_at"] <= at and (entry["exited_at"] is None or entry["exited_at"] > at)


def leaving(entries: list[Row], now: datetime) -> list[datetime]:
    """When the person left mql and sal, for both of them."""
    between = [entry for entry in entries if entry["stage"] in ("mql", "sal")]
    ends = {entry["exited_at"] for entry in between if entry["exited_at"] is not None and entry["exited_at"] <= now}
    return sorted(at for at in ends if not any(is_open(entry, at) for entry in between))


def recyclings(entries: list[Row], handoffs: list[Row], now: datetime) -> list[datetime]:
    """When sales recycled the person."""
    rejected = {row["decided_at"] for row in handoffs if row["reject_reason"] in RECYCLING}
    ended = {entry["exited_at"] for entry in entries if entry["exit_kind"] == "HANDOFF_REJECTED"}
    return [at for at in leaving(entries, now) if at in rejected & ended]


def orphaned(entries: list[Row], versions: list[Row], start: datetime | None, end: datetime) -> timedelta:
    """The office time in which the person is between mql and opportunity and has no owner."""
    edges = {at for entry in entries for at in (entry["entered_at"], entry["exited_at"])}
    edges |= {version["valid_from"] or version["recorded_at"] for version in versions} | {end, start}
    marks = sorted(at for at in edges if at is not None and at <= end and (start is None or at >= start))
    total = timedelta(0)
    for since, before in pairwise(marks):
        is_qualified = any(is_open(entry, since) for entry in entries if entry["stage"] in STAGES[2:6])
        known = [version for version in versions if (version["valid_from"] or version["recorded_at"]) <= since]
        if is_qualified and known and known[-1]["owner_id"] is None:
            total += office_time(since, before)
    return total
