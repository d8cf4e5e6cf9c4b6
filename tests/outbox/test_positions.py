"""Positions of events: consecutive, in the order of commits, given once, and kept when events are pruned."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import pytest

from api.access.evaluation import DATA_WATERMARK
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.errors import ErrorCode
from api.funnel.evaluate import evaluate
from api.outbox import positions, prune
from api.outbox.positions import OutboxPositions, expire_cursors, place_events, read_state
from api.outbox.prune import prune_events, prune_idempotency_keys
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id, now
from schema.writes.changes import ChangeType
from tests.outbox.test_changes import refusal
from tests.support.followed_changes import end, types_after
from tests.support.graphql import uid
from tests.support.mutations import run

AUTHOR = Author("a test", "test")


async def write(session: WriteSession, *numbers: int) -> None:
    """Write an event for each number."""
    changes = [RecordChange(ChangeType.CHANGED, "product", uid(number)) for number in numbers]
    await write_changes(session, AUTHOR, (), changes)


async def placed(database: Database) -> list[tuple[int, int]]:
    """Return the positions and the numbers of the events that have a position."""
    async with database.read() as session:
        rows = await session.rows(
            Sql("select position, record_id from outbox_event where position is not null order by position")
        )
    return [(row["position"], UUID(str(row["record_id"])).int) for row in rows]


async def test_an_event_that_is_committed_late_comes_last(database: Database) -> None:
    async with database.write() as session:
        await write(session, 1)
        async with database.write() as other:
            await write(other, 2, 3)
        assert await place_events(database) == 2
    assert await place_events(database) == 1
    assert await placed(database) == [(1, 2), (2, 3), (3, 1)]
    assert await place_events(database) == 0


async def test_the_first_reader_makes_the_state_once(database: Database) -> None:
    await asyncio.gather(*(place_events(database) for _ in range(4)))
    async with database.read() as session:
        first = await read_state(session)
    assert (first.last, first.kept_after, len(first.secret)) == (0, 0, 64)
    async with database.write() as session:
        await write(session, 1)
    await place_events(database)
    async with database.read() as session:
        assert await read_state(session) == OutboxPositions(1, 0, first.secret)


async def test_what_is_rolled_back_leaves_no_gap(database: Database) -> None:
    for number in range(4):
        try:
            async with database.write() as session:
                await write(session, number)
                if number % 2:
                    raise LookupError
        except LookupError:
            pass
        await place_events(database)
    assert await placed(database) == [(1, 0), (2, 2)]


async def test_several_numbering_steps_at_once_give_every_position_once(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(positions, "BATCH", 7)

    async def writer(numbers: Sequence[int]) -> None:
        for number in numbers:
            async with database.write() as session:
                await write(session, number)

    async def reader() -> None:
        for _ in range(15):
            await place_events(database)

    await asyncio.gather(*(writer(range(start, start + 25)) for start in (0, 100)), *(reader() for _ in range(3)))
    await place_events(database)
    found = await placed(database)
    assert [position for position, _ in found] == list(range(1, 51))
    for start in (0, 100):  # the order of one writer's commits
        assert [number for _, number in found if start <= number < start + 25] == list(range(start, start + 25))


async def test_numbering_waits_a_second_at_most_for_another(database: Database) -> None:
    async with database.write() as session:
        await write(session, 1)
    async with database.write() as session:
        await positions.lock_state(session)
        started = now()
        assert await place_events(database) == 0
        assert now() - started < timedelta(seconds=3)
    assert await place_events(database) == 1


async def test_readers_number_so_many_events_at_most(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(positions, "BATCH", 3)
    async with database.write() as session:
        await write(session, *range(10))
    assert await place_events(database, batches=2) == 6
    assert await place_events(database) == 4


async def test_old_events_are_pruned_in_batches_and_their_cursors_expire(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    before = await end(database)
    for number in range(6):
        async with database.write() as session:
            await write(session, number)
        await place_events(database)
    middle = await end(database)
    async with database.write() as session:
        await session.run(Sql("update outbox_event set recorded_at = now() - {}::interval", timedelta(days=31)))
        await write(session, 6)
    await place_events(database)
    assert await prune_events(database) == 6
    assert await placed(database) == [(7, 6)]
    assert await refusal(database, before) is ErrorCode.CURSOR_EXPIRED
    assert await types_after(database, middle) == [("CHANGED", f"product_{uid(6)}")]
    async with database.write() as session:
        await session.run(Sql("update outbox_event set recorded_at = now() - {}::interval", timedelta(days=31)))
    assert await prune_events(database) == 1
    async with database.write() as session:
        await write(session, 7)
    await place_events(database)
    assert await placed(database) == [(8, 7)]  # the last position survives that no event is kept
    assert await refusal(database, middle) is ErrorCode.CURSOR_EXPIRED


async def test_the_newest_fact_dates_the_data_after_its_time(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    ada = (await run(database, "createContact", "contact { id }", {"firstName": "Ada"}))["contact"]
    made = {"contact": ada, "kind": "FORM", "direction": "INBOUND"}
    for _ in range(2):
        await run(database, "logTouchpoint", "touchpoint { id }", made)
        async with database.write() as session:
            await write(session, 1, 2)  # products are no facts
        await place_events(database)
    async with database.write() as session:
        await session.run(Sql("update outbox_event set recorded_at = recorded_at - {}::interval", timedelta(days=31)))
        await session.run(Sql("update evaluation set watermark = watermark - {}::interval", timedelta(days=90)))
        newest = await session.value(Sql("select max(recorded_at) from outbox_event where record_type = 'touchpoint'"))
    assert await watermark(database) == newest
    before = await end(database)
    assert await prune_events(database) > 4
    assert await watermark(database) == newest
    assert len(await placed(database)) == 1
    assert await prune_events(database) == 0
    assert await types_after(database, before) == []
    # The next fact takes its place.
    await run(database, "logTouchpoint", "touchpoint { id }", made)
    newer = await watermark(database)
    assert newer > newest
    await place_events(database)
    assert await watermark(database) == newer
    assert await prune_events(database) == 1


async def watermark(database: Database) -> datetime:
    async with database.read() as session:
        found = await session.value(Sql("select {} from evaluation e where e.is_current", DATA_WATERMARK))
    assert isinstance(found, datetime)
    return found


async def test_an_old_event_after_one_that_is_kept_stays(database: Database) -> None:
    async with database.write() as session:
        await write(session, 1, 2)
    await place_events(database)
    async with database.write() as session:
        await session.run(
            Sql("update outbox_event set recorded_at = now() - {}::interval where position = 2", timedelta(days=31))
        )
    assert await prune_events(database) == 0


async def test_expired_cursors_end_and_new_ones_see_what_is_committed_later(database: Database) -> None:
    before = await end(database)
    async with database.write() as late:
        await write(late, 1)
        async with database.write() as session:
            await expire_cursors(session)
        start = await end(database)
        assert await refusal(database, before) is ErrorCode.CURSOR_EXPIRED
    assert await types_after(database, start) == [("CHANGED", f"product_{uid(1)}")]
    async with database.read() as session:
        state = await read_state(session)
    assert (state.last, state.kept_after) == (2, 1)


async def test_idempotency_keys_are_pruned_after_a_day(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prune, "BATCH", 2)
    async with database.write() as session:
        for hours in (30, 25, 25, 23):
            await session.run(
                Sql(
                    "insert into idempotency_key (subject, mutation, key, input_hash, created_at)"
                    " values ('local', 'm', {}, '', now() - {}::interval)",
                    str(new_id()),
                    timedelta(hours=hours),
                )
            )
    assert await prune_idempotency_keys(database) == 3
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from idempotency_key")) == 1
