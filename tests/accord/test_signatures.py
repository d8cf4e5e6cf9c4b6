"""What a signature needs, and when it falls."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import ErrorCode
from api.sql import Sql
from schema.access.rights import AccessLevel, Reach
from schema.base import new_id, now
from tests.support.mutations import codes, contributor, refusal
from tests.support.signers import (
    MAX,
    MIA,
    RHEA,
    SALES,
    SAM,
    SUE,
    adopt,
    call,
    document,
    operator,
    propose,
    sign,
    sign_by_both,
    signed_in,
    version,
    write_preview,
)

VERSION = {"input.version": "WRONG_STATE"}


@pytest.fixture
async def agreed(database: Database) -> Database:
    async with database.write() as session:
        await adopt(session)
    return database


@pytest.fixture
async def reviewed(agreed: Database) -> Database:
    """A database with version 2 in review."""
    assert await propose(agreed, "Another") == 2
    return agreed


async def signing(database: Database, who: Principal) -> ErrorCode:
    preview = await write_preview(database, 2)
    given = {"version": 2, "hash": (await version(database, 2))["content_hash"], "previewId": preview}
    return await refusal(database, "signAccord", given, who)


async def test_both_teams_sign(reviewed: Database) -> None:
    assert (await sign(reviewed, 2, MIA))["userErrors"] == []
    assert (await version(reviewed, 2))["status"] == "IN_REVIEW"
    assert (await sign(reviewed, 2, SAM))["userErrors"] == []
    signed = await version(reviewed, 2)
    assert (signed["status"], signed["signed_at"] is not None) == ("SIGNED", True)
    async with reviewed.read() as session:
        rows = await session.rows(Sql("select team, member_id, content_hash, base_hash from accord_signature"))
    assert {(row["team"], row["member_id"]) for row in rows} == {("MARKETING", MIA), ("SALES", SAM)}
    assert {(row["content_hash"], row["base_hash"]) for row in rows} == {(signed["content_hash"], signed["base_hash"])}


async def test_who_cannot_sign(reviewed: Database) -> None:
    """No session, a machine's key, an old sign-in, a team that does not sign, no team."""
    machine = Principal(Reach.ALL, None, AccessLevel.CONTRIBUTOR, ALL_RIGHTS, "a machine's key, sent as a bearer token")
    assert await signing(reviewed, machine) is ErrorCode.SIGN_IN_AGAIN
    assert await signing(reviewed, LOCAL_OPERATOR) is ErrorCode.SIGN_IN_AGAIN
    assert await signing(reviewed, contributor(MIA)) is ErrorCode.SIGN_IN_AGAIN
    assert await signing(reviewed, signed_in(None)) is ErrorCode.NOT_ALLOWED
    assert await signing(reviewed, signed_in(MIA, ago=timedelta(minutes=15, seconds=1))) is ErrorCode.SIGN_IN_AGAIN
    assert await signing(reviewed, signed_in(RHEA)) is ErrorCode.NOT_ALLOWED
    async with reviewed.write() as session:
        await session.run(Sql("update member set team_id = null where id = {}", MIA))
        await session.run(Sql("update member set deactivated_at = now() where id = {}", SAM))
    assert await signing(reviewed, signed_in(MIA)) is ErrorCode.NOT_ALLOWED
    assert await signing(reviewed, signed_in(SAM)) is ErrorCode.NOT_ALLOWED
    recent = signed_in(MAX, ago=timedelta(minutes=14))
    preview = await write_preview(reviewed, 2)
    given = {"version": 2, "hash": (await version(reviewed, 2))["content_hash"], "previewId": preview}
    assert (await call(reviewed, recent, "signAccord", **given))["userErrors"] == []


async def test_an_old_hash(reviewed: Database) -> None:
    old = (await version(reviewed, 2))["content_hash"]
    await call(reviewed, LOCAL_OPERATOR, "editAccord", version=2, document=document("Third"))
    await call(reviewed, LOCAL_OPERATOR, "submitAccord", version=2)
    payload = await sign(reviewed, 2, MIA, hash=old)
    assert codes(payload) == {"input.hash": "STALE_VERSION"}
    assert "Look at it again" in payload["userErrors"][0]["message"]


async def test_a_preview_that_does_not_show_what_is_signed(reviewed: Database) -> None:
    first = await version(reviewed, 1)
    old = await write_preview(reviewed, 2, computed_at=now() - timedelta(days=7, minutes=1))
    other_hash = await write_preview(reviewed, 2, content_hash="0" * 64)
    other_base = await write_preview(reviewed, 2, compared_hash="0" * 64)
    other_version = await write_preview(reviewed, 2, accord_version_id=first["id"])
    for preview in (old, other_hash, other_base, other_version):
        assert codes(await sign(reviewed, 2, MIA, previewId=preview)) == {"input.previewId": "INVALID"}
    for preview in ("x", f"accord_preview_{new_id()}"):
        assert codes(await sign(reviewed, 2, MIA, previewId=preview)) == {"input.previewId": "NOT_FOUND"}
    almost = await write_preview(reviewed, 2, computed_at=now() - timedelta(days=6, hours=23))
    assert (await sign(reviewed, 2, MIA, previewId=almost))["userErrors"] == []


