"""A read replica: who has written something reads it, whatever the replica lags, and nobody notices that it is away."""

import asyncio
import os
import random
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from time import monotonic, sleep
from typing import Any
from uuid import uuid4

import asyncpg
import httpx
import pytest

from api.db import Database, PrimaryNeededError, ReadReplica, ReplicaDatabase, ReplicaOptions, WaitLimits
from api.db.wal_positions import COMMIT_POSITION, REPLAYED_POSITION, UNKNOWN, WalPosition, read_position
from api.graph.replica_source import reason_for_primary
from api.revisions import require_compatible
from api.revisions.compatibility import COMPATIBILITY_TABLE
from api.sql import Sql
from tests.faults.processes import Installation, frozen
from tests.faults.replication import Replication, replicated

pytestmark = pytest.mark.faults

TEAMS = "{ teams { totalCount } }"
# The GraphQL executor runs these: `viewer` and `kpi` are no records.
EXECUTED = "{ teams { totalCount } viewer { name } kpi(key: STAGE_VOLUME) { value } }"
STEPS = 3 * int(os.environ.get("ROUNDS") or 20)
STOP_SECONDS = 35.0  # the default grace period, and 25 seconds


@pytest.fixture(scope="module")
def installed_replica() -> Iterator[Replication]:
    with replicated({"ACCORD_READ_LAG_SECONDS": "600"}) as made:
        made.installation.start_server()
        yield made


@pytest.fixture
def replica(installed_replica: Replication) -> Iterator[Replication]:
    """A replica that is read, and has replayed everything."""
    installed_replica.catch_up()
    wait_until_read(installed_replica)
    yield installed_replica
    installed_replica.resume()


def post(
    replica: Replication, document: str, token: str | None = None, *, headers: dict[str, str] | None = None
) -> httpx.Response:
    sent = {"Accord-Watermark": token} if token else {}
    address = f"{replica.installation.address}/graphql"
    return httpx.post(address, json={"query": document}, headers=sent | (headers or {}), timeout=60)


def is_from_replica(response: httpx.Response) -> bool:
    return "accord-replica-lag" in response.headers


def wait_until_read(replica: Replication) -> None:
    deadline = monotonic() + 60
    while not is_from_replica(post(replica, TEAMS)):
        assert monotonic() < deadline, replica.installation.log()[-3000:]
        sleep(0.1)


def create_team(replica: Replication) -> str:
    """Create a team. Return the watermark of the answer."""
    given = f'{{name: "{uuid4()}", kind: SALES}}'
    response = post(replica, f"mutation {{ createTeam(input: {given}) {{ team {{ id }} userErrors {{ message }} }} }}")
    assert response.json()["data"]["createTeam"]["team"], response.text
    return response.headers["accord-watermark"]


def team_count(response: httpx.Response) -> int:
    assert response.status_code == 200, response.text
    assert "errors" not in response.json(), response.text
    return int(response.json()["data"]["teams"]["totalCount"])


def readiness(replica: Replication) -> dict[str, Any]:
    response = httpx.get(f"{replica.installation.address}/readyz", timeout=10)
    assert response.status_code == 200, response.text
    return dict(response.json())


def metric(replica: Replication, line: str) -> float:
    """The value of a sample of the metrics; 0 if there is none."""
    text = httpx.get(f"{replica.installation.address}/metrics", timeout=10).text
    found = re.search(rf"^{re.escape(line)} (\S+)$", text, re.MULTILINE)
    return float(found[1]) if found else 0.0


def logged(replica: Replication, text: str) -> int:
    """How many lines of the log have a text."""
    return sum(text in line for line in replica.installation.log().splitlines())


