"""The evaluation of the standard accord beside the same rows from hand-written SQL."""

from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import TypeAlias
from uuid import uuid4

import asyncpg

from api.accord.in_force import accord_in_force
from api.db import WriteSession
from api.funnel.evaluate import derived, evaluate
from api.sql import Sql
from tests.bench.funnel_meter import Beside, Cost, Side, beside, metered

_BY_HAND = Path(__file__).with_name("funnel_standard.sql")
_COLUMNS = "contact_id, rank, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied"

Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record]"


async def compare_derived(connection: Connection, as_of: datetime, rounds: int) -> Beside:
    """Derive the entries into a temp table, and give everything back."""

    async def ours(session: WriteSession) -> None:
        accord = (await accord_in_force(session)).accord
        async with derived(session, accord, as_of) as found:
            await session.run(Sql("create temp table found on commit drop as select * from ({}) e", found))

    async def rival(session: WriteSession) -> None:
        empty = f"select {_COLUMNS} from stage_entry where false"
        await session.script(f"create temp table hand_entry on commit drop as {empty}")
        await _by_hand(session, as_of, "hand_entry")

    by_hand = _side(connection, rival, commits=False)
    return await beside("derived", _side(connection, ours, commits=False), by_hand, rounds)


async def compare_stored(connection: Connection, as_of: datetime, rounds: int) -> Beside:
    """Derive the entries and put them in the place of those before, in one commit; the rows must be the same."""
    await connection.execute("drop table if exists bench_entry")
    await connection.execute("create table bench_entry (like stage_entry including all)")
    for column in ("evaluation_id", "accord_version_id"):
        await connection.execute(f"alter table bench_entry alter {column} set default '{uuid4()}'")

    async def ours(session: WriteSession) -> None:
        await evaluate(session, as_of=as_of)

    async def rival(session: WriteSession) -> None:
        await session.script("delete from bench_entry")
        await _by_hand(session, as_of, "bench_entry")
        await session.script("analyze bench_entry")

    by_hand = _side(connection, rival, commits=True)
    found = await beside("derived and stored", _side(connection, ours, commits=True), by_hand, rounds)
    await _require_equal(connection)
    return found


async def entries(connection: Connection) -> int:
    """How many entries the current evaluation has."""
    return int(await connection.fetchval("select count(*) from stage_entry"))


def _side(connection: Connection, work: Callable[[WriteSession], Awaitable[None]], *, commits: bool) -> Side:
    """Make work a side of a comparison: one transaction, measured from its beginning to its end."""

    async def run() -> Cost:
        async with metered(connection.get_server_pid()) as cost:
            transaction = connection.transaction()
            await transaction.start()
            await work(WriteSession(connection))
            await (transaction.commit() if commits else transaction.rollback())
        if commits:
            # What autovacuum would do at a time of its own, so that no round pays for the one before.
            await connection.execute("vacuum stage_entry, bench_entry")
        return cost

    return run


async def _by_hand(session: WriteSession, as_of: datetime, target: str) -> None:
    text = _BY_HAND.read_text(encoding="utf-8")
    await session.script(text.replace(":as_of", f"timestamptz '{as_of.isoformat()}'").replace(":entry", target))


async def _require_equal(connection: Connection) -> None:
    one, other = (f"select {_COLUMNS} from {table}" for table in ("stage_entry", "bench_entry"))
    differing = await connection.fetchval(
        f"select count(*) from (({one} except all {other}) union all ({other} except all {one})) d"
    )
    if differing:
        raise SystemExit(f"The two sides differ in {differing} rows: this is no comparison.")
