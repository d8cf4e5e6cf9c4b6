"""Units of work that meet: deadlocks are retried, locks are waited for a second, and each mutation commits alone."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database, Session
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.funnel.following.evaluation_locks import lock_contacts
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import ATTEMPTS, Call, StartAgain, UnitOfWork, perform
from tests.support.accords import delete_versions
from tests.support.graphql import code_of, executed
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import ADA, CARL

CHANGE = """
mutation ($id: ID!, $version: Int!) {
  updateContact(input: { id: $id, expectedVersion: $version, jobTitle: "changed" }) { contact { id } }
}
"""
LONGEST = 4.0  # seconds: a lock is waited for one second


async def title(database: Database, id_: UUID) -> str | None:
    async with database.read() as session:
        found: str | None = await session.value(Sql("select job_title from contact where id = {}", id_))
    return found


async def set_title(session: Session, id_: UUID, text: str) -> None:
    await session.rows(Sql("update contact set job_title = {} where id = {} returning id", text, id_))


@asynccontextmanager
async def held(database: Database, id_: UUID) -> AsyncIterator[None]:
    """Hold the lock of a contact's row."""
    async with database.write() as session:
        await session.row(Sql("select 1 from contact where id = {} for update", id_))
        yield


async def test_a_row_that_stays_locked_is_busy_after_a_second(company: Database) -> None:
    async with held(company, ADA):
        began = time.monotonic()
        found = await executed(company, CHANGE, id=f"contact_{ADA}", version=1)
        assert 0.9 < time.monotonic() - began < LONGEST
        assert found.errors is not None
        assert [(code_of(error), error.path) for error in found.errors] == [("BUSY", ["updateContact"])]
        assert found.data == {"updateContact": None}
    assert await title(company, ADA) is None
    async with company.read() as session:
        assert await session.value(Sql("select count(*) from audit_event")) == 0


async def test_who_waits_less_than_a_second_gets_the_lock(company: Database) -> None:
    async def hold() -> None:
        async with held(company, CARL):
            await asyncio.sleep(0.4)

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0.1)
    found = await executed(company, CHANGE, id=f"contact_{CARL}", version=1)
    await holding
    assert found.errors is None
    assert await title(company, CARL) == "changed"


async def test_the_lock_of_a_person_who_is_being_evaluated_is_waited_for_a_second(company: Database) -> None:
    async with company.write() as session:
        await session.script("delete from stage_entry; delete from evaluation")
        await delete_versions(session)
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    fact = {"contact": {"id": f"contact_{ADA}"}, "kind": "FORM", "direction": "INBOUND"}
    async with company.write() as session:
        await lock_contacts(session, [ADA])
        began = time.monotonic()
        assert await refusal(company, "logTouchpoint", fact) is ErrorCode.BUSY
        assert time.monotonic() - began < LONGEST
    payload = await run(company, "logTouchpoint", "touchpoint { id }", fact)
    assert payload["userErrors"] == []


async def test_the_same_key_in_use_is_busy_after_a_second(company: Database) -> None:
    key = {"idempotencyKey": "k", "name": "New"}

    async with company.write() as session:
        await session.run(
            Sql(
                "insert into idempotency_key (subject, mutation, key, input_hash)"
                " values ('local', 'createCompany', 'k', '')"
            )
        )
        began = time.monotonic()
        assert await refusal(company, "createCompany", key) is ErrorCode.BUSY
        assert time.monotonic() - began < LONGEST


async def test_a_deadlock_is_resolved_and_both_units_of_work_succeed(company: Database) -> None:
    attempts: list[str] = []
    first_locks = asyncio.Barrier(2)

    async def unit(name: str, first: UUID, second: UUID) -> None:
        async def workflow(work: UnitOfWork) -> Outcome:
            attempts.append(name)
            await set_title(work.session, first, name)
            if len(attempts) <= 2:
                await first_locks.wait()
            await set_title(work.session, second, name)
            return Outcome()

        await perform(company, LOCAL_OPERATOR, Call(name), workflow)

    await asyncio.wait_for(asyncio.gather(unit("a", ADA, CARL), unit("b", CARL, ADA)), 20)
    assert sorted(attempts) in (["a", "a", "b"], ["a", "b", "b"])
    assert await title(company, ADA) == await title(company, CARL)