@pytest.mark.parametrize("document", [TEAMS, EXECUTED])
def test_a_read_with_the_watermark_of_a_write_has_it_whatever_the_replica_lags(
    replica: Replication, document: str
) -> None:
    before = team_count(post(replica, document))
    replica.pause()
    token = create_team(replica)
    without = post(replica, document)
    assert (team_count(without), is_from_replica(without)) == (before, True)
    began = monotonic()
    with_token = post(replica, document, token)
    assert 0.9 < monotonic() - began < 5
    assert (team_count(with_token), is_from_replica(with_token)) == (before + 1, False)
    replica.resume()
    replica.catch_up()
    caught_up = post(replica, document, token)
    assert (team_count(caught_up), is_from_replica(caught_up)) == (before + 1, True)
    assert metric(replica, 'accord_reads_total{reason="behind",target="primary"}') >= 1


def test_a_read_waits_for_a_replica_that_is_about_to_replay(replica: Replication) -> None:
    before = team_count(post(replica, TEAMS))
    for number in range(1, 21):
        response = post(replica, TEAMS, create_team(replica))
        assert team_count(response) == before + number
        assert is_from_replica(response), "the standby follows within milliseconds"


def test_reads_are_never_older_than_own_writes(replica: Replication, seed: int) -> None:
    """Random writes, reads, pauses and restarts: a read with a watermark has all that was written until then."""
    chooser = random.Random(seed)
    first = team_count(post(replica, TEAMS))
    tokens: list[str] = []
    from_replica = from_primary = 0
    for step in range(STEPS):
        what = chooser.choices(
            ("write", "read newest", "read older", "read any", "pause", "resume"), (8, 6, 3, 2, 2, 2)
        )[0]
        said = f"seed {seed}, step {step}: {what}"
        if step == STEPS // 2:
            replica.kill_standby()
            replica.start_standby()
        if what == "write":
            tokens.append(create_team(replica))
        elif what == "pause":
            replica.pause()
        elif what == "resume":
            replica.resume()
        else:
            known = {"read newest": len(tokens), "read any": 0}.get(what, chooser.randint(0, len(tokens)))
            response = post(replica, chooser.choice((TEAMS, EXECUTED)), tokens[known - 1] if known else None)
            assert known <= team_count(response) - first <= len(tokens), said
            from_replica += is_from_replica(response)
            from_primary += not is_from_replica(response)
    assert from_replica, f"seed {seed}: the replica was never read"
    assert from_primary, f"seed {seed}: the primary was never read"


async def test_clients_that_write_at_once_read_what_they_wrote(replica: Replication, seed: int) -> None:
    """Each client reads its own team by name, while the replay pauses and goes on."""
    is_over = asyncio.Event()
    chooser = random.Random(seed)

    async def disturb() -> None:
        while not is_over.is_set():
            await asyncio.to_thread(chooser.choice((replica.pause, replica.resume)))
            await asyncio.sleep(chooser.random())

    async def write_and_read(client: httpx.AsyncClient) -> int:
        from_replica = 0
        for _ in range(8):
            name = str(uuid4())
            document = f'mutation {{ createTeam(input: {{name: "{name}", kind: SALES}}) {{ team {{ id }} }} }}'
            written = await client.post("/graphql", json={"query": document})
            token = written.headers["accord-watermark"]
            document = f'{{ teams(where: {{name: {{eq: "{name}"}}}}) {{ totalCount }} }}'
            read = await client.post("/graphql", json={"query": document}, headers={"Accord-Watermark": token})
            assert team_count(read) == 1, f"seed {seed}: {name}"
            from_replica += is_from_replica(read)
        return from_replica

    async with httpx.AsyncClient(base_url=replica.installation.address, timeout=60) as client:
        disturbing = asyncio.create_task(disturb())
        counts = await asyncio.gather(*(write_and_read(client) for _ in range(6)))
        is_over.set()
        await disturbing
    assert sum(counts) > 0, f"seed {seed}: the replica was never read"


def test_a_query_that_writes_runs_on_the_primary(replica: Replication) -> None:
    sample = 'accord_reads_total{reason="writes",target="primary"}'
    before = metric(replica, sample)
    response = post(replica, "{ changes(first: 1) { pageInfo { endCursor } } teams { totalCount } }")
    assert (team_count(response) >= 0, is_from_replica(response)) == (True, False)
    document = "{ teams { totalCount } stageEntries(reading: PINNED, accordVersion: 1) { totalCount } }"
    response = post(replica, document)
    assert (team_count(response) >= 0, is_from_replica(response)) == (True, False)
    assert metric(replica, sample) == before + 2


