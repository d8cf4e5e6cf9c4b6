"""The hand-checkable example gives exactly the expected stage entries."""

from api.db import Database
from api.funnel.evaluate import discard_former_entries, evaluate
from api.sql import Sql
from tests.golden import world

_STORED = Sql(
    "select contact_id, stage, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied from stage_entry"
    " order by contact_id, rank, occurrence"
)


async def test_the_example_gives_the_expected_entries(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        evaluated = await evaluate(session, as_of=world.AFTER_ALL)
        rows = [tuple(row) for row in await session.rows(_STORED)]
    expected = [
        (
            world.contact_id(name),
            stage,
            occurrence,
            world.day(entered),
            world.day(own) if own else None,
            world.day(exited) if exited else None,
            exit_kind,
            own != entered,
        )
        for name, stage, occurrence, entered, own, exited, exit_kind in world.ENTRIES
    ]
    assert rows == expected
    assert sum(evaluated.entries.values()) == len(expected)


async def test_rebuilding_gives_the_same_rows_and_only_them(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL)
        first = await session.rows(_STORED)
        again = await evaluate(session, as_of=world.AFTER_ALL)
        await discard_former_entries(session)
        second = await session.rows(_STORED)
        current = await session.rows(Sql("select id from evaluation where is_current"))
    assert [tuple(row) for row in first] == [tuple(row) for row in second]
    assert [row["id"] for row in current] == [again.evaluation_id]
