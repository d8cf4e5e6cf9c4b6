"""Drift: stored stage entries and journeys that differ from what the facts and the accord imply."""

from dataclasses import dataclass

from asyncpg import Record

from api.access.evaluation import is_current
from api.accord.in_force import accord_periods
from api.db import ScratchSession
from api.errors import AccordError, ErrorCode
from api.funnel.derivation import derived_entries
from api.funnel.journeys.deal_rows import deal_rows
from api.funnel.journeys.deal_spans import deal_spans
from api.funnel.journeys.journey_rows import entry_rows, handoff_rows
from api.funnel.journeys.journey_tables import DEALS, ENTRIES, HANDOFFS, SPANS
from api.funnel.journeys.stored_journeys import differing_journeys
from api.funnel.ladder import Ladder, ladder_of
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.stored_entries import differing_entries
from api.progress import Progress
from api.sql import Sql, name

_EXAMPLES = 3
# Contacts whose wake-up is due are left out: time has changed their entries, and the worker has not come to them yet.
# The window functions count before the limit applies.
_DIFFERENCES = """select 'contact_' || contact_id as owner, stage, occurrence,
  stored_rank is null as is_missing, rank is null as is_extra,
  count(*) filter (where stored_rank is null) over () as missing, count(*) filter (where rank is null) over () as extra,
  count(*) filter (where stored_rank is not null and rank is not null) over () as changed
from ({}) differing
where contact_id not in (select contact_id from wake_up where due_at <= {})
order by contact_id, stage, occurrence limit {}"""


_DIFFERING_JOURNEYS = """select {} as owner, {} as stage, not is_stored as is_missing, not is_derived as is_extra,
  count(*) filter (where not is_stored) over () as missing, count(*) filter (where not is_derived) over () as extra,
  count(*) filter (where is_stored and is_derived) over () as changed
from ({}) differing
where {} not in (select contact_id from wake_up where due_at <= {})
order by 1, {} limit {}"""
# What a row of each table is called in the message, and the column that orders the rows of a record.
_WHICH = {
    ENTRIES: ("stage", "counted_at"),
    HANDOFFS: ("'handoff'", "counted_at"),
    DEALS: ("event", "counted_at"),
    SPANS: ("'open span'", "starts_at"),
}


@dataclass(frozen=True, slots=True)
class DriftCheck:
    """A check that found no drift: how many entries are stored, and how many contacts are yet to be woken."""

    entries: int
    due: int


async def check_entries(session: ScratchSession, progress: Progress | None = None) -> DriftCheck:
    """Compare the current evaluation with a rebuild by the same versions, as of now: entries, then journeys.

    Contacts whose wake-up is due are counted, not compared.

    Shapes: current evaluation -> DriftCheck. Writes nothing permanent.
    Errors: NOT_EVALUATED without a current evaluation; DRIFT with counts and examples if they differ.
    Source: api/README.md, "The evaluator": entries are derived, and a rebuild gives the same rows.
    """
    current = await session.row(
        Sql("select v.id, v.accord_version_id, clock_timestamp() as now from evaluation v where {}", is_current("v"))
    )
    if current is None:
        message, remedy = "No contact has been evaluated by the accord yet.", "Run `accord evaluate`."
        raise AccordError(ErrorCode.NOT_EVALUATED, message, remedy)
    periods = await accord_periods(session, up_to=current["accord_version_id"])
    stored = Sql("select * from stage_entry where evaluation_id = {}", current["id"])
    async with derived_entries(session, periods, current["now"], progress) as rebuilt:
        differing = differing_entries(stored, rebuilt)
        differences = await session.rows(Sql(_DIFFERENCES, differing, current["now"], _EXAMPLES))
        if differences:
            raise _drift(differences, "entries")
        for found in await _differing_journeys(session, ladder_of(periods), current):
            raise _drift(found, "journeys")
    return DriftCheck(
        await session.value(Sql("select count(*) from stage_entry where evaluation_id = {}", current["id"])),
        await session.value(Sql("select count(*) from wake_up where due_at <= {}", current["now"])),
    )


async def _differing_journeys(session: ScratchSession, ladder: Ladder, current: Record) -> list[list[Record]]:
    """Find the stored journeys that differ from those of the stored entries; the derivation's tables exist.

    Shapes: one list of examples for each table that differs.
    """
    has_merged = await session.value(Sql("select exists (select from funnel_merged)"))
    facts = VisibleFacts(bound_instant(current["now"]), has_merged)
    entries = Sql("select * from stage_entry where evaluation_id = {}", current["id"])
    derived = {
        ENTRIES: entry_rows(ladder, entries, facts),
        HANDOFFS: handoff_rows(ladder, facts),
        DEALS: deal_rows(ladder),
        SPANS: deal_spans(ladder),
    }
    found = []
    for table, rows in derived.items():
        stored = Sql("select * from {} where evaluation_id = {}", name(table.name), current["id"])
        record, _, _ = table.key[0].rpartition("_id")
        owner = Sql(f"'{record}_' || {record}_id")
        which, order = (Sql(text) for text in _WHICH[table])
        differing = differing_journeys(table, stored, rows)
        key = Sql(table.key[0])
        statement = Sql(_DIFFERING_JOURNEYS, owner, which, differing, key, current["now"], order, _EXAMPLES)
        found.append(await session.rows(statement))
    return [differences for differences in found if differences]


def _drift(differences: list[Record], what: str) -> AccordError:
    counts = ", ".join(f"{differences[0][key]:,} {key}" for key in ("missing", "extra", "changed"))
    examples = "; ".join(_example(row) for row in differences)
    message = f"The stored {what} differ from a rebuild: {counts}. First differences: {examples}."
    return AccordError(ErrorCode.DRIFT, message, "Rebuild them with `accord evaluate`.")


def _example(row: Record) -> str:
    how = "is missing" if row["is_missing"] else "should not exist" if row["is_extra"] else "has other values"
    occurrence = row.get("occurrence")
    which = "" if occurrence is None else f" (entry {occurrence})"
    return f"{row['owner']} {row['stage']}{which} {how}"
