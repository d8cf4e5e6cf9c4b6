"""The versions that the evaluator judges by: they follow one another, and entries carry the version's id."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from api.accord.in_force import AccordPeriod, accord_in_force, accord_periods
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.derivation import derived_entries
from api.funnel.drift import check_entries
from api.funnel.evaluate import evaluate
from api.funnel.ladder import ladder_of
from api.sql import Sql
from schema.base import new_id
from tests.golden import world
from tests.support.accords import unguarded

LATER = datetime(2026, 2, 1, tzinfo=UTC)


async def test_the_only_version_is_in_force_for_all_of_time(database: Database) -> None:
    async with database.scratch() as session:
        with pytest.raises(AccordError) as caught:
            await accord_periods(session)
    assert caught.value.code is ErrorCode.NO_ACCORD
    async with database.write() as session:
        adopted = await world.load(session)
        assert await accord_periods(session) == (AccordPeriod(adopted.id, adopted.accord, None, None),)


async def test_every_entry_carries_the_version_that_judged_it(database: Database) -> None:
    async with database.write() as session:
        adopted = await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL)
        stored = await session.rows(Sql("select distinct accord_version_id from stage_entry"))
        # A draft can be evaluated without being stored as a version.
        draft = AccordPeriod(new_id(), world.accord())
        async with derived_entries(session, (draft,), world.AFTER_ALL) as derived:
            judged = await session.rows(Sql("select distinct accord_version_id from ({}) derived", derived))
    assert [row[0] for row in stored] == [adopted.id]
    assert [row[0] for row in judged] == [draft.version_id]


async def test_an_entry_of_another_version_is_drift(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        await evaluate(session)
        await session.run(
            Sql(
                "update stage_entry set accord_version_id = {} where contact_id = {}",
                new_id(),
                world.contact_id("c8"),
            )
        )
        with pytest.raises(AccordError, match="0 missing, 0 extra, 3 changed") as caught:
            await check_entries(session)
    assert caught.value.code is ErrorCode.DRIFT


async def test_versions_are_read_from_the_oldest_up_to_one(database: Database) -> None:
    """No workflow supersedes a version yet; the rows are written by hand."""
    async with database.write() as session:
        first = await world.load(session)
        second = new_id()
        await session.run(
            Sql("update accord_version set status = 'SUPERSEDED', in_force_until = {}::timestamptz", LATER)
        )
        async with unguarded(session):
            await session.run(
                Sql(
                    "insert into accord_version (id, number, status, format, document, body, content_hash, base_id,"
                    " base_hash, in_force_from) select {}::uuid, 2, 'ACTIVE', format, document, body, content_hash, id,"
                    " content_hash, in_force_until from accord_version",
                    second,
                )
            )
        await session.run(
            Sql(
                "insert into accord_version (id, number, status, format, document, body, content_hash, base_id,"
                " base_hash) select {}::uuid, 3, 'DRAFT', format, document, body, content_hash, id, content_hash"
                " from accord_version where number = 1",
                new_id(),
            )
        )
        before, after = AccordPeriod(first.id, first.accord, None, LATER), AccordPeriod(second, first.accord, LATER)
        assert await accord_periods(session) == (before, after)
        assert await accord_periods(session, up_to=first.id) == (before,)
        assert (await accord_in_force(session)).id == second


@pytest.mark.parametrize("limits", [((None, None), (LATER, None)), ((None, LATER), (None, None)), ((LATER, None),), ()])
def test_versions_that_do_not_follow_one_another_are_a_clear_error(
    limits: tuple[tuple[datetime | None, datetime | None], ...],
) -> None:
    periods = [AccordPeriod(UUID(int=1), world.accord(), *limit) for limit in limits]
    with pytest.raises(ValueError, match=r"from the beginning of time|does not begin when"):
        ladder_of(periods)
