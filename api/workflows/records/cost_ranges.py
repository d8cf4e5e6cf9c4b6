"""Costs of campaigns: the ranges of days of one campaign and source do not overlap."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date
from uuid import UUID

from api.sql import Sql
from api.workflows.records.planned_row import PlannedRow
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.user_errors import UserErrorCode

_PLACED_BY = ("campaign_id", "source", "from_on", "before_on")

_Owner = tuple[UUID, str]  # a campaign and a source
_Range = tuple[date, date, UUID]  # the first day, the day after the last one, and the id of the cost


def order_of_range(row: PlannedRow) -> None:
    """Note if a range ends before it begins."""
    first, before = row.value("from_on"), row.value("before_on")
    if first is not None and before is not None and before <= first:
        message = f"The range ends before {before}, so it cannot begin on {first}. Name the day after its last day."
        row.reject("before_on", UserErrorCode.OUT_OF_ORDER, message)


async def disjoint_ranges(work: UnitOfWork, rows: Sequence[PlannedRow]) -> None:
    """Note the ranges that overlap one that is stored, or that of an earlier row.

    All rows are written at once, so ranges may also change places. Two statements, however many rows.
    """
    placed = [row for row in rows if {*_PLACED_BY, "deleted_at"} & row.changes.keys() and _is_complete(row)]
    if not placed:
        return
    owners = sorted({_owner(row) for row in placed}, key=str)
    await _lock(work, owners)
    stored = await _stored(work, owners)
    # Rows with other errors are not written, but their callers get all that is wrong with them.
    others = [row for row in placed if row.errors]
    while True:
        written = [row for row in placed if not row.errors]
        taken = _taken(stored, {row.id for row in written})
        _note_overlaps(written, taken, adds=True)
        if not any(row.errors for row in written):
            break
        # A row that was refused keeps its stored range, which may be in the way of another one.
    _note_overlaps(others, taken, adds=False)


def _taken(
    stored: Sequence[tuple[_Owner, _Range]], moved: Collection[UUID | None]
) -> defaultdict[_Owner, list[_Range]]:
    """Return the ranges of the costs that are not moved, in their order."""
    taken: defaultdict[_Owner, list[_Range]] = defaultdict(list)
    for owner, range_ in stored:
        if range_[2] not in moved:
            taken[owner].append(range_)
    return taken


def _note_overlaps(rows: Sequence[PlannedRow], taken: Mapping[_Owner, list[_Range]], *, adds: bool) -> None:
    """Note the rows that overlap a range; add those of the others to the ranges if wanted."""
    for row in rows:
        own, ranges = _range(row), taken[_owner(row)]
        place = bisect_left(ranges, own)
        # Ranges that do not overlap and are in order: the neighbours decide; one of them may be the row's own.
        for first, before, id_ in ranges[max(place - 2, 0) : place + 2]:
            if id_ != row.id and first < own[1] and own[0] < before:
                days = f"{first} to before {before}"
                message = f"These days overlap those of another cost of the same campaign and source: {days}."
                row.reject("from_on", UserErrorCode.DUPLICATE, message)
                break
        else:
            if adds:
                ranges.insert(place, own)


def _is_complete(row: PlannedRow) -> bool:
    first, before = row.value("from_on"), row.value("before_on")
    return None not in (*_owner(row), first, before) and first < before


def _range(row: PlannedRow) -> _Range:
    if row.id is None:
        raise TypeError("a planned row has an id")
    return row.value("from_on"), row.value("before_on"), row.id


def _owner(row: PlannedRow) -> _Owner:
    return row.value("campaign_id"), row.value("source")


async def _lock(work: UnitOfWork, owners: Sequence[_Owner]) -> None:
    """Let one transaction at a time write costs of a campaign and a source, in one order for all."""
    keys = [f"campaign_cost.{campaign}.{source}" for campaign, source in owners]
    await work.session.run(
        Sql(
            "select pg_advisory_xact_lock(key) from (select distinct hashtext(k) as key from unnest({}::text[]) k"
            " order by 1) keys",
            keys,
        )
    )


async def _stored(work: UnitOfWork, owners: Sequence[_Owner]) -> list[tuple[_Owner, _Range]]:
    """Return the stored ranges of campaigns and sources, in their order; without the deleted ones."""
    rows = await work.session.rows(
        Sql(
            "select c.id, c.campaign_id, c.source, c.from_on, c.before_on from campaign_cost c"
            " join unnest({}::uuid[], {}::text[]) as o (campaign_id, source)"
            " on c.campaign_id = o.campaign_id and c.source = o.source where c.deleted_at is null"
            " order by c.from_on, c.before_on, c.id",
            *([campaign for campaign, _ in owners], [source for _, source in owners]),
        )
    )
    return [((row["campaign_id"], row["source"]), (row["from_on"], row["before_on"], row["id"])) for row in rows]
