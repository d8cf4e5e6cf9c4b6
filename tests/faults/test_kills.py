"""Random faults at random moments while clients write.

Processes get `kill -9`, SIGSTOP or SIGTERM, sessions are ended, and clients leave before they are answered. The clients
keep the account of what was acknowledged; after every round, all of that is stored, once.
"""

import asyncio
import os
import random
import signal
import subprocess
from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import httpx
import pytest

from api.db import Database
from api.embedded import start
from tests.faults.checks import CHECKS, uuid_of
from tests.faults.conftest import World, served_world
from tests.faults.processes import Installation, frozen, kill, kill_backend
from tests.faults.writers import Writer
from tests.support.served import TIMEOUT_SECONDS

pytestmark = pytest.mark.faults

ROUNDS = int(os.environ.get("ROUNDS") or 20)
WRITERS = 3
ACTIVITIES = ("writes", "import", "evaluate", "worker")
KILLS = ("server", "postgres", "backend", "command", "everything")
OTHER_FAULTS = ("restart the server", "freeze postgres", "end sessions", "leave")
# What happens together in a round: every combination comes once in 35 rounds, in a random order.
COMBINATIONS = [
    (activity, fault)
    for activity in ACTIVITIES
    for fault in (*(f"kill {victim}" for victim in KILLS), *OTHER_FAULTS)
    if (activity, fault) != ("writes", "kill command")
]
REPEATED_WRITES = 5
ENDED_SESSIONS = 20


