"""For which sessions a migration waits, said on a line that repeats rarely.

Another connection looks, because the one that waits cannot. A line names process id, application and since when, and
nothing of users, addresses or statements.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

from api.db import DATABASE_FAILURES, AdvisoryLock
from api.errors import AccordError
from api.revisions.connection import connect_as_migration

Report = Callable[[str], None]
"""Called with a line that says for whom a migration waits."""

_LOOK_SECONDS = 1.0
_REPEAT_SECONDS = 20.0
# The advisory lock is polled, so that PostgreSQL does not know that the migration waits for its holder.
_WAITED_FOR = """
select pid, application_name, xact_start is not null as is_in_transaction,
       to_char(coalesce(xact_start, backend_start) at time zone 'UTC', 'HH24:MI:SS') as since
from pg_stat_activity
where pid <> $1 and (pid = any(pg_blocking_pids($1)) or pid in (
  select pid from pg_locks
  where locktype = 'advisory' and granted and objsubid = 1
    and (classid::bigint << 32 | objid::bigint) = $2
    and database = (select oid from pg_database where datname = current_database())))
order by coalesce(xact_start, backend_start), pid
"""


def report_nothing(_line: str) -> None:
    """Report nothing."""


@asynccontextmanager
async def reporting_waits(dsn: str, process: int, report: Report) -> AsyncIterator[None]:
    """Report for whom the session with this process id waits, for as long as the block lasts."""
    looking = asyncio.create_task(_look(dsn, process, report))
    try:
        yield
    finally:
        looking.cancel()
        with suppress(asyncio.CancelledError):
            await looking


async def _look(dsn: str, process: int, report: Report) -> None:
    """Look every second. Report what was found if it changed, and otherwise every 20 seconds."""
    await asyncio.sleep(_LOOK_SECONDS)  # most migrations are done by then, without another connection
    try:
        connection = await connect_as_migration(dsn)
    except AccordError as error:
        report(f"For whom the migration waits is not reported: {error.message}")
        return
    try:
        await _look_again(connection, process, report)
    except DATABASE_FAILURES as error:
        report(f"For whom the migration waits is not reported any more: {error}")
    finally:
        connection.terminate()


async def _look_again(connection: "asyncpg.Connection[asyncpg.Record]", process: int, report: Report) -> None:
    clock = asyncio.get_running_loop().time
    said, said_at = "", 0.0
    while True:
        rows = await connection.fetch(_WAITED_FOR, process, AdvisoryLock.LOADING.value)
        line = "; ".join(_described(row) for row in rows)
        if line and (line != said or clock() - said_at >= _REPEAT_SECONDS):
            report(f"Waiting for {line}.")
            said, said_at = line, clock()
        await asyncio.sleep(_LOOK_SECONDS)


def _described(row: asyncpg.Record) -> str:
    # PostgreSQL hides the name and the times of other users' sessions from a role without pg_read_all_stats.
    name = f" ({row['application_name']})" if row["application_name"] else ""
    state = "in a transaction" if row["is_in_transaction"] else "connected"
    since = f", {state} since {row['since']} UTC" if row["since"] else ""
    return f"session {row['pid']}{name}{since}"
