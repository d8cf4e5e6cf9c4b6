"""Evaluate the contacts whose stage entries time alone may have changed."""

from datetime import datetime

import asyncpg

from api.db import Database
from api.funnel.following.compiled_accord import current_evaluation
from api.funnel.following.follow_changes import entry_event
from api.funnel.following.reevaluate import reevaluate
from api.outbox.record_changes import Author, write_changes
from api.sql import Sql

_BATCH = 200
_AUTHOR = Author("Accord", "wakeContacts")


async def wake_contacts(database: Database) -> int:
    """Evaluate every contact whose wake-up is due, some at a time, each time in a unit of work of its own.

    Shapes: due rows of wake_up -> the number of contacts evaluated. Writes what `reevaluate` writes, and outbox_event
            for each entry that changed. Contacts that another writer has locked stay due.
    """
    woken = 0
    while True:
        try:
            batch = await _wake_some(database)
        except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
            return woken
        woken += batch
        if batch < _BATCH:
            return woken


async def next_wake_up(database: Database) -> datetime | None:
    """The next instant at which a contact is due; None if there is none."""
    async with database.read() as session:
        at: datetime | None = await session.value(Sql("select min(due_at) from wake_up"))
    return at


async def _wake_some(database: Database) -> int:
    async with database.unit_of_work() as session:
        if await current_evaluation(session) is None:
            return 0
        rows = await session.rows(
            Sql("select contact_id from wake_up where due_at <= clock_timestamp() order by due_at limit {}", _BATCH)
        )
        changes = await reevaluate(session, [row["contact_id"] for row in rows])
        await write_changes(session, _AUTHOR, (), tuple(map(entry_event, changes)))
    return len(rows)