@pytest.fixture(scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An installation with its own PostgreSQL. This process uses it too, so that it outlives a killed server."""
    installation = Installation(tmp_path_factory.mktemp("faults"))
    async with served_world(installation, start(installation.data)) as made:
        yield made


async def keep_writing(writer: Writer, is_over: asyncio.Event) -> None:
    """Write until the fault is over, and a little more."""
    while not is_over.is_set():
        await writer.write(1)
        await asyncio.sleep(writer.chooser.uniform(0, 0.05))
    await writer.write(3)


async def fail(world: World, fault: str, process: "subprocess.Popen[bytes] | None", chooser: random.Random) -> None:
    """Make one fault, and wait until the server has recovered."""
    installation = world.installation
    if fault in ("kill command", "kill everything") and process is not None and process.poll() is None:
        kill(process)
    if fault in ("kill server", "kill everything") and installation.server is not None:
        kill(installation.server)
    if fault in ("kill postgres", "kill everything"):
        installation.postmaster().kill()
    if fault == "kill backend":
        kill_backend(installation, chooser)
    if fault == "restart the server" and installation.server is not None:
        installation.server.terminate()
        assert await asyncio.to_thread(installation.server.wait, TIMEOUT_SECONDS) == 128 + signal.SIGTERM
    if fault == "freeze postgres":
        with frozen(installation.postmaster()):
            await asyncio.sleep(chooser.uniform(0.2, 6))
    if fault == "leave":
        await asyncio.sleep(chooser.uniform(1, 3))
    if fault == "end sessions":
        for _ in range(ENDED_SESSIONS):
            await end_session(world.dsn, chooser)
            await asyncio.sleep(chooser.uniform(0, 0.05))
    if fault in ("kill server", "kill everything", "restart the server"):
        await asyncio.to_thread(installation.start_server)
    else:
        await asyncio.to_thread(installation.wait_until_ready)


async def end_session(dsn: str, chooser: random.Random) -> None:
    """End a session of the server as an operator does, most likely one that writes or commits."""
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "select pid from pg_stat_activity where application_name = 'accord' and pid <> pg_backend_pid()"
            " order by state = 'idle', pid"
        )
        if found:
            pid = found[min(chooser.randrange(len(found)), chooser.randrange(len(found)))]["pid"]
            await connection.execute("select pg_terminate_backend($1)", pid)
    finally:
        await connection.close()


async def recover(
    world: World, activity: str, command: tuple[str, ...] | None, process: "subprocess.Popen[bytes] | None"
) -> None:
    """Wait for the command, and run it again if it failed; end the worker, which has no end of its own."""
    if process is None or command is None:
        return
    if activity == "worker":
        process.terminate()
        await asyncio.to_thread(process.wait, TIMEOUT_SECONDS)
    elif await asyncio.to_thread(process.wait, TIMEOUT_SECONDS) != 0:
        await asyncio.to_thread(world.installation.run, *command)


def command_of(world: World, activity: str, number: int) -> tuple[str, ...] | None:
    """Return the command that runs beside the writers of a round."""
    match activity:
        case "import":
            return world.export(f"r{number}")
        case "writes":
            return None
        case _:
            return (activity,)


@pytest.mark.parametrize("number", range(ROUNDS))
async def test_nothing_acknowledged_is_lost_or_doubled(world: World, seed: int, number: int) -> None:
    order = random.Random(f"{seed}/{number // len(COMBINATIONS)}").sample(COMBINATIONS, len(COMBINATIONS))
    activity, fault = order[number % len(COMBINATIONS)]
    chooser = random.Random(f"{seed}-{number}")
    delay = chooser.uniform(0.05, 4 if activity in ("import", "evaluate") else 1.5)
    print(f"SEED={seed}, round {number}: {activity}, {fault} after {delay:.2f} s")
    command = command_of(world, activity, number)
    is_over = asyncio.Event()
    async with httpx.AsyncClient(base_url=world.installation.address, timeout=60) as client:
        writers = world.writers(client, f"r{number}", WRITERS, chooser)
        for writer in writers:
            writer.leaves = fault == "leave"
        tasks = [asyncio.create_task(keep_writing(writer, is_over)) for writer in writers]
        if world.written.reader is not None:
            tasks.append(asyncio.create_task(world.written.reader.follow(is_over)))
        try:
            process = world.installation.command(*command) if command else None
            await asyncio.sleep(delay)
            await fail(world, fault, process, chooser)
            await recover(world, activity, command, process)
        finally:
            is_over.set()
        await asyncio.gather(*tasks)
        for writer in writers:
            writer.leaves = False
            for write in chooser.sample(writer.writes, min(REPEATED_WRITES, len(writer.writes))):
                await writer.repeat(write)
    failures = sum((writer.failures for writer in writers), start=Counter[str]())
    replays = sum(write.payload["replayed"] for writer in writers for write in writer.writes)
    count = sum(len(writer.writes) for writer in writers)
    print(f"  {count} writes, of which {replays} had been committed when they were repeated; failed: {dict(failures)}")
    assert await world.problems() == []


async def test_no_process_printed_a_traceback(world: World) -> None:
    assert "Traceback" not in world.installation.log()


SABOTAGES = {
    "a lost touchpoint": ("records", "delete from touchpoint where id = {touchpoint}"),
    "a lost change": ("records", "update contact set job_title = 'old' where id = {contact}"),
    "a second contact": (
        "records",
        "insert into contact (id, last_name) select gen_random_uuid(), last_name from contact where id = {contact}",
    ),
    "half an import": (
        "imported",
        (
            "delete from touchpoint where contact_id ="
            " (select record_id from external_key where source = 'crm' and external_id = 'first-1')"
        ),
    ),
    "a second import": (
        "imported",
        (
            "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
            " values (gen_random_uuid(), 'crm', 'first', now(), now(), '{{}}')"
        ),
    ),
    "a commit without its audit": ("audit", "delete from audit_event where changed_id = {contact}"),
    "a key without its result": (
        "audit",
        "update idempotency_key set result = null where ctid = (select min(ctid) from idempotency_key)",
    ),
    "a commit without its events": ("outbox", "delete from outbox_event where record_id = {contact} and stage is null"),
    "an event sent twice": (
        "outbox",
        (
            "insert into outbox_event (id, change_type, record_type, record_id)"
            " values (gen_random_uuid(), 'CREATED', 'contact', {contact})"
        ),
    ),
    "a stage without its event": (
        "outbox",
        (
            "delete from outbox_event where stage is not null and contact_id ="
            " (select contact_id from touchpoint where id = {touchpoint})"
        ),
    ),
    "a missed event": (
        "followed",
        (
            "delete from outbox_event where id = (select id from outbox_event where position is not null"
            " order by position limit 1 offset 5)"
        ),
    ),
    "an event without a place": ("followed", "update outbox_event set position = null where record_id = {contact}"),
    "places with a gap": (
        "outbox",
        "delete from outbox_event where position = (select max(position) - 1 from outbox_event)",
    ),
    "an import without an event": (
        "imported",
        (
            "delete from outbox_event where record_id ="
            " (select record_id from external_key where entity = 'contact' and external_id = 'second-1')"
        ),
    ),
    "an import without its audit": ("imported", "delete from audit_event where action = 'import'"),
    "a gap in the history": (
        "history",
        "update contact_version set valid_to = valid_from where valid_to is not null and contact_id = {contact}",
    ),
    "an overlap in the history": (
        "history",
        (
            "update contact_version set valid_from = valid_from - interval '1 day'"
            " where valid_to is null and contact_id = {contact}"
        ),
    ),
    "a lost version": ("history", "delete from contact_version where valid_to is null and contact_id = {contact}"),
    "a lost entry": (
        "entries",
        "delete from stage_entry where contact_id = (select contact_id from touchpoint where id = {touchpoint})",
    ),
}


@pytest.mark.parametrize("sabotage", SABOTAGES)
async def test_every_check_can_fail(world: World, sabotage: str) -> None:
    name, statement = SABOTAGES[sabotage]
    [check] = [check for check in CHECKS if check.__name__ == name]
    contact = next(id_ for writer in world.written.writers for id_, version in writer.contacts.items() if version > 1)
    touchpoint = next(id_ for writer in world.written.writers for id_ in writer.touches)
    ids = {"contact": f"'{uuid_of(contact)}'", "touchpoint": f"'{uuid_of(touchpoint)}'"}
    async with Database.open(world.dsn, size=1) as database, database.scratch() as session:
        assert await check(session, world.written) == []
        await session.script("set local accord.history_is_given = on")
        await session.script(statement.format(**ids))
        assert await check(session, world.written) != []
