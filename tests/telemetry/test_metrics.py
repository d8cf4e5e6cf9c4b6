"""`/metrics`: who may read them, and what they have."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families
from starlette.types import Scope

from api.access.principal import Principal
from api.app import create_app
from api.db import Database
from api.graph.contract import gateway
from api.jobs import backlog as backlog_module
from api.jobs.backlog import BacklogSampler, read_backlog
from api.jobs.periodic import PeriodicJob
from api.jobs.run_jobs import running_jobs
from api.settings import Settings
from api.sql import Sql
from api.telemetry import instruments
from api.telemetry.instruments import OTHER, BoundedNames, count_request
from api.telemetry.sampled import SAMPLED, LaneUse, metrics_text
from api.web.identification import Identify
from api.web.observed.metrics_route import metrics_route, metrics_site
from api.web.responses import HttpError
from api.web.website import build_site
from api.workflows.make_sample import make_sample
from schema.access.rights import AccessLevel, Reach
from schema.base import now
from tests.support.graphql import answered
from tests.support.in_process_server import in_process_server


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(name: str, **labels: str) -> float | None:
    return samples(metrics_text().decode()).get((name, frozenset(labels.items())))


def client_of(database: Database, identify: Identify) -> httpx.AsyncClient:
    async def read() -> bytes:
        await BacklogSampler().sample(database)
        return metrics_text()

    site = build_site(gateway(), lambda: database, identify, routes=[metrics_route(read, identify)])
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


def identified(level: AccessLevel | None) -> Identify:
    async def identify(_scope: Scope) -> Principal:
        if level is None:
            raise HttpError(401, "The request has no credential.", "Send a key.")
        return Principal(Reach.ALL, level=level)

    return identify


@pytest.mark.parametrize(
    ("level", "forwarded", "status"),
    [
        (None, {}, 200),
        (None, {"X-Forwarded-For": "203.0.113.7"}, 401),
        (AccessLevel.CONTRIBUTOR, {"X-Forwarded-For": "203.0.113.7"}, 403),
        (AccessLevel.OPERATOR, {"X-Forwarded-For": "203.0.113.7"}, 200),
    ],
)
async def test_they_are_open_to_this_machine_and_to_operators(
    database: Database, level: AccessLevel | None, forwarded: dict[str, str], status: int
) -> None:
    async with client_of(database, identified(level)) as client:
        response = await client.get("/metrics", headers=forwarded)
    assert response.status_code == status
    assert ("accord_database_up" in response.text) == (status == 200)


async def test_an_address_of_its_own_has_them_for_everybody_and_nothing_else(database: Database) -> None:
    async def read() -> bytes:
        await BacklogSampler().sample(database)
        return metrics_text()

    transport = httpx.ASGITransport(app=metrics_site(read))
    async with httpx.AsyncClient(transport=transport, base_url="http://metrics.example") as client:
        found, other = await client.get("/metrics"), await client.get("/graphql")
    assert (found.status_code, other.status_code) == (200, 404)
    assert found.headers["content-type"].startswith("text/plain")


async def test_requests_are_counted_by_operation_and_status(database: Database) -> None:
    before = value("accord_requests_total", operation="Counted", status="200") or 0
    seconds = value("accord_request_seconds_count", operation="Counted") or 0
    query = "query Counted { members(first: 1) { nodes { id } } }"
    async with client_of(database, identified(AccessLevel.VIEWER)) as client:
        await client.post("/graphql", json={"query": "{ __typename }"})  # the first one reads the tables' statistics
        statements = value("accord_statement_seconds_count") or 0
        for _ in range(3):
            await client.post("/graphql", json={"query": query})
    assert value("accord_requests_total", operation="Counted", status="200") == before + 3
    assert value("accord_request_seconds_count", operation="Counted") == seconds + 3
    assert value("accord_statement_seconds_count") == statements + 3


async def test_an_error_is_counted_by_its_code(database: Database) -> None:
    before = value("accord_errors_total", code="GRAPHQL_VALIDATION_FAILED") or 0
    async with client_of(database, identified(AccessLevel.VIEWER)) as client:
        await client.post("/graphql", json={"query": "{ nothing }"})
    assert value("accord_errors_total", code="GRAPHQL_VALIDATION_FAILED") == before + 1


def test_the_names_of_operations_are_bounded() -> None:
    names = BoundedNames(3)
    assert [names.bounded(it) for it in ("a", "b", "c", "d", "a", "e")] == ["a", "b", "c", OTHER, "a", OTHER]


def test_a_very_long_name_of_an_operation_makes_no_series() -> None:
    names, longest = BoundedNames(3), "a" * instruments.LONGEST_NAME
    assert [names.bounded(it) for it in (longest, longest + "a")] == [longest, OTHER]


def test_any_number_of_names_makes_few_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(instruments, "_OPERATIONS", BoundedNames(instruments.MOST_OPERATIONS))
    for number in range(500):
        count_request("/graphql", f"Made{number}", "200", 0.001, None)
    names = {dict(labels).get("operation", "") for _, labels in samples(metrics_text().decode())}
    assert OTHER in names
    assert len({name for name in names if name.startswith("Made")}) == instruments.MOST_OPERATIONS == 100


async def test_a_pool_says_who_has_a_connection_and_who_waits(module_dsn: str) -> None:
    async with Database.open(module_dsn, size=1) as database:
        busy = [asyncio.create_task(_sleep(database)) for _ in range(3)]
        async with database.read(), asyncio.timeout(10):
            waiting = asyncio.create_task(_read(database))
            await asyncio.sleep(0.2)
            uses = {use.pool: use for use in database.pool_uses()}
            assert (uses["reads"].in_use, uses["reads"].waiting, uses["reads"].size) == (1, 2, 1)
            assert (uses["sessions"].in_use, uses["sessions"].waiting, uses["sessions"].size) == (1, 1, 1)
        await asyncio.gather(*busy, waiting)
        uses = {use.pool: use for use in database.pool_uses()}
        assert (uses["reads"].in_use, uses["reads"].waiting, uses["reads"].idle) == (0, 0, 1)
        assert (uses["sessions"].in_use, uses["sessions"].waiting, uses["sessions"].idle) == (0, 0, 1)
        assert uses["units_of_work"].in_use == 0
        assert value("accord_pool_size", pool="units_of_work") in (1, 4)


async def _sleep(database: Database) -> None:
    await database.value("select pg_sleep(0.5)::text", ())


async def _read(database: Database) -> None:
    async with database.read() as session:
        await session.value(Sql("select 1"))


async def test_runs_of_jobs_are_counted_by_their_outcome(database: Database) -> None:
    done, failed = asyncio.Event(), asyncio.Event()

    async def succeed(_database: Database) -> int:
        done.set()
        return 1

    async def fail(_database: Database) -> int:
        failed.set()
        raise RuntimeError("broken")

    day = timedelta(days=1)
    async with running_jobs(database, (PeriodicJob("good", day, succeed), PeriodicJob("bad", day, fail))):
        async with asyncio.timeout(10):
            await done.wait()
            await failed.wait()
        assert value("accord_jobs_leading") == 1
        assert value("accord_job_runs_total", job_name="good", outcome="done") == 1
        assert value("accord_job_seconds_count", job_name="good") == 1
    assert value("accord_job_runs_total", job_name="bad", outcome="failed") == 1
    assert value("accord_job_runs_total", job_name="bad", outcome="done") is None
    assert value("accord_jobs_leading") == 0


def test_lanes_report_through_one_supplier() -> None:
    with SAMPLED.lanes(lambda: [LaneUse("heavy requests", 2, 5, 2)]):
        assert value("accord_lane_waiting", lane="heavy requests") == 5
    assert value("accord_lane_waiting", lane="heavy requests") is None


async def test_entries_are_counted_when_they_are_committed(database: Database) -> None:
    before = value("accord_entries_written_total") or 0.0

    async def fail_after_writing() -> None:
        async with database.write() as session:
            await make_sample(session, contacts=40, seed=3, until=date(2026, 6, 30))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_writing()
    assert value("accord_entries_written_total") == before
    async with database.write() as session:
        await make_sample(session, contacts=40, seed=3, until=date(2026, 6, 30))
        assert value("accord_entries_written_total") == before
        written = await session.value(Sql("select count(*) from stage_entry"))
    assert value("accord_entries_written_total") == before + written > before


async def test_entries_that_follow_a_mutation_are_counted(database: Database) -> None:
    async with database.write() as session:
        await make_sample(session, contacts=40, seed=3, until=date(2026, 6, 30))
    before = value("accord_entries_written_total") or 0.0
    document = 'mutation { createContact(input: {email: "new@example.org"}) { contact { id } userErrors { code } } }'
    assert (await answered(database, document))["createContact"]["contact"]
    assert (value("accord_entries_written_total") or 0.0) > before


@pytest.fixture
async def late(database: Database) -> None:
    async with database.write() as session:
        await session.run(
            Sql(
                "insert into outbox_event (id, change_type, record_type, record_id, recorded_at) values"
                " (gen_random_uuid(), 'CHANGED', 'contact', gen_random_uuid(), clock_timestamp() - interval '90 s'),"
                " (gen_random_uuid(), 'CHANGED', 'contact', gen_random_uuid(), clock_timestamp() - interval '30 s')"
            )
        )


@pytest.mark.usefixtures("late")
async def test_the_backlog_has_the_age_of_the_data_and_of_the_oldest_event(database: Database) -> None:
    backlog = await read_backlog(database)
    assert backlog.outbox_waiting == 2
    assert backlog.outbox_lag_seconds == pytest.approx(90, abs=20)
    assert backlog.data_age_seconds == pytest.approx(30, abs=20)
    assert backlog.clock_skew_seconds == pytest.approx(0, abs=2)


async def test_an_empty_database_has_no_age_of_its_data(database: Database) -> None:
    await BacklogSampler().sample(database)
    assert value("accord_data_age_seconds") is None
    assert value("accord_outbox_waiting") == 0
    assert value("accord_database_up") == 1


async def test_without_a_database_the_other_figures_are_served(module_dsn: str) -> None:
    async with Database.open(module_dsn, size=1) as database:
        await BacklogSampler().sample(database)
        assert value("accord_database_up") == 1
    await BacklogSampler().sample(database)  # its pools are closed
    text = metrics_text().decode()
    assert samples(text)["accord_database_up", frozenset()] == 0
    assert not any(name == "accord_outbox_waiting" for name, _ in samples(text))


@pytest.fixture(autouse=True)
def _no_backlog() -> Iterator[None]:
    yield
    SAMPLED.backlog = None


async def test_a_read_of_the_backlog_that_hangs_does_not_hold_up_the_metrics(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backlog_module, "TIMEOUT_SECONDS", 0.2)
    sampler = BacklogSampler()
    async with database.write() as session:
        await session.script("lock table outbox_event in access exclusive mode")
        async with asyncio.timeout(2):
            await sampler.sample(database)
            await sampler.sample(database)
        assert value("accord_database_up") == 0
    await asyncio.sleep(0.3)
    await sampler.sample(database)
    assert value("accord_database_up") == 1


def pool_sizes(text: str) -> Counter[str]:
    return Counter(line.partition(" ")[0] for line in text.splitlines() if line.startswith("accord_pool_size{"))


async def test_no_two_pools_of_a_server_have_one_name(module_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    before = pool_sizes(metrics_text().decode())  # of other databases that this module has open
    async with (
        in_process_server(create_app(Settings.load()), lifespan="on") as port,
        httpx.AsyncClient() as client,
    ):
        found = pool_sizes((await client.get(f"http://127.0.0.1:{port}/metrics")).text) - before
    pools = ("reads", "units_of_work", "sessions")
    assert found == Counter(
        f'accord_pool_size{{pool="{prefix}{pool}"}}' for prefix in ("", "access_") for pool in pools
    )


async def test_a_skew_of_the_clocks_is_logged_once(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sampler = BacklogSampler()
    monkeypatch.setattr(backlog_module, "now", lambda: now() - timedelta(minutes=2))
    await sampler.sample(database)
    await sampler.sample(database)
    assert value("accord_clock_skew_seconds") == pytest.approx(120, abs=5)
    monkeypatch.setattr(backlog_module, "now", now)
    await sampler.sample(database)
    said = [record.getMessage() for record in caplog.records if "clock" in record.getMessage()]
    assert said == ["The clock of the database is 120 seconds ahead of that of this server"]
