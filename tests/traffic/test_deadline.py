"""One deadline for a whole request, and the end of a request whose client leaves: on our side and in PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic
from uuid import UUID

import pytest

from api.db import Database
from api.graph.mutations.mutation_runner import NOT_WRITTEN, WRITTEN
from api.sql import Sql
from tests.support.asgi_request import AsgiRequest
from tests.support.slow_database import SlowDatabase, until_sleeping
from tests.support.small_company import ADA, CARL
from tests.traffic.conftest import site

A_SECOND = 1.5  # with what a busy machine adds
LONGEST = 5  # seconds, on a machine with much else to do
READ = "{ contacts(first: 1) { nodes { email } } }"
EXECUTED = "{ __schema { queryType { name } } contacts(first: 1) { nodes { email } } }"
FIGURES = "{ kpi(key: DEALS_WON) { value } }"
SEVERAL_FIGURES = f"{{ {' '.join(f'a{number}: kpi(key: DEALS_WON) {{ value }}' for number in range(5))} }}"
CHANGE = """
mutation ($id: ID!) {
  updateContact(input: { id: $id, expectedVersion: 1, jobTitle: "changed" }) { contact { jobTitle } }
}
"""
BOTH = """
mutation ($first: ID!, $second: ID!, $third: ID!) {
  first: updateContact(input: { id: $first, expectedVersion: 1, jobTitle: "changed" }) { contact { jobTitle } }
  second: updateContact(input: { id: $second, expectedVersion: 1, jobTitle: "changed" }) { contact { jobTitle } }
  third: updateContact(input: { id: $third, expectedVersion: 2, jobTitle: "third" }) { contact { jobTitle } }
}
"""
# As rules of the database that are checked at the commit only.
SLOW_COMMIT = """
create function sleep_at_commit() returns trigger language plpgsql as
  $$ begin perform pg_sleep(1.5); return null; end $$;
create constraint trigger sleeps after update on contact deferrable initially deferred
  for each row execute function sleep_at_commit();
"""


async def title(database: Database, id_: UUID) -> str | None:
    async with database.read() as session:
        found: str | None = await session.value(Sql("select job_title from contact where id = {}", id_))
    return found


@asynccontextmanager
async def held(database: Database, id_: UUID) -> AsyncIterator[None]:
    """Hold the lock of a contact's row."""
    async with database.write() as session:
        await session.row(Sql("select 1 from contact where id = {} for update", id_))
        yield


@pytest.fixture
async def slow_commit(company: Database) -> AsyncIterator[Database]:
    """The company, in which the commit of a changed contact takes more than a second."""
    await AsgiRequest(site(company), CHANGE, id=f"contact_{CARL}").response()  # the next one is quick until its commit
    async with company.write() as session:
        await session.script(SLOW_COMMIT)
    yield company
    async with company.write() as session:
        await session.script("drop function sleep_at_commit cascade")


@pytest.mark.parametrize("document", [READ, EXECUTED, FIGURES], ids=["statement", "executor", "figures"])
async def test_a_request_ends_at_its_deadline_and_so_does_its_statement(document: str, company: Database) -> None:
    slow = SlowDatabase(company, 20)
    began = monotonic()
    request = AsgiRequest(site(slow, seconds=0.3), document)
    response = await request.response()
    assert 0.25 < monotonic() - began < LONGEST
    assert slow.sleeps == []
    assert request.status == 503
    assert set(response) == {"errors"}
    assert response["errors"][0]["extensions"]["code"] == "TIMED_OUT"
    assert "0.3 seconds" in response["errors"][0]["message"]
    await until_sleeping(company, 0)


async def test_the_statements_of_a_request_share_one_deadline(company: Database) -> None:
    """Each of them alone is far below it."""
    request = AsgiRequest(site(SlowDatabase(company, *[0.2] * 5), seconds=0.5), SEVERAL_FIGURES)
    await request.response()
    assert request.status == 503


