"""Percentiles of several sorted lists, as one statement over all their rows would have them.

Sums of months have every length, in order. The statement that reads journeys has a grouping for each set of cells; here
the lists of a cell are merged for its set.
"""

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from itertools import repeat
from math import floor

from api.metrics.columns import Measured, StatementRow
from api.metrics.day_sums.sum_statements import microseconds
from api.metrics.resolved_request import ResolvedKpiRequest

_MILLION = 1_000_000
_SLOW = 0.9
_SHOWN = (0.5, 0.75, _SLOW)
_Address = tuple[tuple[object, ...] | None, int | None]  # keys and bucket; None for all of them


def merged_lengths(request: ResolvedKpiRequest, rows: Sequence[StatementRow]) -> list[StatementRow]:
    """The rows of a statement with percentiles, from the rows of one that lists every length.

    Shapes: rows per keys and month, with `lengths` and `waits` -> a row per total, keys, bucket, and both.
    Units:  seconds.
    """
    if not rows:
        return []
    cells = defaultdict[_Address, list[StatementRow]](list)
    for row in rows:
        keys = {None, row.keys} if row.keys else {None}
        for address in ((key, bucket) for key in keys for bucket in {None, row.bucket}):
            cells[address].append(row)
    slow = _percentiles(_lists(rows), (_SLOW,))
    since = _waiting_since(request, slow[0] if slow else None)
    merged = (_cell(address, found, since, slow[0] if slow else None) for address, found in cells.items())
    return [*merged]


def _cell(address: _Address, rows: Sequence[StatementRow], since: datetime | None, slow: float | None) -> StatementRow:
    """The row of one cell: its counts added up, and the percentiles of all its lengths."""
    lists = _lists(rows)
    count = sum(map(len, lists))
    summed = {
        measure: sum(getattr(row.measured, measure) for row in rows)
        for measure in ("n", "numerator", "implied", "undated", "assumed", "untouched", "skipped")
    }
    keys, bucket = address
    labels = next((row.labels for row in rows if any(row.labels)), rows[0].labels)
    return replace(
        rows[0],
        keys=rows[0].keys if keys is None else keys,
        labels=labels,
        bucket=bucket,
        is_all_keys=keys is None,
        is_all_buckets=bucket is None,
        measured=Measured(
            **summed,
            waiting=_waiting(rows, since),
            mature=_before([row.measured.entries for row in rows], since),
            mature_numerator=_before([row.measured.conversions for row in rows], since),
            slow=slow,
            percentiles=[*_percentiles(lists, _SHOWN)] or None,
            mean=float(Fraction(sum(map(sum, lists)), count * _MILLION)) if count else None,
        ),
    )


def _lists(rows: Sequence[StatementRow]) -> list[list[int]]:
    return [row.measured.lengths for row in rows if row.measured.lengths]


def _waiting_since(request: ResolvedKpiRequest, slow: float | None) -> datetime | None:
    """The instant from which a row that can still convert waits; None for any."""
    if request.window is not None:
        return request.horizon - request.window
    return None if slow is None else request.horizon - timedelta(microseconds=round(slow * _MILLION))


def _before(instants: Sequence[list[int] | None], since: datetime | None) -> int:
    """The number of instants before the one from which rows wait; 0 if all of them wait."""
    return 0 if since is None else sum(bisect_left(each, microseconds(since)) for each in instants if each)


def _waiting(rows: Sequence[StatementRow], since: datetime | None) -> int:
    waits = [row.measured.waits for row in rows if row.measured.waits]
    if since is None:
        return sum(map(len, waits))
    return sum(len(each) - bisect_left(each, microseconds(since)) for each in waits)


def _percentiles(lists: Sequence[list[int]], shares: Sequence[float]) -> list[float]:
    """The percentiles of the lists together, in seconds, interpolated as PostgreSQL does it; empty without lengths."""
    count = sum(map(len, lists))
    if not count:
        return []
    found = []
    for share in shares:
        place = share * (count - 1)
        below = floor(place)
        low, high = _neighbours(lists, below)
        found.append(low / _MILLION + (place - below) * (high / _MILLION - low / _MILLION))
    return found


def _neighbours(lists: Sequence[list[int]], place: int) -> tuple[int, int]:
    """The lengths at a place, from 0, and at the next one, in the order of all lists; the same one twice at the end.

    Found by halving the range in which the first one lies, so that the lists are not merged.
    """
    if len(lists) == 1:
        return lists[0][place], lists[0][min(place + 1, len(lists[0]) - 1)]
    least, most = min(each[0] for each in lists), max(each[-1] for each in lists)
    while least < most:
        middle = (least + most) // 2
        if sum(map(bisect_right, lists, repeat(middle))) > place:
            most = middle
        else:
            least = middle + 1
    after = [bisect_right(each, least) for each in lists]
    if sum(after) > place + 1:
        return least, least
    greater = (each[at] for each, at in zip(lists, after, strict=True) if at < len(each))
    return least, min(greater, default=least)