def test_the_answer_of_a_replica_says_how_far_it_is_behind(replica: Replication) -> None:
    assert float(post(replica, TEAMS).headers["accord-replica-lag"]) < 10
    replica.pause()
    create_team(replica)
    sleep(4)
    assert float(post(replica, TEAMS).headers["accord-replica-lag"]) >= 2
    assert metric(replica, "accord_replica_lag_seconds") >= 2
    assert (readiness(replica)["status"], readiness(replica)["replica"][:6]) == ("ready", "ready,")


def test_a_revoked_key_is_refused_at_once(replica: Replication) -> None:
    create = 'mutation { createApiKey(input: {name: "admin", level: ADMIN, reach: ALL}) { token apiKey { id } } }'
    made = post(replica, create).json()["data"]["createApiKey"]
    key = {"Authorization": f"Bearer {made['token']}"}
    assert post(replica, TEAMS).status_code == 401, "the key is in force, though not on the replica yet"
    replica.catch_up()
    assert is_from_replica(post(replica, TEAMS, headers=key))
    replica.pause()
    revoke = f'mutation {{ revokeApiKey(input: {{apiKey: {{id: "{made["apiKey"]["id"]}"}}}}) {{ apiKey {{ id }} }} }}'
    assert post(replica, revoke, headers=key).json()["data"]["revokeApiKey"]["apiKey"]
    assert post(replica, TEAMS, headers=key).status_code == 401


@pytest.mark.parametrize("document", [TEAMS, EXECUTED])
async def test_a_conflict_with_the_replay_is_answered_by_the_primary(replica: Replication, document: str) -> None:
    """The standby holds a lock that the primary has released already."""
    async with connected(replica.primary.dsn()) as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("lock table team in access exclusive mode; select pg_log_standby_snapshot()")
        await connection.execute("select pg_switch_wal()")
        await asyncio.to_thread(replica.catch_up)
        await asyncio.to_thread(replica.pause)
        await transaction.rollback()
    response = await asyncio.to_thread(post, replica, document)
    assert (team_count(response) >= 0, is_from_replica(response)) == (True, False)
    assert await asyncio.to_thread(metric, replica, 'accord_reads_total{reason="conflict",target="primary"}') >= 1


async def test_a_statement_that_the_replay_cancels_is_a_conflict(replica: Replication) -> None:
    for _ in range(2):
        await asyncio.to_thread(create_team, replica)
    await asyncio.to_thread(replica.catch_up)
    async with opened(replica) as database:
        reading = asyncio.ensure_future(
            database.value("select count(*) from team, (select pg_sleep(20) offset 0) as waits", ())
        )
        await asyncio.sleep(1)
        async with connected(replica.primary.dsn()) as connection:
            await connection.execute("update team set name = name || '!'")
            await connection.execute("vacuum team")
        with pytest.raises(asyncpg.SerializationError) as cancelled:
            await reading
        assert reason_for_primary(cancelled.value) == "conflict"


async def test_a_replica_that_is_behind_is_not_read_on_any_connection(replica: Replication) -> None:
    """Also on one that was opened before, and in snapshots as well as in single statements."""
    async with opened(replica) as database, Database.open(replica.primary.dsn(), size=1) as primary:
        await asyncio.to_thread(replica.pause)
        await asyncio.to_thread(create_team, replica)
        async with primary.read() as session:
            written = await read_position(session, COMMIT_POSITION)
        async with database.read() as session:
            replayed = await read_position(session, REPLAYED_POSITION)
        assert replayed is not None
        assert written is not None
        assert replayed < written
        assert await database.at_least(replayed).value("select 1", ()) == 1
        for _ in range(3):
            with pytest.raises(PrimaryNeededError):
                await database.at_least(written).value("select 1", ())
            with pytest.raises(PrimaryNeededError):
                async with database.at_least(written).read():
                    pytest.fail("a snapshot was opened")
        assert await database.value("select 1", ()) == 1
        async with ReplicaDatabase.open(replica.primary.dsn(), size=1, is_replica=True) as promoted:
            with pytest.raises(PrimaryNeededError):  # although its log is far beyond the position
                await promoted.at_least(WalPosition(1)).value("select 1", ())
        for write in (database.write, database.scratch, database.snapshot, database.unit_of_work):
            with pytest.raises(PrimaryNeededError):
                async with write():
                    pytest.fail("a standby was written")


