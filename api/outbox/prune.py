"""Pruning: events that are older than readers can follow, and idempotency keys that no retry needs any more."""

from datetime import timedelta

from api.db import Database
from api.outbox.fact_events import NEWEST_FACT_EVENT
from api.outbox.positions import lock_state
from api.sql import Sql

EVENTS_KEPT = timedelta(days=30)
IDEMPOTENCY_KEYS_KEPT = timedelta(days=1)
BATCH = 5_000  # rows that one transaction deletes, so that nobody waits long for it


async def prune_events(database: Database) -> int:
    """Delete the events that are older than `EVENTS_KEPT`, and return their number. The newest fact stays: it dates the
    data of every answer.

    Cursors of before the last deleted one are expired from then on. The last position stays, so that the next event
    has a position of its own even if no event is kept.
    """
    deleted = 0
    while True:
        async with database.unit_of_work() as session:
            await lock_state(session)
            # In the order of positions, up to the first one that is kept: whatever is kept, nothing is missing in it.
            found = await session.row(
                Sql(
                    "with oldest as (select id, bool_and(recorded_at < now() - {}::interval) over (order by position)"
                    " as is_old from outbox_event where position is not null and id is distinct from {}"
                    " order by position limit {}::int),"
                    " gone as (delete from outbox_event e using oldest o where o.id = e.id and o.is_old"
                    " returning e.position) select count(*) as rows, max(position) as last from gone",
                    EVENTS_KEPT,
                    NEWEST_FACT_EVENT,
                    BATCH,
                )
            )
            if found is not None and found["rows"]:
                await session.run(
                    Sql("update outbox_state set kept_after = greatest(kept_after, {}::bigint)", found["last"])
                )
        rows = 0 if found is None else found["rows"]
        deleted += rows
        if rows < BATCH:
            return deleted


async def prune_idempotency_keys(database: Database) -> int:
    """Delete the idempotency keys that are older than `IDEMPOTENCY_KEYS_KEPT`, and return their number."""
    deleted = 0
    while True:
        async with database.unit_of_work() as session:
            # Keys that are in use at this moment are left to the next time.
            tag = await session.run(
                Sql(
                    "delete from idempotency_key k using (select subject, mutation, key from idempotency_key"
                    " where created_at < now() - {}::interval order by created_at limit {}::int for update skip locked)"
                    " old where (k.subject, k.mutation, k.key) = (old.subject, old.mutation, old.key)",
                    IDEMPOTENCY_KEYS_KEPT,
                    BATCH,
                )
            )
        rows = int(tag.rpartition(" ")[2])
        deleted += rows
        if rows < BATCH:
            return deleted
