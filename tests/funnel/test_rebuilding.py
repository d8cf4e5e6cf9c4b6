"""Full rebuilds: which contacts and facts count, how drift is found, and which settings the caller keeps."""

from datetime import timedelta
from uuid import UUID

import pytest

from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.drift import check_entries
from api.funnel.evaluate import discard_former_entries, evaluate
from api.sql import Sql
from tests.golden import world


async def stages_of(session: WriteSession, contact: UUID) -> dict[str, object]:
    rows = await session.rows(
        Sql("select stage, entered_at from stage_entry where contact_id = {} order by rank", contact)
    )
    return {row["stage"]: row["entered_at"] for row in rows}


async def test_facts_of_a_merged_contact_count_for_the_survivor(database: Database) -> None:
    c1, c2, c8 = (world.contact_id(name) for name in ("c1", "c2", "c8"))
    async with database.write() as session:
        await world.load(session)
        # A chain of merges: c1 into c8, c8 into c2.
        for merged, survivor in ((c1, c8), (c8, c2)):
            await session.run(Sql("update contact set merged_into_id = {} where id = {}", survivor, merged))
        await evaluate(session, as_of=world.AFTER_ALL)
        survivor_stages = await stages_of(session, c2)
        others = [await stages_of(session, merged) for merged in (c1, c8)]
    assert others == [{}, {}]
    # The person's lifetime begins with c1's, and c1's deal made the person a customer.
    assert survivor_stages["inquiry"] == world.day("01-05")
    assert survivor_stages["customer"] == world.day("03-15")


async def test_deleted_test_and_internal_contacts_are_evaluated_but_deleted_deals_do_not_count(
    database: Database,
) -> None:
    async with database.write() as session:
        await world.load(session)
        await session.run(Sql("update contact set deleted_at = now(), is_test = true, is_internal = true"))
        await session.run(Sql("update deal set deleted_at = now() where name = 'c1'"))
        evaluated = await evaluate(session, as_of=world.AFTER_ALL)
        stages = await stages_of(session, world.contact_id("c1"))
    assert evaluated.entries["inquiry"] == 8
    assert "opportunity" not in stages


async def test_facts_later_than_as_of_do_not_count(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        evaluated = await evaluate(session, as_of=world.day("01-20") - timedelta(microseconds=1))
    assert evaluated.entries == {"inquiry": 4, "mql": 3, "sal": 3, "sql": 1, "opportunity": 1, "customer": 0}


async def test_entries_that_another_version_judges_alike_are_no_changes(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL)
        # As if another version of the accord had judged them.
        await session.script("update stage_entry set accord_version_id = gen_random_uuid(); truncate outbox_event")
        entry = await session.row(Sql("select contact_id, stage from stage_entry where own_at is not null limit 1"))
        assert entry is not None
        later = "update stage_entry set own_at = own_at + interval '1 hour' where (contact_id, stage) = ({}, {})"
        await session.run(Sql(later, *entry))
        await evaluate(session, as_of=world.AFTER_ALL)
        events = await session.rows(Sql("select contact_id, stage from outbox_event"))
        versions = await session.value(
            Sql(
                "select count(distinct e.accord_version_id) from stage_entry e join evaluation v"
                " on v.id = e.evaluation_id and v.is_current where e.accord_version_id = v.accord_version_id"
            )
        )
    assert [tuple(event) for event in events] == [tuple(entry)]
    assert versions == 1


async def test_a_reject_reason_that_is_not_listed_recycles_and_missing_data_does_not(database: Database) -> None:
    again = Sql("select occurrence from stage_entry where stage = 'mql' and contact_id = {}", world.contact_id("c3"))
    async with database.write() as session:
        await world.load(session)
        for reason, occurrences in (("WHATEVER", 2), ("BAD_DATA", 1)):
            await session.run(Sql("update handoff set reject_reason = {} where status = 'REJECTED'", reason))
            await evaluate(session, as_of=world.AFTER_ALL)
            await discard_former_entries(session)
            assert len(await session.rows(again)) == occurrences


async def test_a_check_finds_stored_entries_that_differ(database: Database) -> None:
    async with database.write() as session:
        with pytest.raises(AccordError) as not_evaluated:
            await check_entries(session)
        assert not_evaluated.value.code is ErrorCode.NOT_EVALUATED
        await world.load(session)
        made = await evaluate(session)
        assert (await check_entries(session)).entries == sum(made.entries.values())
        await session.run(Sql("delete from stage_entry where contact_id = {}", world.contact_id("c1")))
        await session.run(Sql("update stage_entry set own_at = null where contact_id = {}", world.contact_id("c2")))
    async with database.write() as session:
        with pytest.raises(AccordError) as caught:
            await check_entries(session)
    assert caught.value.code is ErrorCode.DRIFT
    assert "6 missing, 0 extra, 4 changed" in caught.value.message
    assert f"contact_{world.contact_id('c1')} customer (entry 1) is missing" in caught.value.message


async def test_a_rebuild_restores_the_callers_settings_and_reports_its_steps(database: Database) -> None:
    steps: list[tuple[str, int, int]] = []
    async with database.write() as session:
        await session.script("set local statement_timeout = '7s'")
        await world.load(session)
        await evaluate(session, as_of=world.AFTER_ALL, progress=lambda *step: steps.append(step))
        timeout = await session.value(Sql("select current_setting('statement_timeout')"))
        left = await session.rows(Sql("select relname from pg_class where relname like 'funnel%'"))
        watermark = await session.value(Sql("select watermark from evaluation where is_current"))
        recorded = await session.value(Sql("select max(recorded_at) from touchpoint"))
    assert timeout == "7s"
    assert left == []
    assert watermark == recorded
    assert [done for _, done, _ in steps] == list(range(9))
    assert {total for _, _, total in steps} == {8}
