"""Positions of events: the order in which readers follow them, without gaps.

A transaction cannot know its place in the order of commits, so that events get their positions after it: whatever is
committed and has none gets the next ones, in the order in which it was written. An event that becomes visible later has
a later position. So a reader who has read up to a position misses nothing before it.

Events of one record have the order of its changes: whoever writes the second one has waited for the first to commit.
"""

import secrets
from dataclasses import dataclass
from itertools import count

import asyncpg

from api.db import Database, Session, WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql

BATCH = 5_000  # events that one transaction numbers; tens of milliseconds

# Without its row, the outbox has no secret for cursors: so the first reader makes it, even before any event.
_IS_DUE = Sql(
    "select exists (select from outbox_event where position is null) or not exists (select from outbox_state)"
)


@dataclass(frozen=True, slots=True)
class OutboxPositions:
    """How far positions are given, and from where readers can follow. `secret` is for `ChangeCursors`."""

    last: int
    kept_after: int
    secret: str


async def place_events(database: Database, *, batches: int | None = None) -> int:
    """Give positions to the committed events that have none, and return their number; with `batches`, to so many.

    Several callers go one after the other: the row of outbox_state is their lock. A caller who does not get it within
    a second leaves the work to whoever has it.

    Shapes: outbox_event without position -> with the positions that follow the last one.
    """
    database.require_primary()
    placed, runs = 0, count() if batches is None else range(batches)
    for _ in runs:
        if not await _is_due(database):
            break
        try:
            placed += await _place_batch(database)
        except asyncpg.LockNotAvailableError:
            break
    return placed


async def _is_due(database: Database) -> bool:
    """Return whether a committed event has no position yet, or the outbox no state."""
    text, values = _IS_DUE.render()
    return bool(await database.value(text, values))


async def _place_batch(database: Database) -> int:
    async with database.unit_of_work() as session:
        last = (await lock_state(session)).last
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


async def lock_state(session: WriteSession) -> OutboxPositions:
    """Lock the state of the outbox until the transaction ends, and return it."""
    await session.run(
        Sql(
            "insert into outbox_state (number, last_position, kept_after, secret) values (1, 0, 0, {})"
            " on conflict do nothing",
            secrets.token_hex(32),
        )
    )
    state = await _state(session, locked=True)
    if state is None:
        raise TypeError("outbox_state lost its row")
    return state


async def read_state(session: Session) -> OutboxPositions:
    """Return the state of the outbox, which `place_events` makes. Errors: BUSY while another reader makes it."""
    state = await _state(session)
    if state is None:
        raise AccordError(ErrorCode.BUSY, "The first reader of changes is preparing them.", "Send the request again.")
    return state


async def _state(session: Session, *, locked: bool = False) -> OutboxPositions | None:
    lock = Sql(" for update" if locked else "")
    row = await session.row(Sql("select last_position, kept_after, secret from outbox_state{}", lock))
    return None if row is None else OutboxPositions(row["last_position"], row["kept_after"], row["secret"])


async def expire_cursors(session: WriteSession) -> None:
    """Let every reader copy the records anew: so much changes at once that following it would take longer.

    The last step of a transaction: it keeps others from giving positions until the transaction ends.
    """
    await lock_state(session)
    # A position that no event has: a cursor of before is before it, one of after the commit is not.
    await session.run(Sql("update outbox_state set last_position = last_position + 1, kept_after = last_position + 1"))