async def test_a_team_signs_once_and_a_person_once(reviewed: Database) -> None:
    assert (await sign(reviewed, 2, MIA))["userErrors"] == []
    same_team = await sign(reviewed, 2, MAX)
    assert codes(same_team) == VERSION
    assert same_team["userErrors"][0]["message"] == "Mia signed this version for MARKETING."
    async with reviewed.write() as session:
        await session.run(Sql("update member set team_id = {} where id = {}", SALES, MIA))
    in_both = await sign(reviewed, 2, MIA)
    assert codes(in_both) == VERSION
    assert in_both["userErrors"][0]["message"].startswith("You signed this version, for MARKETING.")


async def test_two_people_sign_at_once(reviewed: Database) -> None:
    """Of one team, one of them signs; of two teams, both do."""
    given = []
    for _ in range(2):
        preview = await write_preview(reviewed, 2)
        given.append({"version": 2, "hash": (await version(reviewed, 2))["content_hash"], "previewId": preview})
    people = (signed_in(MIA), signed_in(MAX))
    payloads = await asyncio.gather(
        *(call(reviewed, who, "signAccord", **values) for who, values in zip(people, given, strict=True))
    )
    assert sorted(bool(payload["userErrors"]) for payload in payloads) == [False, True]
    await call(reviewed, people[0], "revokeSignature", version=2)
    await call(reviewed, people[1], "revokeSignature", version=2)
    payloads = await asyncio.gather(
        *(
            call(reviewed, who, "signAccord", **values)
            for who, values in zip((people[0], signed_in(SUE)), given, strict=True)
        )
    )
    assert [payload["userErrors"] for payload in payloads] == [[], []]
    assert (await version(reviewed, 2))["status"] == "SIGNED"


async def test_a_draft_is_not_signed(agreed: Database) -> None:
    await call(agreed, LOCAL_OPERATOR, "proposeAccord", document=document("Another"))
    assert codes(await sign(agreed, 2, MIA)) == VERSION


async def test_a_revoked_signature_takes_the_plan_back(reviewed: Database) -> None:
    await sign_by_both(reviewed, 2)
    at = now() + timedelta(days=1)
    assert (await call(reviewed, operator(), "activateAccord", version=2, at=at.isoformat()))["userErrors"] == []
    assert codes(await call(reviewed, signed_in(SUE), "revokeSignature", version=2)) == {"input.version": "NOT_FOUND"}
    assert (await call(reviewed, signed_in(SAM), "revokeSignature", version=2))["userErrors"] == []
    after = await version(reviewed, 2)
    assert (after["status"], after["signed_at"], after["activates_at"]) == ("IN_REVIEW", None, None)
    assert (await sign(reviewed, 2, SUE))["userErrors"] == []
    assert (await version(reviewed, 2))["status"] == "SIGNED"


async def test_the_first_version_is_signed_in_force(agreed: Database) -> None:
    assert (await sign(agreed, 1, MIA))["userErrors"] == []
    assert (await call(agreed, signed_in(MIA), "revokeSignature", version=1))["userErrors"] == []
    await sign_by_both(agreed, 1)
    first = await version(agreed, 1)
    assert (first["status"], first["signed_at"] is not None, first["in_force_from"]) == ("ACTIVE", True, None)
    assert codes(await call(agreed, signed_in(MIA), "revokeSignature", version=1)) == VERSION
    assert codes(await sign(agreed, 1, MAX)) == VERSION


async def test_who_signed_may_leave(reviewed: Database) -> None:
    """A signature was given for the team: it stays when the member is deactivated, and the version can be activated."""
    await sign_by_both(reviewed, 2)
    async with reviewed.write() as session:
        await session.run(Sql("update member set deactivated_at = now() where id = {}", SAM))
    assert (await version(reviewed, 2))["status"] == "SIGNED"
    assert (await call(reviewed, operator(), "activateAccord", version=2))["userErrors"] == []


async def test_a_signature_names_its_session(reviewed: Database) -> None:
    who = signed_in(MIA, ago=timedelta(minutes=3))
    assert who.session is not None
    who = replace(who, session=replace(who.session, id=new_id()))
    preview = await write_preview(reviewed, 2)
    given = {"version": 2, "hash": (await version(reviewed, 2))["content_hash"], "previewId": preview}
    assert (await call(reviewed, who, "signAccord", **given))["userErrors"] == []
    async with reviewed.read() as session:
        row = await session.row(Sql("select session_id, sign_in_method, signed_in_at from accord_signature"))
    assert who.session is not None
    assert row is not None
    assert tuple(row) == (who.session.id, "API_KEY", who.session.signed_in_at)
