"""Pages of the records that a figure counts."""

from dataclasses import dataclass

import asyncpg

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import ContactPressure, DrillDown
from api.metrics.readings.known_session import facts_session
from api.metrics.record_lists.record_order import DEFAULT_ORDER, CountedRecord, RecordOrder
from api.sql import Sql, all_of
from schema.clauses.contact_policy import ContactPolicy
from schema.vocab import RecordSide


@dataclass(frozen=True, slots=True)
class RecordPage:
    """One page of the list, and whether there are records outside it; `total` only if requested."""

    records: tuple[CountedRecord, ...]
    has_more: bool  # between the cursors, after the page in the direction of reading
    is_after_some: bool = False  # at or before the cursor `after`
    is_before_some: bool = False  # at or after the cursor `before`
    total: int | None = None


async def read_page(
    session: ReadSession,
    drill_down: DrillDown,
    side: RecordSide,
    *,
    size: int,
    after: str | None = None,
    before: str | None = None,
    is_last: bool = False,
    needs_total: bool = False,
    needs_pressure: bool = False,
    order: RecordOrder = DEFAULT_ORDER,
) -> RecordPage:
    """Read the first records of a figure between two cursors, or with `is_last` the last ones.

    With `needs_pressure`, records of people who were over the contact policy have their `pressure`, if the KPI counts
    touches against it.

    Shapes: one figure -> at most `size` CountedRecords, in the given order. Reads one statement.
    Errors: BAD_INPUT for a side that the KPI does not have, an order by values that its records do not have, or a
    cursor that does not belong to such a list in this order.
    """
    policy = drill_down.contact_policy if needs_pressure or order.needs_pressure else None
    if order.needs_pressure and policy is None:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            "`orderBy` sorts by `contactPressure`, which the records of this figure do not have.",
            "Sort by `at`. Only the records of OVER_PRESSURE_RATE have a contact pressure.",
        )
    rows = drill_down.rows(side, has_pressure=policy is not None)
    behind = None if after is None else order.beyond("after", after)
    ahead = None if before is None else order.beyond("before", before)
    # Then the statement reads the whole list once and keeps it; else it stops after the page.
    is_whole = needs_total or after is not None or before is not None
    # One more record than requested shows whether there are more.
    page = Sql(
        "select r.* from {} r where {} order by {} limit {}",
        Sql("counted") if is_whole else Sql("({})", rows),
        all_of(inside for inside in (behind, ahead) if inside is not None),
        order.reversed_sql if is_last else order.sql,
        size + 1,
    )
    if is_whole:
        total = Sql("(select count(*) from counted)") if needs_total else Sql("null::bigint")
        around = Sql(
            "select {} as total, {} as after_some, {} as before_some", total, _is_some(behind), _is_some(ahead)
        )
        page = Sql(
            "with counted as materialized ({}) select t.*, r.* from ({}) t left join ({}) r on true order by {}",
            rows,
            around,
            page,
            order.reversed_sql if is_last else order.sql,
        )
    found = await facts_session(session, drill_down.known_at).rows(page)
    records = [_record(row, order, policy) for row in found if row["id"] is not None]
    has_more = len(records) > size
    shown = tuple(reversed(records[:size])) if is_last else tuple(records[:size])
    if not is_whole:
        return RecordPage(shown, has_more)
    return RecordPage(shown, has_more, found[0]["after_some"], found[0]["before_some"], found[0]["total"])


def _is_some(inside: Sql | None) -> Sql:
    return Sql("false") if inside is None else Sql("exists (select from counted r where not {})", inside)


def _record(row: asyncpg.Record, order: RecordOrder, policy: ContactPolicy | None) -> CountedRecord:
    pressure = None
    if policy is not None and row["touches"] is not None:
        pressure = ContactPressure(
            touches=row["touches"],
            at_most=policy.at_most,
            within=policy.within,
            first_touch_at=row["first_touch_at"],
            last_touch_at=row["last_touch_at"],
        )
    return CountedRecord(row["id"], row["at"], row["tie"], row["value"], pressure, order)