@pytest.mark.parametrize(
    "raised", [asyncpg.DeadlockDetectedError("d"), asyncpg.SerializationError("s"), StartAgain()], ids=str
)
async def test_collisions_are_retried_so_often_and_then_busy(company: Database, raised: Exception) -> None:
    attempts = 0

    async def workflow(work: UnitOfWork) -> Outcome:
        nonlocal attempts
        attempts += 1
        await set_title(work.session, ADA, "half")
        if attempts < succeeds_at:
            raise raised
        return Outcome()

    succeeds_at = ATTEMPTS
    await perform(company, LOCAL_OPERATOR, Call("m"), workflow)
    assert (attempts, await title(company, ADA)) == (ATTEMPTS, "half")

    attempts, succeeds_at = 0, ATTEMPTS + 1
    with pytest.raises(AccordError) as refused:
        await perform(company, LOCAL_OPERATOR, Call("m"), workflow)
    assert (attempts, refused.value.code) == (ATTEMPTS, ErrorCode.BUSY)


async def test_what_a_workflow_raises_rolls_back_and_is_not_retried(company: Database) -> None:
    attempts = 0

    async def workflow(work: UnitOfWork) -> Outcome:
        nonlocal attempts
        attempts += 1
        await set_title(work.session, ADA, "half")
        raise LookupError

    with pytest.raises(LookupError):
        await perform(company, LOCAL_OPERATOR, Call("m"), workflow)
    assert (attempts, await title(company, ADA)) == (1, None)


async def test_mutations_of_one_document_run_in_order_and_commit_each(company: Database) -> None:
    document = """
    mutation ($ada: ID!, $carl: ID!) {
      first: updateContact(input: { id: $ada, expectedVersion: 1, jobTitle: "1" }) { contact { rowVersion } }
      second: updateContact(input: { id: $carl, expectedVersion: 1, jobTitle: "2" }) { contact { rowVersion } }
      third: updateContact(input: { id: $ada, expectedVersion: 2, jobTitle: "3" }) {
        contact { rowVersion jobTitle } userErrors { code }
      }
      fourth: updateContact(input: { id: $ada, expectedVersion: 2, jobTitle: "4" }) { userErrors { code } }
    }
    """
    async with held(company, CARL):
        running = asyncio.create_task(executed(company, document, ada=f"contact_{ADA}", carl=f"contact_{CARL}"))
        seen = set()
        while not running.done():  # the second waits for a second
            seen.add(await title(company, ADA))
            await asyncio.sleep(0.05)
        found = await running
    assert "1" in seen  # the first was committed meanwhile
    assert found.errors is not None
    assert [(code_of(error), error.path) for error in found.errors] == [("BUSY", ["second"])]
    assert found.data == {
        "first": {"contact": {"rowVersion": 2}},
        "second": None,
        "third": {"contact": {"rowVersion": 3, "jobTitle": "3"}, "userErrors": []},
        "fourth": {"userErrors": [{"code": "STALE_VERSION"}]},
    }
    assert (await title(company, ADA), await title(company, CARL)) == ("3", None)


async def test_callers_with_the_same_key_at_the_same_moment_make_one_change(company: Database) -> None:
    given = {"firstName": "Once", "idempotencyKey": "together"}
    made = await asyncio.gather(*(run(company, "createContact", "contact { id }", given) for _ in range(4)))
    assert len({payload["contact"]["id"] for payload in made}) == 1
    assert sorted(payload["replayed"] for payload in made) == [False, True, True, True]
    other = {"firstName": "Twice", "idempotencyKey": "together"}
    assert await refusal(company, "createContact", other) is ErrorCode.IDEMPOTENCY_KEY_REUSED


async def test_companies_that_move_below_one_another_at_the_same_moment_make_no_circle(company: Database) -> None:
    made = [(await run(company, "createCompany", "company { id }", {"name": name}))["company"]["id"] for name in "abc"]

    async def move(place: int) -> bool:
        above = {"id": made[(place + 1) % len(made)]}
        moved = await run(company, "updateCompany", "", {"id": made[place], "expectedVersion": 1, "parent": above})
        return codes(moved) == {}

    assert sorted(await asyncio.gather(*map(move, range(len(made))))) == [False, True, True]
