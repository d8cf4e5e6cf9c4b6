"""Servers, workers and commands through PgBouncer in transaction mode, with two connections for all of them."""

import asyncio
import os
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from time import monotonic

import asyncpg
import httpx
import pytest

from api.access.credentials.access_cache import AccessCache
from api.db import AdvisoryLock, Database, outages
from api.embedded import EmbeddedServer, start
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from tests.support.commands import run_command
from tests.support.pgbouncer import POOL_SIZE, PgBouncer, running_pgbouncer
from tests.support.served import TIMEOUT_SECONDS, accord, served

pytestmark = pytest.mark.pgbouncer

CLIENTS = 40
PEOPLE = 300


@dataclass(frozen=True)
class Pooled:
    """A PostgreSQL with a PgBouncer in front, and a folder."""

    postgres: EmbeddedServer
    pgbouncer: PgBouncer
    folder: Path

    @property
    def url(self) -> str:
        """The URL through the pooler, as a hoster hands it out."""
        return self.pgbouncer.url("accord")

    @property
    def direct(self) -> str:
        """The URL without the pooler."""
        return self.postgres.dsn()

    def environment(self, *, has_direct: bool) -> dict[str, str]:
        """The variables of a process."""
        own = {"DATABASE_URL": self.url, "ACCORD_POOLER": "transaction", "PYTHONUNBUFFERED": "1"}
        own |= {"DATABASE_URL_DIRECT": self.direct} if has_direct else {}
        return {**os.environ, **own, "ACCORD_DATA_DIR": str(self.folder / "data")}


@pytest.fixture(scope="module")
def pooled() -> Iterator[Pooled]:
    """A company of a sample, set up through the pooler and a direct URL."""
    with ExitStack() as stack:
        # Not a folder of pytest, which keeps them from the account of PgBouncer.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="accord-pooled-")))
        postgres = start(folder / "postgres", is_durable=False)
        stack.callback(postgres.close)
        pgbouncer = stack.enter_context(running_pgbouncer(postgres.dsn()))
        made = Pooled(postgres, pgbouncer, folder)
        environment = made.environment(has_direct=True)
        sample = ("sample", "--contacts", str(PEOPLE), "--until", date(2026, 7, 1).isoformat())
        for words in (("migrate",), sample):
            subprocess.run(accord(*words), env=environment, check=True, timeout=TIMEOUT_SECONDS)
        yield made


@contextmanager
def serving(pooled: Pooled, *, has_direct: bool) -> Iterator[str]:
    name = "direct" if has_direct else "alone"
    with served(pooled.environment(has_direct=has_direct), pooled.folder / f"{name}.log") as address:
        yield address


async def left_over(pooled: Pooled) -> list[str]:
    """What clients have left on connections that others get next. The connections themselves are PgBouncer's."""
    connection = await asyncpg.connect(pooled.direct)
    try:
        locks = await connection.fetchval(
            "select count(*) from pg_locks l join pg_stat_activity a using (pid)"
            " where locktype = 'advisory' and a.state = 'idle' and a.application_name <> 'direct'"
        )
        tables = await connection.fetchval(
            "select count(*) from pg_class where relnamespace in"
            " (select oid from pg_namespace where nspname like 'pg_temp%')"
        )
    finally:
        await connection.close()
    # The next transaction gets the connection that the last one had.
    pooler = await asyncpg.connect(pooled.url, statement_cache_size=0)
    try:
        async with pooler.transaction():
            prepared = await pooler.fetchval("select count(*) from pg_prepared_statements where name <> ''")
            listening = await pooler.fetchval("select count(*) from pg_listening_channels()")
            limits = await pooler.fetchval(
                "select count(*) from pg_settings where source = 'session'"
                " and name in ('statement_timeout', 'lock_timeout', 'default_transaction_read_only', 'search_path')"
            )
    finally:
        await pooler.close()
    found = {"locks": locks, "tables": tables, "prepared": prepared, "listening": listening, "settings": limits}
    return [name for name, count in found.items() if count]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - the condition is any
            await asyncio.sleep(0.05)


async def request(client: httpx.AsyncClient, document: str, **variables: object) -> dict[str, object]:
    response = await client.post("/graphql", json={"query": document, "variables": variables})
    content: dict[str, object] = response.json()
    assert response.status_code == 200, content
    assert "errors" not in content, content
    return content["data"]  # type: ignore[return-value]


@pytest.mark.parametrize("has_direct", [True, False], ids=["with_direct_url", "alone"])
async def test_many_clients_read_and_write_through_two_connections(pooled: Pooled, has_direct: bool) -> None:
    with serving(pooled, has_direct=has_direct) as address:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:

            async def work(number: int) -> None:
                name = f"client {number} {has_direct}"
                await request(
                    client,
                    "mutation($name: String!) { createCompany(input: {name: $name}) { company { id } } }",
                    name=name,
                )
                found = await request(
                    client,
                    "query($name: String!) { companies(where: {name: {eq: $name}}) { totalCount"
                    " nodes { name contacts(first: 2) { totalCount } } } }",
                    name=name,
                )
                assert found == {
                    "companies": {"totalCount": 1, "nodes": [{"name": name, "contacts": {"totalCount": 0}}]}
                }
                await request(client, "{ kpis(requests: [{key: DEALS_WON}]) { value } }")

            await asyncio.gather(*(work(number) for number in range(CLIENTS)))
            assert (await client.get("/readyz")).status_code == 200
    connection = await asyncpg.connect(pooled.direct)
    opened = await connection.fetchval(
        "select count(*) from pg_stat_activity where datname = 'accord' and pid <> pg_backend_pid()"
        " and backend_type = 'client backend'"
    )
    await connection.close()
    assert opened <= POOL_SIZE
    assert await left_over(pooled) == []


