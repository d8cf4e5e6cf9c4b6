"""Which day sums a request can read, and which days it has to read from journeys."""

import hashlib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from api.metrics.day_sums.stored_sums import StoredSums
from api.metrics.day_sums.summed_rows import Span, SummedRows, SumsRead, SumUnit
from api.metrics.kinds.kind import KpiKind
from api.metrics.kinds.snapshot_instants import part_ends
from api.metrics.periods.calendar_units import day_of, midnight
from api.metrics.periods.period_days import Interval
from api.metrics.request import Period, Where
from api.metrics.resolved_request import MICROSECOND, ResolvedKpiRequest
from api.metrics.summing.sum_days import after, days_between, first_of, units_between

# Each of them is a look into the index of its own; with more, the statement takes longer to plan than to run.
_MOST_SPANS = 40
# The hashed statement has a fixed period: the period of a request is no part of what it measures.
_AS_OF = datetime(2000, 2, 1, tzinfo=UTC)
_DAYS = Period(date(2000, 1, 1), date(2000, 2, 1))
_INTERVAL = Interval(datetime(2000, 1, 1, tzinfo=UTC), _AS_OF)


def with_sums(request: ResolvedKpiRequest, kind: KpiKind, boundaries: tuple[datetime, ...]) -> ResolvedKpiRequest:
    """The request for a statement that reads day sums where there are any; the same request if it cannot."""
    stored = request.context.sums
    if stored is None or not request.reads_journeys or request.where != Where() or request.kept is not None:
        return request
    summed = kind.summed(request)
    if summed is None or request.frame.as_of < stored.as_of or len(request.by) > 1:
        return request
    if request.frame.zone.key != request.context.accord.reporting.timezone:
        return request
    measure = measure_of(request, kind)
    if measure not in stored.measures:
        return request
    read = _sums_read(request, measure, summed, stored, boundaries)
    return request if read is None else replace(request, sums=read)


def without_sums(request: ResolvedKpiRequest) -> ResolvedKpiRequest:
    """The request for the rows that its statement reads from journeys: of the times without sums."""
    if not isinstance(request.sums, SumsRead) or not request.sums.unsummed:
        return request
    return replace(request, frame=replace(request.frame, interval=of_spans(request.sums.unsummed)))


def of_spans(spans: Sequence[Span]) -> Interval:
    """The interval that consists of these spans, which are in order."""
    return Interval(spans[0][0], spans[-1][1], tuple(spans) if len(spans) > 1 else ())


def measure_of(request: ResolvedKpiRequest, kind: KpiKind) -> int:
    """The hash of what a request counts, whatever its time: of its statement, with all that the accord says."""
    frame = replace(request.frame, as_of=_AS_OF, is_past=False, days=_DAYS, interval=_INTERVAL)
    context = replace(request.context, now=_AS_OF, sums=None)
    timeless = replace(request, frame=frame, context=context, grain=None, sums=None)
    text, values = kind.statement(timeless, ()).render()
    digest = hashlib.blake2b(f"{text}\n{values!r}\n{frame.zone.key}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


def changed_units(stored: StoredSums, summed: SummedRows, first: date, before: date) -> set[date]:
    """The first days of the units within `[first, before)` whose sums of such rows are outdated."""
    return {first_of(summed.unit, day) for day in _changed_days(stored, summed, first, before)}


def _changed_days(stored: StoredSums, summed: SummedRows, first: date, before: date) -> set[date]:
    """The days of `[first, before)` whose sums of such rows are outdated."""
    return {
        day
        for change in stored.changes
        if change.is_of(summed)
        for day in days_between(max(change.first, first), min(after(SumUnit.DAY, change.last), before))
    }


def _sums_read(
    request: ResolvedKpiRequest,
    measure: int,
    summed: SummedRows,
    stored: StoredSums,
    boundaries: tuple[datetime, ...],
) -> SumsRead | None:
    days, zone = request.frame.days, request.frame.zone
    first = max(stored.starts_on, days.starts_on or stored.starts_on)
    before = min(stored.ends_on, days.before or stored.ends_on)
    changed = _changed_days(stored, summed, first.replace(day=1), before) if first < before else set[date]()
    if summed.split_at is not None:
        changed |= {day_of(summed.split_at, zone)}
    if summed.unit is SumUnit.MONTH_END:
        ends = part_ends(request, boundaries)
        instants = tuple(end - MICROSECOND for end in ends[:-1] or ends)
        kept = tuple(at for at in instants if _is_stored(at, request, stored, changed))
        is_complete = len(kept) == len(instants)
        return SumsRead(measure, summed.unit, instants=kept, is_complete=is_complete) if kept else None
    if summed.unit is SumUnit.MONTH and any(day_of(boundary, zone).day != 1 for boundary in boundaries[1:-1]):
        return None
    units = units_between(summed.unit, first, before)
    if not units:
        return None
    first, before = units[0], after(summed.unit, units[-1])
    outdated = {first_of(summed.unit, day) for day in changed}
    without = [unit for unit in units if unit in outdated]
    spans = [*_spans(summed.unit, without)]
    interval = request.frame.interval
    outside: list[Span] = [
        *([(interval.start, midnight(first, zone))] if days.starts_on is None or days.starts_on < first else []),
        *((midnight(start, zone), midnight(end, zone)) for start, end in spans),
        *([(midnight(before, zone), interval.end)] if days.before is None or days.before > before else []),
    ]
    if len(outside) > _MOST_SPANS or len(without) == len(units):
        return None
    return SumsRead(
        measure,
        summed.unit,
        start=midnight(first, zone),
        end=midnight(before, zone),
        without=tuple(midnight(unit, zone) for unit in without),
        unsummed=tuple(outside),
        is_complete=not outside,
    )


def _is_stored(at: datetime, request: ResolvedKpiRequest, stored: StoredSums, changed: Collection[date]) -> bool:
    """Whether there is a sum of the state at an instant: at the end of a month that has not changed."""
    zone = request.frame.zone
    day, next_day = day_of(at, zone), day_of(at + MICROSECOND, zone)
    is_month_end = next_day.day == 1 and midnight(next_day, zone) == at + MICROSECOND
    return is_month_end and stored.starts_on <= day < stored.ends_on and day not in changed


def _spans(unit: SumUnit, units: Sequence[date]) -> Iterator[tuple[date, date]]:
    """The units as spans of units that follow each other."""
    start = end = None
    for first in units:
        if first != end:
            if start is not None and end is not None:
                yield start, end
            start = first
        end = after(unit, first)
    if start is not None and end is not None:
        yield start, end
