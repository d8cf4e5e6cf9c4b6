"""Positions of events: the order in which readers follow them, without gaps.

A transaction cannot know its place in the order of commits, so that events get their positions after it: whatever is
committed and has none gets the next ones, in the order in which it was written. An event that becomes visible later has
a later position. So a reader who has read up to a position misses nothing before it.

Events of one record have the order of its changes: whoever writes the second one has waited for the first to commit.
"""

from itertools import count

import asyncpg

from api.db import Database, Session, WriteSession
from api.sql import Sql

BATCH = 5_000  # events that one transaction numbers; tens of milliseconds

_HAS_UNPLACED = Sql("select exists (select from outbox_event where position is null)")


async def place_events(database: Database, *, batches: int | None = None) -> int:
    """Give positions to the committed events that have none, and return their number; with `batches`, to so many.

    Several callers go one after the other: the row of outbox_state is their lock. A caller who does not get it within
    a second leaves the work to whoever has it.

    Shapes: outbox_event without position -> with the positions that follow the last one.
    """
    placed, runs = 0, count() if batches is None else range(batches)
    for _ in runs:
        if not await has_unplaced(database):
            break
        try:
            placed += await _place_batch(database)
        except asyncpg.LockNotAvailableError:
            break
    return placed


async def has_unplaced(database: Database) -> bool:
    """Return whether a committed event has no position yet."""
    text, values = _HAS_UNPLACED.render()
    return bool(await database.value(text, values))


async def _place_batch(database: Database) -> int:
    async with database.unit_of_work() as session:
        last, _ = await lock_state(session)
        # A statement of its own: it has to see what the last holder of the lock committed.
        tag = await session.run(
            Sql(
                "update outbox_event e set position = {}::bigint + n.place from (select id, row_number() over"
                " (order by recorded_at, id) as place from outbox_event where position is null"
                " order by recorded_at, id limit {}::int) n where e.id = n.id",
                last,
                BATCH,
            )
        )
        placed = int(tag.rpartition(" ")[2])
        await session.run(Sql("update outbox_state set last_position = last_position + {}::bigint", placed))
    return placed


async def lock_state(session: WriteSession) -> tuple[int, int]:
    """Lock the state of the outbox until the transaction ends. Return the last position, and `kept_after`."""
    await session.run(
        Sql("insert into outbox_state (number, last_position, kept_after) values (1, 0, 0) on conflict do nothing")
    )
    row = await session.row(Sql("select last_position, kept_after from outbox_state for update"))
    if row is None:
        raise TypeError("outbox_state lost its row")
    return row["last_position"], row["kept_after"]


async def read_state(session: Session) -> tuple[int, int]:
    """Return the last position, and the one from which on readers can follow; zeros before the first event."""
    row = await session.row(Sql("select last_position, kept_after from outbox_state"))
    return (row["last_position"], row["kept_after"]) if row is not None else (0, 0)


async def expire_cursors(session: WriteSession) -> None:
    """Let every reader copy the records anew: so much changes at once that following it would take longer.

    The last step of a transaction: it keeps others from giving positions until the transaction ends.
    """
    await lock_state(session)
    # A position that no event has: a cursor of before is before it, one of after the commit is not.
    await session.run(Sql("update outbox_state set last_position = last_position + 1, kept_after = last_position + 1"))
