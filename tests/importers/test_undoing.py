"""Undoing an import: what it made goes, what it changed returns, what was edited since stays."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import AdvisoryLock, Database
from api.errors import AccordError, ErrorCode
from api.funnel.drift import check_entries
from api.importers.run_import import run_import
from api.workflows.imports import undo_import, undone_events
from api.workflows.imports.undo_as_job import undo_as_job
from api.workflows.imports.undo_import import UndoneImport
from schema.access.rights import AccessLevel, Reach
from tests.importers.conftest import SIX_LEADS, Write, rows
from tests.importers.test_record_identity import A_FIRMS, B_FIRMS, firms
from tests.importers.test_salesforce import put
from tests.outbox.test_changes import refusal as cursor_refusal
from tests.support.followed_changes import end
from tests.support.mutations import codes, refusal, run

LIVE: Mapping[str, str] = {
    "contact": "select k.external_id, c.lead_source, c.first_name from contact c join external_key k"
    " on k.record_id = c.id where c.deleted_at is null order by 1",
    "company": "select name, industry, employees from company where deleted_at is null order by 1",
    "deal": "select name, amount, outcome from deal where deleted_at is null order by 1",
    "touchpoint": "select kind, occurred_at from touchpoint where voided_at is null order by 1, 2",
    "deal_contact": "select role, is_primary from deal_contact where voided_at is null order by 1",
    # A report without a date counts from its import on, which is another instant when it is imported again.
    "stage_entry": "select stage, case when entered_at < now() - interval '1 day' then entered_at end"
    " from stage_entry e join evaluation v on v.id = e.evaluation_id"
    " and v.is_current join contact c on c.id = e.contact_id where c.deleted_at is null order by 1, 2",
}


async def live(database: Database) -> dict[str, list[tuple[object, ...]]]:
    return {table: await rows(database, statement) for table, statement in LIVE.items()}


async def last_import(database: Database) -> str:
    [[found]] = await rows(database, "select id from import_job order by finished_at desc limit 1")
    return f"import_job_{found}"


async def undo(database: Database, id_: str | None = None) -> UndoneImport:
    named = id_ or await last_import(database)
    async with database.write() as session:
        return await undo_as_job(session, LOCAL_OPERATOR, named)


async def test_what_an_import_made_goes_and_can_be_imported_again(database: Database, tmp_path: Path) -> None:
    folder = put(tmp_path)
    await run_import(database, "salesforce", folder, accept_loss=True)
    first = await live(database)
    assert all(first[table] for table in ("contact", "company", "deal", "touchpoint", "deal_contact"))
    done = await undo(database)
    assert {table for table, count in done.kept.items() if count} == {
        *("member", "pipeline", "pipeline_stage", "product", "team")
    }
    left = await live(database)
    assert [table for table, found in left.items() if found] == []
    await run_import(database, "salesforce", folder, accept_loss=True)
    assert await live(database) == first


async def test_what_an_import_changed_returns(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    before = await live(database)
    leads = (
        ("ben", "2017-10-20", "page2", "referral"),
        ("gus", "2018-03-01", "page1", "social"),
        *(row for row in SIX_LEADS if row[0] != "ben"),
    )
    await run_import(database, "olist", write(leads=leads))
    assert await live(database) != before
    done = await undo(database)
    assert await live(database) == before
    assert (done.gone["contact"], done.restored["contact"], done.kept.total()) == (1, 1, 0)


async def test_what_was_edited_since_stays(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    leads = (("ben", "2017-10-20", "page2", "referral"), *(row for row in SIX_LEADS if row[0] != "ben"))
    await run_import(database, "olist", write(leads=(*leads, ("gus", "2018-03-01", "page1", "social"))))
    for key in ("ben", "gus"):
        [[id_, version]] = await rows(
            database,
            "select c.id, c.row_version from contact c join external_key k on k.record_id = c.id"
            f" where k.external_id = '{key}' and k.entity = 'contact'",
        )
        given = {"id": f"contact_{id_}", "expectedVersion": version, "leadSource": "friend", "firstName": "B"}
        assert codes(await run(database, "updateContact", "status", given)) == {}
    done = await undo(database)
    assert (done.gone["contact"], done.restored["contact"], done.kept["contact"]) == (0, 0, 2)
    found = await live(database)
    assert [row for row in found["contact"] if row[0] in ("ben", "gus")] == [
        ("ben", "friend", "B"),
        ("gus", "friend", "B"),
    ]


async def test_an_import_is_undone_once_and_only_with_the_access_level(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    named = await last_import(database)
    contributor = Principal(Reach.ALL, level=AccessLevel.CONTRIBUTOR)
    with pytest.raises(AccordError) as refused:
        async with database.write() as session:
            await undo_as_job(session, contributor, named)
    assert refused.value.code is ErrorCode.NOT_ALLOWED
    await undo(database, named)
    for id_ in (named, "import_job_00000000-0000-0000-0000-000000000001", "contact_1"):
        with pytest.raises(AccordError) as again:
            await undo(database, id_)
        assert again.value.code is ErrorCode.BAD_INPUT


async def test_keys_that_an_import_gave_to_known_records_go(database: Database, tmp_path: Path) -> None:
    await firms(database, tmp_path, "a", A_FIRMS)
    keys = "select entity, source, external_id from external_key order by 1, 2, 3"
    before = await rows(database, keys)
    await firms(database, tmp_path, "b", B_FIRMS, links=("company", "member"))
    linked = [("company", "b", "A"), ("member", "b", "SH")]
    assert set(linked) < {*await rows(database, keys)}
    done = await undo(database)
    assert (done.removed_keys, await rows(database, keys)) == (2, before)
    # Another import makes the records anew.
    report = await firms(database, tmp_path, "b", B_FIRMS)
    assert (report.records["company"].created, report.records["member"].created) == (3, 1)


# ------------------------------------------------------------------------------------------------------- the mutation

UNDONE = "importJob { id undoneAt } undone { recordType gone restored kept } removedKeys"


async def test_the_mutation_says_what_went_what_returned_and_what_stays(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    before = await live(database)
    leads = (
        ("ben", "2017-10-20", "page2", "referral"),
        ("carl", "2018-03-22", "page1", "referral"),
        ("gus", "2018-03-01", "page1", "social"),
        *(row for row in SIX_LEADS if row[0] not in ("ben", "carl")),
    )
    await run_import(database, "olist", write(leads=leads))
    [[id_, version]] = await rows(
        database,
        "select c.id, c.row_version from contact c join external_key k on k.record_id = c.id"
        " where k.external_id = 'carl' and k.entity = 'contact'",
    )
    edit = {"id": f"contact_{id_}", "expectedVersion": version, "leadSource": "friend"}
    assert codes(await run(database, "updateContact", "status", edit)) == {}
    named = await last_import(database)
    given = {"importJob": {"id": named}, "idempotencyKey": "once"}
    done = await run(database, "undoImport", UNDONE, given)
    assert (codes(done), done["importJob"]["id"], done["removedKeys"]) == ({}, named, 0)
    assert done["importJob"]["undoneAt"] is not None
    assert done["undone"] == [
        {"recordType": "contact", "gone": 1, "restored": 1, "kept": 1},
        {"recordType": "touchpoint", "gone": 1, "restored": 2, "kept": 0},
    ]
    after = await live(database)
    friend = [("carl", "friend", None)]
    assert [row for row in after["contact"] if row[0] == "carl"] == friend
    assert {**after, "contact": [row for row in after["contact"] if row[0] != "carl"]} == {
        **before,
        "contact": [row for row in before["contact"] if row[0] != "carl"],
    }
    async with database.scratch() as session:
        await check_entries(session)
    again = await run(database, "undoImport", UNDONE, given)
    assert again == done | {"replayed": True}
    audited = await rows(
        database,
        "select action, change_type, after ->> 'undone_at' is not null from audit_event where action <> 'import'"
        " order by occurred_at",
    )
    assert audited == [("updateContact", "CHANGED", False), ("undoImport", "CHANGED", True)]


async def test_an_import_that_cannot_be_undone_is_refused(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_import(database, "olist", write())
    named = await last_import(database)
    given = {"importJob": {"id": named}}
    operator = Principal(Reach.TEAM, level=AccessLevel.OPERATOR)
    assert codes(await run(database, "undoImport", UNDONE, given, operator)) == {"input.importJob": "NOT_FOUND"}
    contributor = Principal(Reach.ALL, level=AccessLevel.CONTRIBUTOR)
    assert await refusal(database, "undoImport", given, contributor) is ErrorCode.NOT_ALLOWED
    with monkeypatch.context() as patched:
        patched.setattr(undo_import, "MOST_RECORDS", 5)
        assert await refusal(database, "undoImport", given) is ErrorCode.TOO_LARGE
    unknown = {"importJob": {"id": "import_job_00000000-0000-0000-0000-000000000001"}}
    assert codes(await run(database, "undoImport", UNDONE, unknown)) == {"input.importJob": "NOT_FOUND"}
    other = {"importJob": {"id": "contact_00000000-0000-0000-0000-000000000001"}}
    assert codes(await run(database, "undoImport", UNDONE, other)) == {"input.importJob.id": "INVALID"}
    assert codes(await run(database, "undoImport", UNDONE, given)) == {}
    assert codes(await run(database, "undoImport", UNDONE, given)) == {"input.importJob": "WRONG_STATE"}


async def test_an_undo_waits_for_no_import(database: Database, write: Write) -> None:
    await run_import(database, "olist", write())
    given = {"importJob": {"id": await last_import(database)}}
    async with database.write() as session:
        await session.lock(AdvisoryLock.LOADING)
        assert await refusal(database, "undoImport", given) is ErrorCode.BUSY


async def test_a_large_undo_lets_cursors_expire(
    database: Database, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    await run_import(database, "olist", write())
    start = await end(database)
    monkeypatch.setattr(undone_events, "MOST_EVENTS", 3)
    await undo(database)
    assert await cursor_refusal(database, start) is ErrorCode.CURSOR_EXPIRED
