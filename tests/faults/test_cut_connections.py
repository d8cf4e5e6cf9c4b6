"""Connections between Accord and PostgreSQL are cut while clients write: clear errors, and recovery by itself."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable

import asyncpg
import httpx
import pytest

from api.embedded import EmbeddedServer, start
from tests.faults.conftest import World, served_world
from tests.faults.cutting_proxy import CuttingProxy, cutting_proxy
from tests.faults.processes import Installation
from tests.faults.test_kills import keep_writing

pytestmark = pytest.mark.faults

WRITERS = 3
CUTS = 10


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> EmbeddedServer:
    """PostgreSQL behind the proxy; `served_world` stops it."""
    return start(tmp_path_factory.mktemp("cut") / "data")


@pytest.fixture(scope="module")
async def proxy(postgres: EmbeddedServer, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[CuttingProxy]:
    async with cutting_proxy(postgres.host, tmp_path_factory.mktemp("socket") / "proxy") as made:
        yield made


@pytest.fixture(scope="module")
async def world(postgres: EmbeddedServer, proxy: CuttingProxy) -> AsyncIterator[World]:
    """An installation whose processes reach PostgreSQL through the proxy alone."""
    address = f"postgresql://postgres@/accord?host={proxy.folder}"
    async with served_world(Installation(postgres.data_dir.parent, address), postgres) as made:
        yield made


async def terminate(world: World, _: CuttingProxy) -> None:
    """End all sessions, as an operator or a failover does."""
    connection = await asyncpg.connect(world.dsn)
    try:
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'accord'"
        )
    finally:
        await connection.close()


async def cut(_world: World, proxy: CuttingProxy) -> None:
    """Cut all connections, as a network does."""
    proxy.cut()


async def refuse(_world: World, proxy: CuttingProxy) -> None:
    """Cut all connections and refuse new ones for a while."""
    proxy.refuses = True
    proxy.cut()
    await asyncio.sleep(1)
    proxy.refuses = False


async def cut_after_commit(_world: World, proxy: CuttingProxy) -> None:
    """Cut the connections of the next two commits between PostgreSQL's commit and its answer."""
    proxy.after_commits = 2
    for _ in range(proxy.after_commits):
        await asyncio.wait_for(proxy.cuts_after_commit.get(), 60)


@pytest.mark.parametrize("fault", [terminate, cut, refuse, cut_after_commit], ids=lambda fault: fault.__name__)
async def test_cut_connections_end_in_coded_errors_and_writes_go_on(
    world: World,
    proxy: CuttingProxy,
    seed: int,
    fault: Callable[[World, CuttingProxy], Awaitable[None]],
) -> None:
    print(f"SEED={seed}, {fault.__name__}")
    chooser = random.Random(f"{seed}-{fault.__name__}")
    is_over = asyncio.Event()
    name = fault.__name__.replace("_", "")
    async with httpx.AsyncClient(base_url=world.installation.address, timeout=60) as client:
        writers = world.writers(client, name, WRITERS, chooser)
        tasks = [asyncio.create_task(keep_writing(writer, is_over)) for writer in writers]
        if world.written.reader is not None:
            tasks.append(asyncio.create_task(world.written.reader.follow(is_over)))
        try:
            for _ in range(CUTS):
                await asyncio.sleep(chooser.uniform(0.05, 0.4))
                await fault(world, proxy)
        finally:
            is_over.set()
        await asyncio.gather(*tasks)
        replays = sum(write.payload["replayed"] for writer in writers for write in writer.writes)
        for writer in writers:
            for write in writer.writes[-3:]:
                await writer.repeat(write)
    failures = sum((writer.failures for writer in writers), start=Counter[str]())
    print(f"  failed attempts: {dict(failures)}, replays: {replays}")
    # The server itself never goes away, and says what is wrong.
    assert set(failures) <= {"DATABASE_UNREACHABLE", "BUSY"}
    assert failures["DATABASE_UNREACHABLE"] > 0
    if fault is cut_after_commit:
        assert replays > 0, "no caller repeated a mutation that had been committed"
    assert await world.problems() == []


async def test_no_process_printed_a_traceback(world: World) -> None:
    assert "Traceback" not in world.installation.log()