async def test_the_database_is_as_usable_after_a_deadline_as_before(company: Database) -> None:
    slow = SlowDatabase(company, 20)
    served = site(slow, seconds=0.2)
    await AsgiRequest(served, READ).response()
    response = await AsgiRequest(served, READ).response()
    assert response["data"]["contacts"]["nodes"]


@pytest.mark.parametrize("document", [READ, EXECUTED, FIGURES], ids=["statement", "executor", "figures"])
async def test_a_client_that_leaves_ends_its_statement_within_a_second(document: str, company: Database) -> None:
    request = AsgiRequest(site(SlowDatabase(company, 20)), document)
    await until_sleeping(company, 1)
    request.leave()
    await until_sleeping(company, 0, within=A_SECOND)
    await asyncio.wait_for(request.task, A_SECOND)
    assert request.status is None


async def test_a_mutation_that_waits_for_a_lock_when_its_client_leaves_writes_nothing(company: Database) -> None:
    served = site(company)
    async with held(company, ADA):
        request = AsgiRequest(served, CHANGE, id=f"contact_{ADA}")
        await asyncio.sleep(0.3)
        request.leave()
        await asyncio.wait_for(request.task, LONGEST)
    assert await title(company, ADA) is None
    response = await AsgiRequest(served, CHANGE, id=f"contact_{ADA}").response()  # nobody holds the lock any more
    assert response["data"]["updateContact"]["contact"] == {"jobTitle": "changed"}


async def test_a_mutation_that_has_begun_its_commit_is_written_when_its_client_leaves(slow_commit: Database) -> None:
    request = AsgiRequest(site(slow_commit), CHANGE, id=f"contact_{ADA}")
    await until_sleeping(slow_commit, 1)
    request.leave()
    await asyncio.wait_for(request.task, LONGEST)
    assert request.status is None
    assert await title(slow_commit, ADA) == "changed"


async def test_a_mutation_that_has_begun_its_commit_at_the_deadline_says_that_it_is_written(
    slow_commit: Database,
) -> None:
    request = AsgiRequest(site(slow_commit, seconds=0.8), CHANGE, id=f"contact_{ADA}")
    response = await request.response()
    assert request.status == 200
    assert response["data"] == {"updateContact": None}
    (error,) = response["errors"]
    assert (error["path"], error["extensions"]) == (["updateContact"], {"code": "TIMED_OUT", "remedy": WRITTEN})
    assert await title(slow_commit, ADA) == "changed"


async def test_the_mutations_of_a_request_say_at_its_deadline_which_of_them_are_written(company: Database) -> None:
    async with held(company, CARL):
        request = AsgiRequest(
            site(company, seconds=1), BOTH, first=f"contact_{ADA}", second=f"contact_{CARL}", third=f"contact_{ADA}"
        )
        response = await request.response()
    assert request.status == 200
    assert response["data"] == {"first": {"contact": {"jobTitle": "changed"}}, "second": None, "third": None}
    assert [(error["path"], error["extensions"]) for error in response["errors"]] == [
        (["second"], {"code": "TIMED_OUT", "remedy": NOT_WRITTEN}),
        (["third"], {"code": "TIMED_OUT", "remedy": NOT_WRITTEN}),
    ]
    assert (await title(company, ADA), await title(company, CARL)) == ("changed", None)


async def test_a_quick_request_takes_no_task(company: Database) -> None:
    """Listening for the client's leaving takes one, so it begins later."""
    served = site(company)
    await AsgiRequest(served, READ).response()
    made: list[str] = []
    loop = asyncio.get_running_loop()

    def counted(loop: asyncio.AbstractEventLoop, coroutine: object, **options: object) -> "asyncio.Task[object]":
        made.append(str(coroutine))
        return asyncio.Task(coroutine, loop=loop, **options)  # type: ignore[arg-type]

    loop.set_task_factory(counted)  # type: ignore[arg-type]
    try:
        await AsgiRequest(served, READ).response()
    finally:
        loop.set_task_factory(None)
    assert len(made) == 1, made  # that of the request
