"""The evaluation of the standard accord, beside hand-written SQL for the same rows."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from uuid import uuid4

from api.accord.in_force import AccordPeriod, accord_periods
from api.db import Connection, ScratchSession, WriteSession
from api.funnel.derivation import derived_entries
from api.funnel.evaluate import discard_former_entries, evaluate
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id
from tests.bench.funnel_meter import Comparison, Cost, Side, compare, metered

_BY_HAND = Path(__file__).with_name("funnel_standard.sql")
_TWO_VERSIONS = Path(__file__).with_name("funnel_two_versions.sql")
_HAND_STAGES = [f"hand_{stage}" for stage in ("inquiry", "mql", "sal", "sql", "opportunity", "customer")]
COLUMNS = "contact_id, rank, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied"


async def compare_derived(connection: Connection, as_of: datetime, rounds: int) -> Comparison:
    """Compare deriving the entries into a temp table; every run is rolled back."""

    async def ours(session: ScratchSession) -> None:
        periods = await accord_periods(session)
        async with derived_entries(session, periods, as_of) as derived:
            await session.run(Sql(f"create temp table found on commit drop as select {COLUMNS} from ({{}}) e", derived))

    async def by_hand(session: ScratchSession) -> None:
        await run_standard_by_hand(session, as_of)

    return await compare("derived", rolled_back(connection, ours), rolled_back(connection, by_hand), rounds)


async def compare_two_versions(
    connection: Connection, activation: datetime, as_of: datetime, rounds: int
) -> Comparison:
    """Compare deriving the entries by two versions, of which the second has another rule for one stage."""

    async def ours(session: ScratchSession) -> None:
        [standard] = await accord_periods(session)
        async with derived_entries(session, _with_another_mql(standard, activation), as_of) as derived:
            await session.run(Sql(f"create temp table found on commit drop as select {COLUMNS} from ({{}}) e", derived))

    async def by_hand(session: ScratchSession) -> None:
        empty = f"select {COLUMNS} from stage_entry where false"
        await session.script(f"create temp table hand_entry on commit drop as {empty}")
        await _run_by_hand(session, as_of, "hand_entry", activation)

    async with connection.transaction():
        session = ScratchSession(connection)
        await ours(session)
        await by_hand(session)
        await require_equal(connection, "found", "hand_entry")
        await session.script("drop table found, hand_entry, hand_life, hand_deal, hand_loss, hand_segment")
        await session.script(f"drop table {', '.join(_HAND_STAGES)}")
    return await compare(
        "derived, two versions", rolled_back(connection, ours), rolled_back(connection, by_hand), rounds
    )


def _with_another_mql(standard: AccordPeriod, activation: datetime) -> tuple[AccordPeriod, ...]:
    """The standard accord, and a version that asks for three inbound touches within 60 days."""
    document = standard.accord.model_dump(mode="json", by_alias=True, exclude_none=True)
    [mql] = [stage for stage in document["stages"] if stage["key"] == "mql"]
    [touches] = [part["touches"] for part in mql["rule"]["all"] if "touches" in part]
    touches |= {"at_least": 3, "within": "60 days"}
    second = AccordPeriod(new_id(), Accord.model_validate(document), activation)
    return replace(standard, in_force_until=activation), second


async def compare_stored(connection: Connection, as_of: datetime, rounds: int) -> Comparison:
    """Compare deriving the entries and replacing the stored ones, in one commit. Both sides must store equal rows."""
    await connection.execute("drop table if exists bench_entry")
    await connection.execute("create table bench_entry (like stage_entry including all)")
    for column in ("evaluation_id", "accord_version_id"):
        await connection.execute(f"alter table bench_entry alter {column} set default '{uuid4()}'")

    async def ours(session: WriteSession) -> None:
        await evaluate(session, as_of=as_of)
        await discard_former_entries(session)

    async def by_hand(session: WriteSession) -> None:
        await session.script("delete from bench_entry")
        await _run_by_hand(session, as_of, "bench_entry")
        await session.script("analyze bench_entry")

    sides = _committed(connection, ours), _committed(connection, by_hand)
    comparison = await compare("derived and stored", *sides, rounds)
    await require_equal(connection, "stage_entry", "bench_entry")
    return comparison


async def entries(connection: Connection) -> int:
    """Count the entries of the current evaluation."""
    return int(await connection.fetchval("select count(*) from stage_entry"))


def rolled_back(connection: Connection, work: Callable[[ScratchSession], Awaitable[None]]) -> Side:
    """Make work a side of a comparison: one transaction, measured from its start to its rollback."""

    async def run() -> Cost:
        async with _measured_transaction(connection, commits=False) as cost:
            await work(ScratchSession(connection))
        return cost

    return run


def _committed(connection: Connection, work: Callable[[WriteSession], Awaitable[None]]) -> Side:
    """Make work a side of a comparison: one transaction, measured from its start to its commit."""

    async def run() -> Cost:
        async with _measured_transaction(connection, commits=True) as cost:
            await work(WriteSession(connection))
        # Autovacuum would do this at a time of its own; no round should pay for the one before.
        await connection.execute("vacuum stage_entry, bench_entry")
        return cost

    return run


@asynccontextmanager
async def _measured_transaction(connection: Connection, *, commits: bool) -> AsyncIterator[Cost]:
    async with metered(connection.get_server_pid()) as cost:
        transaction = connection.transaction()
        await transaction.start()
        yield cost
        await (transaction.commit() if commits else transaction.rollback())


async def _run_by_hand(
    session: ScratchSession, as_of: datetime, target: str, activation: datetime | None = None
) -> None:
    """Run the statements by hand; with an activation, by two versions."""
    text = _BY_HAND.read_text(encoding="utf-8")
    if activation is not None:
        first = text.index("create temp table hand_mql")
        last = text.index("create temp table hand_sal")
        text = text[:first] + _TWO_VERSIONS.read_text(encoding="utf-8") + text[last:]
        text = text.replace(":activation", f"timestamptz '{activation.isoformat()}'")
    await session.script(text.replace(":as_of", f"timestamptz '{as_of.isoformat()}'").replace(":entry", target))


async def run_standard_by_hand(session: ScratchSession, as_of: datetime) -> None:
    """Fill the temp table `hand_entry` by the statements by hand, in the transaction of the session."""
    empty = f"select {COLUMNS} from stage_entry where false"
    await session.script(f"create temp table hand_entry on commit drop as {empty}")
    await _run_by_hand(session, as_of, "hand_entry")


async def require_equal(connection: Connection, *tables: str) -> None:
    """Check that two tables have the same entries. Errors: SystemExit if they differ."""
    one, other = (f"select {COLUMNS} from {table}" for table in tables)
    differing = await connection.fetchval(
        f"select count(*) from (({one} except all {other}) union all ({other} except all {one})) d"
    )
    if differing:
        raise SystemExit(f"The results of the two sides differ in {differing} rows, so they cannot be compared.")