async def test_what_is_no_standby_of_the_primary_is_not_read(replica: Replication) -> None:
    async with Database.open(replica.primary.dsn(), size=2) as primary:
        for dsn, reason in (
            (replica.standby.dsn(), None),
            (replica.primary.dsn(), "no standby"),
            (replica.standby.dsn("postgres"), "another database"),
        ):
            async with watched(dsn, primary) as looked:
                assert looked.problem is None if reason is None else reason in str(looked.problem)
                source = await looked.source(None)
                assert source is (looked.database if reason is None else primary)
        async with watched(replica.standby.dsn(), primary) as looked:
            began = monotonic()
            assert await looked.source(UNKNOWN) is primary
            assert monotonic() - began < 0.5, "nothing to wait for"


async def test_a_role_that_may_only_select_is_enough(replica: Replication) -> None:
    async with (
        Database.open(replica.primary.dsn(), size=2) as primary,
        connected(replica.primary.dsn()) as connection,
    ):
        await connection.execute("create role reader login; grant select on all tables in schema public to reader")
        await asyncio.to_thread(replica.catch_up)
        dsn = replica.standby.dsn().replace("//postgres@", "//reader@")
        async with watched(dsn, primary) as looked:
            assert looked.is_read, looked.problem
            async with looked.database.read() as session:
                assert await session.value(Sql("select current_user")) == "reader"


async def test_a_replica_whose_schema_does_not_fit_is_not_read(replica: Replication) -> None:
    """As during a rolling release, whose migration the replica has not replayed yet."""
    async with (
        Database.open(replica.primary.dsn(), size=2) as primary,
        watched(replica.standby.dsn(), primary) as looked,
        connected(replica.primary.dsn()) as connection,
    ):
        assert looked.is_read
        async with connection.transaction():
            present = await connection.fetchval("select version_num from alembic_version")
            revisions = await connection.fetchval(f"select revisions from {COMPATIBILITY_TABLE}")
            await connection.execute("update alembic_version set version_num = 'former'")
            await connection.execute(f"update {COMPATIBILITY_TABLE} set revisions = array['former']")
        try:
            await until(lambda: not looked.is_read)
            assert "revision former" in str(looked.problem)
            assert await looked.source(None) is primary
        finally:
            async with connection.transaction():
                await connection.execute("update alembic_version set version_num = $1", present)
                await connection.execute(f"update {COMPATIBILITY_TABLE} set revisions = $1", revisions)
        await until(lambda: looked.is_read)


async def test_a_commit_whose_position_cannot_be_read_sends_reads_to_the_primary(replica: Replication) -> None:
    async with (
        Database.open(replica.primary.dsn(), size=2) as primary,
        watched(replica.standby.dsn(), primary) as looked,
    ):
        assert 0 < await looked.committed() < UNKNOWN
        primary.outage.begin(ConnectionError("the primary went away after the commit"))
        primary.outage.abandon()
        assert await looked.committed() == UNKNOWN


