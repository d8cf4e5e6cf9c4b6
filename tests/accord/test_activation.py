"""Activation: now or ahead, all at once, and never in the past."""

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.in_force import accord_in_force
from api.accord.verification import verify_versions
from api.db import Database
from api.funnel.drift import check_entries
from api.funnel.evaluate import begin_evaluation, evaluate
from api.jobs import run_jobs as running
from api.jobs.all_jobs import JOBS
from api.jobs.run_jobs import running_jobs
from api.plan.json_values import instant_as_text
from api.sql import Sql
from api.workflows.accord.activate_due import activate_due, next_activation
from schema.accord import Accord
from schema.base import new_id, now
from tests.funnel.small_world import ACCORD, ANN, write_small_world
from tests.support.graphql import put
from tests.support.mutations import codes, run
from tests.support.signers import (
    MIA,
    SAM,
    call,
    operator,
    propose_document,
    sign,
    sign_by_both,
    signed_in,
    version,
    write_people,
)

PAST = datetime(2026, 2, 1, tzinfo=UTC)


def document(at_least: int, title: str = "next") -> Accord:
    """The accord of the small world, with another number of touches for the second stage."""
    stages = [stage.model_dump(mode="json", by_alias=True) for stage in ACCORD.stages]
    stages[1]["rule"] = {"touches": {"at_least": at_least}}
    return Accord.model_validate({"title": title, "stages": stages})


@pytest.fixture
async def agreed(database: Database) -> Database:
    async with database.write() as session:
        await write_small_world(session)
        await write_people(session)
        for day in (0, 1):
            row = {"id": new_id(), "contact_id": ANN, "occurred_at": PAST + timedelta(days=day), "kind": "FORM"}
            await put(session, "touchpoint", row | {"direction": "INBOUND"})
        await evaluate(session)
    return database


async def signed(database: Database, accord: Accord) -> int:
    """Propose a document, and sign it by both teams. Return the number of the version."""
    number = await propose_document(database, accord)
    await sign_by_both(database, number)
    return number


async def warm(database: Database) -> list[datetime]:
    """The instants at which people entered the second stage."""
    async with database.read() as session:
        rows = await session.rows(
            Sql(
                "select e.entered_at from stage_entry e join evaluation v on v.id = e.evaluation_id"
                " where v.is_current and v.reading = 'IN_FORCE' and e.stage = 'warm' order by 1"
            )
        )
    return [row["entered_at"] for row in rows]


async def require_sound(database: Database) -> None:
    """Verify versions and entries, as `accord verify` does."""
    async with database.read() as session:
        assert (await verify_versions(session)).problems == ()
    async with database.scratch() as session:
        await check_entries(session)


