"""What clients see of lanes and of the rate limit, and that nobody waits for others' work."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

import httpx
import orjson
import pytest

from api.accord.documents import read_accord
from api.app import create_app
from api.db import Database, WaitLimits
from api.graph.contract import gateway
from api.graph.gateway import RequestPlan
from api.plan.cost.price import MAX_COST, ROWS_PER_UNIT, Price
from api.settings import LaneSizes, Settings
from api.sql import Sql
from api.traffic.lanes import Lanes
from api.traffic.rate_limit import RateLimit
from api.traffic.traffic import Traffic
from api.web.examples_route import examples_route
from api.web.identification import identify_local_operator
from api.web.website import build_site
from api.workflows.adopt_accord import adopt_accord
from tests.support.accords import delete_versions
from tests.support.api_keys import stored_key
from tests.support.asgi_request import AsgiRequest
from tests.support.in_process_server import in_process_server
from tests.support.slow_database import SlowDatabase, until_sleeping
from tests.support.small_company import ADA
from tests.traffic.conftest import site

LIGHT = "{ contacts(first: 1) { nodes { email } } }"
FIGURES = "{ kpi(key: DEALS_WON) { value } }"
HEAVY = "{ contacts { groupBy(keys: [{ country: EACH }]) { count } } }"
CHANGE = """
mutation ($id: ID!) { updateContact(input: { id: $id, expectedVersion: 1, jobTitle: "changed" }) { contact { id } } }
"""
MEMBER = 'mutation { createCompany(input: { name: "New" }) { company { name } } }'
BULK = "mutation ($rows: [UpsertCompanyRow!]!) { upsertCompanies(input: { rows: $rows }) { results { status } } }"
SOON = 5.0  # seconds, on a machine with much else to do


@asynccontextmanager
async def locked(database: Database, table: str) -> AsyncIterator[None]:
    """Hold the lock of a table that an import takes which fills it first."""
    async with database.write() as session:
        await session.script(f"lock table {table} in access exclusive mode")
        yield


def code(response: dict[str, list[dict[str, dict[str, str]]]]) -> str:
    return response["errors"][0]["extensions"]["code"]


async def test_full_heavy_lane_refuses_heavy_requests_and_delays_nobody_else(company: Database) -> None:
    slow = SlowDatabase(company, 20)
    served = site(slow, sizes=LaneSizes(heavy=1, queue=1, wait_seconds=4))
    running = AsgiRequest(served, HEAVY)
    await until_sleeping(company, 1)  # the first request reads statistics, and would be overtaken
    waiting, refused = AsgiRequest(served, HEAVY), AsgiRequest(served, HEAVY)
    assert code(await refused.response()) == "OVERLOADED"
    assert (refused.status, refused.headers["retry-after"]) == (503, "4")
    began = monotonic()
    assert (await AsgiRequest(served, LIGHT).response())["data"]["contacts"]["nodes"]
    assert (await AsgiRequest(served, MEMBER).response())["data"]["createCompany"]["company"] == {"name": "New"}
    assert monotonic() - began < SOON
    running.leave()  # frees its place for who waits
    assert (await asyncio.wait_for(waiting.response(), SOON))["data"]["contacts"]["groupBy"]


async def test_who_waits_for_a_place_too_long_or_leaves_executes_nothing(company: Database) -> None:
    slow = SlowDatabase(company, 20)
    served = site(slow, sizes=LaneSizes(heavy=1, queue=1, wait_seconds=0.2))
    running = AsgiRequest(served, HEAVY)
    await until_sleeping(company, 1)
    late = AsgiRequest(served, HEAVY)
    assert code(await late.response()) == "OVERLOADED"
    assert (late.status, late.headers["retry-after"]) == (503, "1")
    running.leave()
    await running.task

    slow.sleeps = [20]
    served = site(slow, sizes=LaneSizes(heavy=1, queue=1, wait_seconds=20))
    running, left = AsgiRequest(served, HEAVY), AsgiRequest(served, HEAVY)
    await until_sleeping(company, 1)
    left.leave()
    await asyncio.wait_for(left.task, SOON)
    queued = AsgiRequest(served, HEAVY)  # the queue has room again
    await asyncio.sleep(0.05)
    running.leave()
    assert (await asyncio.wait_for(queued.response(), SOON))["data"]["contacts"]["groupBy"]


async def test_mutations_that_wait_for_a_lock_do_not_hold_up_readers(company: Database) -> None:
    served = site(company, sizes=LaneSizes(mutations=2))
    async with company.write() as session:
        await session.row(Sql("select 1 from contact where id = {} for update", ADA))
        writers = [AsgiRequest(served, CHANGE, id=f"contact_{ADA}") for _ in range(10)]
        await asyncio.sleep(0.2)
        began = monotonic()
        assert (await AsgiRequest(served, LIGHT).response())["data"]["contacts"]["nodes"]
        assert (await AsgiRequest(served, HEAVY).response())["data"]["contacts"]["groupBy"]
        assert monotonic() - began < 1.2  # so long a writer waits
        for writer in writers:
            writer.leave()
        await asyncio.gather(*(writer.task for writer in writers))


async def test_a_read_that_waits_for_a_lock_is_busy_in_time(module_dsn: str, company: Database) -> None:
    async with (
        Database.open(module_dsn, size=2, wait_limits=WaitLimits(lock_ms=200)) as reading,
        locked(company, "contact"),
    ):
        for document in (LIGHT, "{ __typename " + LIGHT.strip("{}") + "}"):
            request = AsgiRequest(site(reading), document)
            assert code(await asyncio.wait_for(request.response(), SOON)) == "BUSY"


async def test_figures_of_one_request_hold_one_connection(company: Database) -> None:
    aliases = " ".join(f"a{number}: kpi(key: DEALS_WON) {{ value }}" for number in range(10))
    request = AsgiRequest(site(SlowDatabase(company, *[0.1] * 10)), f"{{ {aliases} }}")
    most = 0
    while not request.task.done():
        async with company.write() as session:
            sleeping = Sql("select count(*) from pg_stat_activity where wait_event = 'PgSleep' and state = 'active'")
            most = max(most, await session.value(sleeping))
        await asyncio.sleep(0.02)
    assert most == 1


async def test_the_rate_limit_is_in_headers_and_refuses_with_429(company: Database) -> None:
    served = site(company, rate_limit=RateLimit(3, clock=lambda: 0))
    spent = []
    for _ in range(3):
        request = AsgiRequest(served, LIGHT)
        await request.response()
        assert request.headers["ratelimit-policy"] == '"cost";q=3;w=60'
        spent.append(request.headers["ratelimit"])
    assert spent == ['"cost";r=2;t=20', '"cost";r=1;t=40', '"cost";r=0;t=60']
    refused = AsgiRequest(served, LIGHT)
    assert code(await refused.response()) == "RATE_LIMITED"
    assert (refused.status, refused.headers["retry-after"]) == (429, "20")
    assert refused.headers["ratelimit"] == '"cost";r=0;t=60'
    without = AsgiRequest(site(company), LIGHT)
    await without.response()
    assert "ratelimit" not in without.headers


async def test_a_request_without_a_place_costs_nothing(company: Database) -> None:
    slow = SlowDatabase(company, 20)
    served = site(slow, sizes=LaneSizes(heavy=1, queue=0), rate_limit=RateLimit(100_000, clock=lambda: 0))
    running = AsgiRequest(served, HEAVY)
    await until_sleeping(company, 1)
    refused = AsgiRequest(served, HEAVY)
    await refused.response()
    assert refused.status == 503
    assert refused.headers["ratelimit"].startswith('"cost";r=99400;')  # what the running one paid
    running.leave()
    await running.task


async def test_a_request_over_the_limit_of_cost_costs_nothing(
    company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = site(company, rate_limit=RateLimit(100_000, clock=lambda: 0))
    with monkeypatch.context() as patched:
        patched.setattr(RequestPlan, "price", Price((MAX_COST + 1) * ROWS_PER_UNIT))
        assert code(await AsgiRequest(served, LIGHT).response()) == "TOO_LARGE"
    request = AsgiRequest(served, LIGHT)
    await request.response()
    assert request.headers["ratelimit"] == '"cost";r=99999;t=1'


async def test_a_busy_server_is_ready_and_reads_other_tables(
    module_dsn: str, company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Twenty-four requests for figures that wait for a lock, as the server is assembled."""
    async with company.write() as session:
        await session.script("delete from stage_entry; delete from evaluation")
        await delete_versions(session)
        await adopt_accord(session, read_accord("standard"))
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    served = create_app(Settings.load(heavy_lane=1, lane_queue=1, rate_limit=1_000_000), workers=2)
    async with (
        in_process_server(served, lifespan="on") as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        async with locked(company, "deal"):
            asked = [asyncio.create_task(client.post("/graphql", json={"query": FIGURES})) for _ in range(24)]
            await asyncio.sleep(0.2)
            assert (await client.get("/readyz")).status_code == 200
            assert (await client.post("/graphql", json={"query": LIGHT})).json()["data"]["contacts"]["nodes"]
            answers = await asyncio.gather(*asked)
        # One has a place, and one waits in the queue.
        assert Counter(code(answer.json()) for answer in answers) == {"BUSY": 2, "OVERLOADED": 22}
        assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"cost";q=500000;w=60'}


async def test_a_connection_that_is_closed_ends_its_statement(company: Database) -> None:
    body = orjson.dumps({"query": LIGHT})
    head = b"POST /graphql HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    async with in_process_server(site(SlowDatabase(company, 20))) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(head % len(body) + body)
        await until_sleeping(company, 1)
        writer.close()
        await until_sleeping(company, 0, within=1.5)


async def test_nobody_is_identified_for_long(
    module_dsn: str, company: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of keys is locked: identification comes before the deadline of the request."""
    token = await stored_key(company)
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    try:
        async with (
            in_process_server(create_app(Settings.load()), lifespan="on") as port,
            httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
            locked(company, "api_key"),
        ):
            began = monotonic()
            key = {"authorization": f"Bearer {token.text}"}
            answer = await client.post("/graphql", json={"query": LIGHT}, headers=key)
            assert (answer.status_code, code(answer.json())) == (503, "BUSY")
            assert monotonic() - began < SOON
    finally:
        async with company.write() as session:
            await session.script("delete from api_key")


async def test_examples_are_a_light_request(company: Database) -> None:
    lanes = Lanes(LaneSizes(light=1, queue=0))
    traffic = Traffic(lanes=lanes)
    route = examples_route(lambda: company, identify_local_operator, traffic)
    served = build_site(gateway(), lambda: company, identify_local_operator, routes=[route], traffic=traffic)
    async with (
        in_process_server(served) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=30) as client,
    ):
        assert (await client.get("/graphql/examples")).status_code != 503
        async with lanes.light:
            refused = await client.get("/graphql/examples")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "10")
        assert code(refused.json()) == "OVERLOADED"
        assert (await client.get("/graphql/examples")).status_code != 503