async def test_a_replica_that_is_too_far_behind_is_not_read(replica: Replication) -> None:
    async with Database.open(replica.primary.dsn(), size=2) as primary:
        async with watched(replica.standby.dsn(), primary, most_lag_seconds=2) as looked:
            assert looked.is_read
            await asyncio.to_thread(replica.pause)
            await asyncio.to_thread(create_team, replica)
            await until(lambda: not looked.is_read)
            assert looked.problem == "it is more than 2 seconds behind"
            replica.resume()
            await until(lambda: looked.is_read)
        await asyncio.to_thread(replica.pause)
        await asyncio.to_thread(create_team, replica)
        async with watched(replica.standby.dsn(), primary, looks=2) as looked:
            assert not looked.is_read, "nobody knows by how much, at the start"


def test_a_killed_replica_is_replaced_by_the_primary_and_back_after_its_return(replica: Replication) -> None:
    lost, back = "The read replica cannot be reached", "The read replica can be reached again"
    counts = logged(replica, lost), logged(replica, back)
    token = create_team(replica)
    replica.kill_standby()
    for _ in range(10):
        began = monotonic()
        for document in (TEAMS, EXECUTED):
            response = post(replica, document, token)
            assert (team_count(response) > 0, is_from_replica(response)) == (True, False)
        assert monotonic() - began < 5
    state = readiness(replica)
    assert (state["status"], state["replica"]) == ("ready", "not read: it cannot be reached")
    assert metric(replica, "accord_replica_up") == 0
    assert metric(replica, 'accord_reads_total{reason="unavailable",target="primary"}') >= 1
    replica.start_standby()
    wait_until_read(replica)
    assert metric(replica, "accord_replica_up") == 1
    assert (logged(replica, lost), logged(replica, back)) == (counts[0] + 1, counts[1] + 1), "once each"
    assert logged(replica, "Traceback") == 0


def test_a_frozen_replica_holds_nobody_for_long(replica: Replication) -> None:
    with frozen(replica.main_process()):
        began = monotonic()
        assert team_count(post(replica, TEAMS)) > 0
        assert monotonic() - began < 20
        began = monotonic()
        assert team_count(post(replica, EXECUTED)) > 0
        assert monotonic() - began < 3
        assert readiness(replica)["replica"].startswith("not read")
    wait_until_read(replica)


def test_several_workers_read_from_the_replica_and_one_without_it_starts(replica: Replication) -> None:
    other = Installation(
        replica.installation.folder,
        replica.installation.database_url,
        settings=replica.installation.settings | {"ACCORD_WORKERS": "2"},
    )
    try:
        replica.kill_standby()
        other.start_server()
        served = Replication(replica.primary, replica.standby, other)
        assert not is_from_replica(post(served, TEAMS))
        replica.start_standby()
        wait_until_read(served)
        before = team_count(post(served, TEAMS))
        for number in range(1, 11):
            assert team_count(post(served, TEAMS, create_team(served))) == before + number
        assert other.server is not None
        with frozen(replica.main_process()):
            began = monotonic()
            other.server.terminate()
            other.server.wait(60)
            assert monotonic() - began < STOP_SECONDS, "whatever hangs"
    finally:
        if other.server is not None and other.server.poll() is None:
            other.server.kill()
            other.server.wait(60)


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(dsn)
    try:
        yield connection
    finally:
        await connection.close()


@asynccontextmanager
async def opened(replica: Replication) -> AsyncIterator[ReplicaDatabase]:
    async with ReplicaDatabase.open(replica.standby.dsn(), size=2, is_replica=True) as database:
        yield database


@asynccontextmanager
async def watched(
    dsn: str, primary: Database, *, most_lag_seconds: float = 600, looks: int = 3
) -> AsyncIterator[ReadReplica]:
    """Open a replica and wait until it was looked at."""
    options = ReplicaOptions(dsn, 2, most_lag_seconds, WaitLimits())
    async with ReadReplica.open(options, primary, require_compatible) as looked:
        for _ in range(looks * 20):
            if looked.is_read:
                break
            await asyncio.sleep(0.1)
        yield looked


async def until(is_so: Callable[[], bool]) -> None:
    deadline = monotonic() + 30
    while not is_so():
        assert monotonic() < deadline
        await asyncio.sleep(0.05)