@pytest.mark.parametrize("has_direct", [True, False], ids=["with_direct_url", "alone"])
async def test_commands_and_a_worker_run(pooled: Pooled, has_direct: bool) -> None:
    environment = pooled.environment(has_direct=has_direct)
    log = pooled.folder / "worker.log"
    with log.open("w") as output:
        worker = subprocess.Popen(accord("worker"), env=environment, stdout=output, stderr=subprocess.STDOUT)
    try:
        for words in (
            ("check",),
            ("evaluate",),
            ("check",),
            ("funnel",),
            ("kpi", "mqls", "--reading", "restated"),
        ):
            done = await asyncio.to_thread(
                subprocess.run,
                accord(*words),
                env=environment,
                capture_output=True,
                text=True,
                timeout=TIMEOUT_SECONDS,
                check=False,
            )
            assert done.returncode == 0, (words, done.stderr)
        await until(lambda: "background jobs" in log.read_text())
        assert worker.poll() is None
        worker.send_signal(signal.SIGTERM)
        assert await asyncio.to_thread(worker.wait, 20) == 128 + signal.SIGTERM
    finally:
        worker.kill()
        worker.wait()
    said = log.read_text()
    assert ("beside others: there is no direct connection" in said) is not has_direct, said
    assert "ERROR" not in said, said
    assert await left_over(pooled) == []


def test_what_needs_a_session_is_refused_without_a_direct_url(pooled: Pooled) -> None:
    file = str(pooled.folder / "backup")
    for words in (("migrate",), ("backup", file), ("restore", file)):
        done = run_command(*words, data=pooled.folder, DATABASE_URL=pooled.url, ACCORD_POOLER="transaction")
        assert (done.returncode, "Set DATABASE_URL_DIRECT" in done.stderr) == (2, True), done.stderr
    variables = {"DATABASE_URL": pooled.url, "ACCORD_POOLER": "transaction", "DATABASE_URL_DIRECT": pooled.direct}
    for words in (("migrate",), ("backup", file)):
        done = run_command(*words, data=pooled.folder, **variables)
        assert done.returncode == 0, done.stderr


def test_a_pooler_that_nobody_named_is_recognized(pooled: Pooled) -> None:
    done = run_command("check", data=pooled.folder, DATABASE_URL=pooled.url)
    assert (done.returncode, "Set ACCORD_POOLER=transaction" in done.stderr) == (2, True), done.stderr


async def test_the_settings_of_a_transaction_are_those_of_its_kind(pooled: Pooled) -> None:
    shown = "select current_setting('transaction_read_only') || current_setting('jit') || current_setting('work_mem')"
    url = f"{pooled.url}?pgbouncer=true&options=-c%20work_mem%3D7MB"
    async with Database.open(url, size=1, direct=pooled.direct) as database:
        assert await database.value(shown, ()) == "onoff7MB"
        async with database.unit_of_work() as session:
            assert await session.value(Sql(shown)) == "offoff7MB"
            assert await session.value(Sql("select current_setting('lock_timeout')")) == "1200ms"
        async with database.read() as session:
            assert await session.value(Sql(shown)) == "onoff7MB"
        async with database.write() as session:
            assert await session.value(Sql(shown)) == "offoff7MB"
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await database.value("delete from outbox_event returning 1", ())
        assert await database.value("select 1", ()) == 1
    assert await left_over(pooled) == []


@pytest.mark.parametrize("has_direct", [True, False], ids=["with_direct_url", "alone"])
async def test_one_process_alone_holds_a_lock(pooled: Pooled, has_direct: bool) -> None:
    url, direct = f"{pooled.url}?pgbouncer=true", pooled.direct if has_direct else None
    async with Database.open(url, size=2, direct=direct) as one, Database.open(url, size=2, direct=direct) as other:
        async with one.try_lock(AdvisoryLock.READING) as held:
            assert held is not None
            async with other.try_lock(AdvisoryLock.READING) as late:
                assert late is None
            assert await other.value("select 1", ()) == 1
        async with other.try_lock(AdvisoryLock.READING) as held:
            assert held is not None
        cache = AccessCache()
        async with cache.listening(one):
            await until(lambda: cache.is_listening or not has_direct)
            assert cache.is_listening is has_direct
    assert await left_over(pooled) == []


async def test_a_statement_that_is_cancelled_ends_on_its_connection(pooled: Pooled) -> None:
    async with Database.open(f"{pooled.url}?pgbouncer=true", size=2) as database:
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await database.value("select pg_sleep(30)", ())
        began = monotonic()
        values = [database.value("select $1::int", (number,)) for number in range(10)]
        assert await asyncio.gather(*values) == list(range(10))
        assert monotonic() - began < 5


async def test_a_pooler_whose_connections_are_busy_is_no_outage(
    pooled: Pooled, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, seconds in (("LATE_SECONDS", 0.2), ("WATCH_SECONDS", 0.05), ("REST_SECONDS", 0.05)):
        monkeypatch.setattr(outages, name, seconds)
    async with Database.open(f"{pooled.url}?pgbouncer=true", size=POOL_SIZE + 1) as database:
        busy = [database.value("select 1 from pg_sleep(7)", ()) for _ in range(POOL_SIZE)]
        assert await asyncio.gather(*busy, database.value("select 1", ())) == [1] * (POOL_SIZE + 1)


async def test_an_outage_behind_the_pooler_is_an_outage(pooled: Pooled) -> None:
    url = f"{pooled.pgbouncer.url('gone')}?pgbouncer=true"
    with pytest.raises(AccordError) as refused:
        async with Database.open(url, size=1) as database:
            await database.value("select 1", ())
    assert refused.value.code is ErrorCode.DATABASE_UNREACHABLE