async def test_now_means_planned_at_once_and_done_by_the_job(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    began = now()
    assert (await call(agreed, operator(), "activateAccord", version=number))["userErrors"] == []
    planned = await version(agreed, number)
    assert (planned["status"], planned["activates_at"] is not None) == ("SIGNED", True)
    assert await activate_due(agreed) == 1
    first, second = await version(agreed, 1), await version(agreed, number)
    assert (first["status"], second["status"]) == ("SUPERSEDED", "ACTIVE")
    assert first["in_force_until"] == second["in_force_from"] == second["activated_at"]
    assert second["in_force_from"] >= began
    assert (second["base_id"], second["base_hash"]) == (first["id"], first["content_hash"])
    await require_sound(agreed)
    assert await activate_due(agreed) == 0
    async with agreed.read() as session:
        assert await session.value(Sql("select count(distinct evaluation_id) from stage_entry")) == 1
        assert (await accord_in_force(session)).number == number


async def test_who_satisfies_the_new_rule_enters_at_the_activation(agreed: Database) -> None:
    """Ann entered by two touches long ago, and stays; a person with one touch enters at that moment."""
    person = new_id()
    async with agreed.write() as session:
        await put(session, "contact", {"id": person, "effective_at": PAST})
        row = {"id": new_id(), "contact_id": person, "occurred_at": PAST, "kind": "FORM", "direction": "INBOUND"}
        await put(session, "touchpoint", row)
        await evaluate(session)
    before = await warm(agreed)
    assert before == [PAST + timedelta(days=1)]
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    await activate_due(agreed)
    assert await warm(agreed) == [*before, (await version(agreed, number))["in_force_from"]]
    await require_sound(agreed)


async def test_never_in_the_past(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    at = now() - timedelta(seconds=1)
    payload = await call(agreed, operator(), "activateAccord", version=number, at=at.isoformat())
    assert codes(payload) == {"input.at": "INVALID"}
    [error] = payload["userErrors"]
    assert error["message"].startswith(f"{instant_as_text(at)} is in the past. History does not change: ")
    assert (await version(agreed, number))["activates_at"] is None


async def test_one_activation_is_planned_at_a_time(agreed: Database) -> None:
    second, third = await signed(agreed, document(1)), await signed(agreed, document(3))
    ahead = (now() + timedelta(days=1)).isoformat()
    assert (await call(agreed, operator(), "activateAccord", version=second, at=ahead))["userErrors"] == []
    assert await activate_due(agreed) == 0
    refused = await call(agreed, operator(), "activateAccord", version=third)
    assert codes(refused) == {"input.version": "WRONG_STATE"}
    assert f"Version {second} is to be activated at" in refused["userErrors"][0]["message"]
    later = (now() + timedelta(days=2)).isoformat()
    assert (await call(agreed, operator(), "activateAccord", version=second, at=later))["userErrors"] == []
    edited = await call(agreed, LOCAL_OPERATOR, "editAccord", version=second, document=document(4).canonical())
    assert edited["userErrors"] == []
    assert await next_activation(agreed) is None
    assert (await call(agreed, operator(), "activateAccord", version=third, at=later))["userErrors"] == []


async def test_only_a_signed_version_is_activated(agreed: Database) -> None:
    number = await propose_document(agreed, document(1))
    assert codes(await call(agreed, operator(), "activateAccord", version=number)) == {"input.version": "WRONG_STATE"}
    await sign(agreed, number, MIA)
    assert codes(await call(agreed, operator(), "activateAccord", version=number)) == {"input.version": "WRONG_STATE"}
    assert codes(await call(agreed, operator(), "activateAccord", version=1)) == {"input.version": "WRONG_STATE"}


async def test_of_two_drafts_the_later_one_gets_a_new_base_and_loses_its_signatures(agreed: Database) -> None:
    second, third = await signed(agreed, document(1)), await signed(agreed, document(3))
    await call(agreed, operator(), "activateAccord", version=third)
    await activate_due(agreed)
    active, other = await version(agreed, third), await version(agreed, second)
    assert (other["status"], other["signed_at"]) == ("IN_REVIEW", None)
    assert (other["base_id"], other["base_hash"]) == (active["id"], active["content_hash"])
    async with agreed.read() as session:
        reasons = await session.rows(
            Sql("select void_reason from accord_signature where accord_version_id = {}", other["id"])
        )
    assert [row["void_reason"] for row in reasons] == [f"Version {third} came into force."] * 2
    await sign_by_both(agreed, second)
    await call(agreed, operator(), "activateAccord", version=second)
    await activate_due(agreed)
    assert (await version(agreed, second))["status"] == "ACTIVE"
    await require_sound(agreed)


async def test_going_back_is_a_new_version_with_old_content(agreed: Database) -> None:
    second = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=second)
    await activate_due(agreed)
    third = await signed(agreed, ACCORD)
    await call(agreed, operator(), "activateAccord", version=third)
    await activate_due(agreed)
    first, last = await version(agreed, 1), await version(agreed, third)
    assert first["content_hash"] == last["content_hash"]
    assert (first["status"], last["status"]) == ("SUPERSEDED", "ACTIVE")
    await require_sound(agreed)


async def test_readers_see_the_old_state_until_the_new_one_is_complete(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    seen: list[str] = []
    waiting, going_on = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        """Keep the last step of the evaluation from beginning, by a lock that writers share."""
        async with agreed.write() as session:
            await session.run(Sql("lock table wake_up in share mode"))
            waiting.set()
            await going_on.wait()

    holder = asyncio.create_task(hold())
    await waiting.wait()
    activation = asyncio.create_task(activate_due(agreed))
    try:
        await asyncio.sleep(1)
        assert not activation.done()
        seen += [(await version(agreed, 1))["status"], (await version(agreed, number))["status"]]
        busy = await is_busy(agreed)
    finally:
        going_on.set()
        await holder
    assert await activation == 1
    seen += [(await version(agreed, 1))["status"], (await version(agreed, number))["status"]]
    assert seen == ["ACTIVE", "SIGNED", "SUPERSEDED", "ACTIVE"]
    assert busy
    await require_sound(agreed)


async def is_busy(database: Database) -> bool:
    """Return whether a verb is BUSY, as it is while a version is activated."""
    try:
        await call(database, signed_in(MIA), "commentAccord", version=1, text="hm")
    except AssertionError as error:
        return "Another transaction holds a lock" in str(error)
    return False


class KilledError(Exception):
    """The process dies in the middle of an activation."""


async def test_a_crash_in_the_middle_leaves_the_old_state_and_the_job_tries_again(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    before = await warm(agreed)

    def die(_step: str, _done: int, _total: int) -> None:
        raise KilledError

    with pytest.raises(KilledError):
        await activate_due(agreed, die)
    assert (await version(agreed, 1))["status"] == "ACTIVE"
    assert (await version(agreed, number))["status"] == "SIGNED"
    assert await warm(agreed) == before
    await require_sound(agreed)
    assert await activate_due(agreed) == 1
    await require_sound(agreed)


async def test_a_write_during_an_activation_is_neither_lost_nor_late(agreed: Database) -> None:
    number = await signed(agreed, document(3))
    await call(agreed, operator(), "activateAccord", version=number)
    writes: list[asyncio.Task[object]] = []

    def write(_step: str, _done: int, _total: int) -> None:
        if not writes:
            given = {"contact": {"id": f"contact_{ANN}"}, "kind": "FORM", "direction": "INBOUND"}
            writes.append(asyncio.create_task(run(agreed, "logTouchpoint", "touchpoint { id }", given)))

    await activate_due(agreed, write)
    [payload] = await asyncio.gather(*writes)
    assert payload is not None
    await require_sound(agreed)


async def test_an_activation_waits_for_an_import(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    async with agreed.write() as importing:  # as an import does before it writes
        await begin_evaluation(importing)
        activation = asyncio.create_task(activate_due(agreed))
        await asyncio.sleep(0.3)
        assert not activation.done()
        row = {"id": new_id(), "contact_id": ANN, "occurred_at": PAST, "kind": "FORM", "direction": "INBOUND"}
        await put(importing, "touchpoint", row)
        await evaluate(importing)
        ended = await importing.value(Sql("select clock_timestamp()"))
    assert await activation == 1
    assert (await version(agreed, number))["in_force_from"] > ended
    await require_sound(agreed)


@pytest.fixture
def impatience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "TAKEOVER_SECONDS", 0.05)
    monkeypatch.setattr(running, "SHORTEST_PAUSE_SECONDS", 0.05)


async def until_active(database: Database, number: int) -> None:
    async with asyncio.timeout(20):
        while (await version(database, number))["status"] != "ACTIVE":  # noqa: ASYNC110 - another task writes it
            await asyncio.sleep(0.02)


@pytest.mark.usefixtures("impatience")
async def test_the_jobs_activate_at_once_and_at_the_planned_instant(agreed: Database) -> None:
    """The notification wakes the jobs, which otherwise sleep; the instant ahead ends their next sleep."""
    second, third = await signed(agreed, document(1)), 0
    jobs = [job for job in JOBS if job.name == "activate accord"]
    async with running_jobs(agreed, jobs):
        await asyncio.sleep(0.5)
        await call(agreed, operator(), "activateAccord", version=second)
        await until_active(agreed, second)
        third = await signed(agreed, document(3))
        at = now() + timedelta(seconds=1)
        await call(agreed, operator(), "activateAccord", version=third, at=at.isoformat())
        await until_active(agreed, third)
    assert (await version(agreed, third))["in_force_from"] >= at
    await require_sound(agreed)


async def test_who_signed_last_left_before_the_instant(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    async with agreed.write() as session:
        await session.run(Sql("update member set deactivated_at = now() where id = {}", SAM))
    assert await activate_due(agreed) == 1
    await require_sound(agreed)


async def test_the_history_holds_against_sql_by_hand(agreed: Database) -> None:
    number = await signed(agreed, document(1))
    await call(agreed, operator(), "activateAccord", version=number)
    await activate_due(agreed)

    async def by_hand(statement: str) -> None:
        async with agreed.write() as session:
            await session.script(statement)

    for statement in ("update accord_version set note = 'x'", "delete from accord_version"):
        with pytest.raises(asyncpg.PostgresError):
            await by_hand(statement)
