"""The database itself keeps the signed history, also against SQL by hand."""

from datetime import timedelta

import asyncpg
import pytest

from api.db import Database
from api.sql import Sql
from schema.base import new_id, now
from tests.support.accords import unguarded
from tests.support.graphql import put
from tests.support.signers import MAX, MIA, SAM, adopt, propose, sign, sign_by_both, version


@pytest.fixture
async def agreed(database: Database) -> Database:
    async with database.write() as session:
        await adopt(session)
    await propose(database, "Another")
    return database


async def refused(database: Database, *statements: str) -> str:
    """Run statements in one transaction that must fail. Return the message."""

    async def run() -> None:
        async with database.write() as session:
            for statement in statements:
                await session.script(statement)

    with pytest.raises(asyncpg.PostgresError) as caught:
        await run()
    return str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        "document = document || ' ', body = body",
        "note = 'rewritten'",
        "in_force_from = now()",
        "activated_at = now()",
        "status = 'DRAFT'",
        "status = 'WITHDRAWN', withdrawn_at = now()",
        "in_force_until = now()",
        "status = 'SUPERSEDED'",
        "number = 9",
        "format = 2",
    ],
)
async def test_a_version_in_force_never_changes(agreed: Database, change: str) -> None:
    message = await refused(agreed, f"update accord_version set {change} where number = 1")
    assert "never changes" in message or "keeps its id" in message


async def test_versions_are_never_deleted(agreed: Database) -> None:
    for number in (1, 2):
        assert "cannot be deleted" in await refused(agreed, f"delete from accord_version where number = {number}")


async def test_the_history_cannot_be_emptied(agreed: Database) -> None:
    for statement in ("truncate accord_version cascade", "truncate accord_signature", "truncate member cascade"):
        assert "cannot be emptied" in await refused(agreed, statement)
    async with agreed.write() as session:  # the sample company can be removed as a whole
        made = {"preset": "sample", "source": "sample", "origin": "", "counts": {}}
        await put(session, "import_job", made | {"id": new_id(), "started_at": now(), "finished_at": now()})
        await session.script("truncate accord_version cascade")


async def test_no_version_comes_into_force_without_both_signatures(agreed: Database) -> None:
    supersede = "update accord_version set status = 'SUPERSEDED', in_force_until = now() where number = 1"
    activate = (
        "update accord_version set status = 'ACTIVE', activated_at = now(), in_force_from = now(){} where number = 2"
    )
    assert "not signed" in await refused(agreed, supersede, activate.format(""))
    assert "not signed" in await refused(agreed, supersede, activate.format(", signed_at = now()"))
    assert "not signed" in await refused(agreed, "update accord_version set signed_at = now() where number = 1")
    await sign(agreed, 2, MIA)
    assert "not signed" in await refused(agreed, supersede, activate.format(", signed_at = now()"))
    await sign(agreed, 2, SAM)
    edit = "update accord_version set base_hash = repeat('0', 64) where number = 2"
    assert "not signed" in await refused(agreed, edit)
    void = "update accord_signature set voided_at = now(), void_reason = 'x' where team = 'SALES'"
    assert "not signed" in await refused(agreed, void)
    async with agreed.write() as session:
        await session.script(supersede)
        await session.script(activate.format(""))
    assert (await version(agreed, 2))["status"] == "ACTIVE"
    assert "stays" in await refused(agreed, void)
    assert "never changes" in await refused(agreed, "update accord_version set note = 'x' where number = 1")


async def test_a_version_is_not_inserted_in_force(agreed: Database) -> None:
    one = await version(agreed, 2)
    row = dict(one) | {"id": new_id(), "number": 3, "status": "ACTIVE", "in_force_from": now()}
    supersede = "update accord_version set status = 'SUPERSEDED', in_force_until = now() where number = 1"
    row["in_force_from"] = now() + timedelta(days=1)

    async def insert() -> None:
        async with agreed.write() as session:
            await session.script(supersede)
            await put(session, "accord_version", row)

    with pytest.raises(asyncpg.CheckViolationError, match="not signed"):
        await insert()


async def test_signatures_are_only_voided(agreed: Database) -> None:
    await sign(agreed, 2, MIA)
    assert "kept for good" in await refused(agreed, "delete from accord_signature")
    assert "never changes" in await refused(agreed, f"update accord_signature set member_id = '{MAX}'")
    assert "never changes" in await refused(agreed, "update accord_signature set signed_at = now()")
    voided = "update accord_signature set voided_at = now(), void_reason = 'mistake'"
    async with agreed.write() as session:
        await session.script(voided)
    assert "never changes" in await refused(agreed, voided)
    assert "never changes" in await refused(agreed, "update accord_signature set voided_at = null, void_reason = null")


async def test_ranges_do_not_overlap_and_one_version_is_active(agreed: Database) -> None:
    await sign_by_both(agreed, 2)
    supersede = "update accord_version set status = 'SUPERSEDED', in_force_until = now() where number = 1"
    activate = "update accord_version set status = 'ACTIVE', in_force_from = now() - interval '1 day' where number = 2"
    assert "ex_accord_version_in_force" in await refused(agreed, activate)
    assert "ex_accord_version_in_force" in await refused(agreed, supersede, activate)
    drop = "alter table accord_version drop constraint ex_accord_version_in_force"
    assert "uq_accord_version_active" in await refused(agreed, drop, activate)


async def test_a_restored_backup_keeps_its_rows(agreed: Database) -> None:
    """Tests write what no workflow does in the role of replication, as a restored backup does: without triggers."""
    async with agreed.write() as session, unguarded(session):
        await session.run(Sql("update accord_version set note = 'restored' where number = 1"))
    assert (await version(agreed, 1))["note"] == "restored"
