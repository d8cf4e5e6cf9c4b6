"""Managing access: API keys, what members may do, and members who leave."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from api.access.credentials.grants import Grant
from api.access.credentials.key_lookup import StoredKey, find_key
from api.access.credentials.tokens import Token, parse_token
from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import ErrorCode
from api.sql import Sql
from api.workflows.access import deactivate_member
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import now
from tests.support.api_keys import EVERYTHING, stored_access, stored_key
from tests.support.graphql import answered, put, uid
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import ADA, ANNA, BEN, BOB, BOLT, DEAL, LOST_DEAL, write_unevaluated_company

KEY = """token
  apiKey { id keyId name level reach hasPersonalData hasExport isDemo expiresAt revokedAt member { name } }"""
ADMIN = Principal(Reach.ALL, None, AccessLevel.ADMIN, ALL_RIGHTS, "an admin", uid(999))


@pytest.fixture
async def company(database: Database) -> Database:
    async with database.write() as session:
        await write_unevaluated_company(session)
    return database


async def key_of(database: Database, token: str) -> StoredKey:
    parsed = parse_token(token)
    assert parsed is not None
    found = await find_key(database, parsed.key_id)
    assert found is not None
    assert parsed.matches(found.secret_hash)
    return found


async def named(database: Database, token: Token) -> dict[str, Any]:
    """The input that names a key."""
    return {"apiKey": {"id": f"api_key_{(await key_of(database, token.text)).id}"}}


async def everything_stored(database: Database) -> str:
    """All rows of all tables of access, audit and idempotency, as text."""
    tables = ("api_key", "member_access", "audit_event", "outbox_event", "idempotency_key")
    async with database.read() as session:
        texts = [await session.value(Sql(f"select coalesce(string_agg(t::text, ''), '') from {it} t")) for it in tables]
    return "".join(texts)


async def test_a_machines_key_is_a_viewer_of_all_unless_more_is_stated(company: Database) -> None:
    made = await run(company, "createApiKey", KEY, {"name": " reports "})
    assert made["apiKey"] | {"id": "", "keyId": ""} == {
        "id": "",
        "keyId": "",
        "name": "reports",
        "level": "VIEWER",
        "reach": "ALL",
        "hasPersonalData": False,
        "hasExport": False,
        "isDemo": False,
        "expiresAt": None,
        "revokedAt": None,
        "member": None,
    }
    key = await key_of(company, made["token"])
    assert key.principal == Principal(Reach.ALL, None, AccessLevel.VIEWER, frozenset(), "reports", key.id)
    given = {"name": "sync", "level": "OPERATOR", "rights": ["EXPORT"], "expiresAt": "2999-01-01T00:00:00Z"}
    made = await run(company, "createApiKey", KEY, given)
    key = await key_of(company, made["token"])
    assert (key.principal.level, key.principal.rights) == (AccessLevel.OPERATOR, frozenset({Right.EXPORT}))
    assert key.expires_at == datetime(2999, 1, 1, tzinfo=UTC)


async def test_a_members_key_allows_what_the_member_may(company: Database) -> None:
    await stored_access(company, ANNA, Grant(AccessLevel.OPERATOR, Reach.TEAM, frozenset({Right.EXPORT})))
    made = await run(company, "createApiKey", KEY, {"name": "hers", "member": {"id": f"member_{ANNA}"}})
    assert made["apiKey"]["member"] == {"name": "Anna"}
    principal = (await key_of(company, made["token"])).principal
    assert Grant.of(principal) == Grant(AccessLevel.OPERATOR, Reach.TEAM, frozenset({Right.EXPORT}))
    more = {"name": "more", "member": {"id": f"member_{ANNA}"}, "reach": "ALL"}
    assert codes(await run(company, "createApiKey", KEY, more)) == {"input.member": "INVALID"}
    without = {"name": "x", "member": {"id": f"member_{BEN}"}}
    assert codes(await run(company, "createApiKey", KEY, without)) == {"input.member": "WRONG_STATE"}
    unknown = {"name": "x", "member": {"id": f"member_{uid(999)}"}}
    assert codes(await run(company, "createApiKey", KEY, unknown)) == {"input.member": "NOT_FOUND"}


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": " "}, {"input.name": "INVALID"}),
        ({"name": "a\0b"}, {"input.name": "INVALID"}),
        ({"name": "x" * 201}, {"input.name": "TOO_LONG"}),
        ({"name": "", "expiresAt": "2020-01-01T00:00:00Z"}, {"input.name": "INVALID", "input.expiresAt": "INVALID"}),
        ({"name": "x", "reach": "TEAM"}, {"input.reach": "INVALID"}),
        ({"name": "x", "member": {"id": "contact_1"}}, {"input.member.id": "INVALID"}),
    ],
)
async def test_a_key_that_means_nothing_is_rejected_with_all_that_is_wrong(
    company: Database, given: dict[str, Any], expected: dict[str, str]
) -> None:
    made = await run(company, "createApiKey", KEY, given)
    assert codes(made) == expected
    assert (made["token"], made["apiKey"]) == (None, None)


async def test_a_secret_is_stored_nowhere_and_a_repetition_does_not_show_it(company: Database) -> None:
    given = {"name": "once", "idempotencyKey": "k1"}
    first = await run(company, "createApiKey", KEY, given)
    again = await run(company, "createApiKey", KEY, given)
    assert again["replayed"]
    assert again["apiKey"] == first["apiKey"]
    assert again["token"] is None
    secret = first["token"].rpartition("_")[2]
    stored = await everything_stored(company)
    assert secret not in stored
    assert secret[:43] not in stored
    token = parse_token(first["token"])
    assert token is not None
    assert stored.count(token.secret_hash) == 1  # in the key itself, not in the audit


async def test_nobody_grants_more_than_they_have(company: Database) -> None:
    weak = Principal(Reach.ALL, None, AccessLevel.ADMIN, frozenset(), "weak", uid(999))
    given = {"name": "x", "rights": ["PERSONAL_DATA"]}
    assert await refusal(company, "createApiKey", given, weak) is ErrorCode.NOT_ALLOWED
    access = {"member": {"id": f"member_{ANNA}"}, "level": "VIEWER", "reach": "ALL", "rights": ["EXPORT"]}
    assert await refusal(company, "setMemberAccess", access, weak) is ErrorCode.NOT_ALLOWED
    token = await stored_key(company, Grant(AccessLevel.VIEWER, Reach.ALL, frozenset({Right.EXPORT})))
    given = await named(company, token)
    assert await refusal(company, "rotateApiKey", given, weak) is ErrorCode.NOT_ALLOWED
    assert codes(await run(company, "revokeApiKey", "apiKey { id }", given, weak)) == {}


@pytest.mark.parametrize("level", [AccessLevel.VIEWER, AccessLevel.CONTRIBUTOR, AccessLevel.OPERATOR])
@pytest.mark.parametrize(
    ("mutation", "given"),
    [
        ("createApiKey", {"name": "x"}),
        ("rotateApiKey", {"apiKey": {"id": f"api_key_{uid(1)}"}}),
        ("revokeApiKey", {"apiKey": {"id": f"api_key_{uid(1)}"}}),
        ("setMemberAccess", {"member": {"id": f"member_{ANNA}"}, "level": "VIEWER", "reach": "OWN"}),
        ("removeMemberAccess", {"member": {"id": f"member_{ANNA}"}}),
        ("endMemberSessions", {"member": {"id": f"member_{ANNA}"}}),
        ("deactivateMember", {"member": {"id": f"member_{ANNA}"}}),
    ],
)
async def test_only_administrators_manage_access(
    company: Database, mutation: str, given: dict[str, Any], level: AccessLevel
) -> None:
    who = Principal(Reach.ALL, None, level, ALL_RIGHTS, "someone", uid(999))
    assert await refusal(company, mutation, given, who) is ErrorCode.NOT_ALLOWED


async def test_a_rotated_key_works_beside_its_successor_for_the_overlap(company: Database) -> None:
    old = await run(company, "createApiKey", KEY, {"name": "sync", "expiresAt": f"{now() + timedelta(days=30):%FT%TZ}"})
    selected = f"{KEY} rotated {{ id expiresAt }}"
    new = await run(company, "rotateApiKey", selected, {"apiKey": {"id": old["apiKey"]["id"]}, "overlap": "PT2H"})
    assert new["rotated"]["id"] == old["apiKey"]["id"]
    ends_at = datetime.fromisoformat(new["rotated"]["expiresAt"])
    assert abs(ends_at - now() - timedelta(hours=2)) < timedelta(minutes=1)
    same = ("name", "level", "reach", "hasPersonalData", "hasExport", "member")
    assert [new["apiKey"][it] for it in same] == [old["apiKey"][it] for it in same]
    life = datetime.fromisoformat(new["apiKey"]["expiresAt"]) - now()
    assert abs(life - timedelta(days=30)) < timedelta(minutes=1)
    for token in (old["token"], new["token"]):
        assert (await key_of(company, token)).problem_at(now()) == ""
    assert "expired" in (await key_of(company, old["token"])).problem_at(ends_at)


async def test_a_key_that_does_not_work_is_not_rotated(company: Database) -> None:
    keys = [
        await stored_key(company, revoked_at=now()),
        await stored_key(company, expires_at=now() - timedelta(seconds=1)),
        await stored_key(company, is_demo=True),
    ]
    for token in keys:
        given = await named(company, token)
        assert codes(await run(company, "rotateApiKey", "token", given)) == {"input.apiKey": "WRONG_STATE"}
    for id_, expected in (
        (f"api_key_{uid(5)}", {"input.apiKey": "NOT_FOUND"}),
        ("api_key_5", {"input.apiKey.id": "INVALID"}),
        (f"member_{ANNA}", {"input.apiKey.id": "INVALID"}),
    ):
        for mutation in ("rotateApiKey", "revokeApiKey"):
            assert codes(await run(company, mutation, "apiKey { id }", {"apiKey": {"id": id_}})) == expected
    long = await named(company, await stored_key(company)) | {"overlap": "P91D"}
    assert codes(await run(company, "rotateApiKey", "token", long)) == {"input.overlap": "INVALID"}


async def test_a_revoked_key_ends_and_stays_revoked(company: Database) -> None:
    token = await stored_key(company)
    given = await named(company, token)
    first = await run(company, "revokeApiKey", "apiKey { revokedAt }", given)
    assert "revoked" in (await key_of(company, token.text)).problem_at(now())
    assert await run(company, "revokeApiKey", "apiKey { revokedAt }", given) == first


async def test_access_of_a_member_holds_at_once_for_their_keys(company: Database) -> None:
    anna = {"member": {"id": f"member_{ANNA}"}}
    given = anna | {"level": "ADMIN", "reach": "ALL", "rights": ["PERSONAL_DATA", "EXPORT"]}
    assert codes(await run(company, "setMemberAccess", "member { id }", given)) == {}
    token = await stored_key(company, EVERYTHING, member_id=ANNA)
    await run(company, "setMemberAccess", "member { id }", given | {"level": "VIEWER", "reach": "OWN", "rights": []})
    principal = (await key_of(company, token.text)).principal
    assert (principal.level, principal.reach, principal.rights) == (AccessLevel.VIEWER, Reach.OWN, frozenset())
    await run(company, "removeMemberAccess", "member { id }", anna)
    assert "no access" in (await key_of(company, token.text)).problem_at(now())
    team = given | {"reach": "TEAM"}
    assert codes(await run(company, "setMemberAccess", "member { id }", team)) == {"input.reach": "INVALID"}


async def test_a_member_signs_in_by_the_address_that_an_administrator_set(company: Database) -> None:
    given = {"member": {"id": f"member_{ANNA}"}, "level": "VIEWER", "reach": "OWN"}
    await run(company, "setMemberAccess", "member { id }", given)
    assert await addresses(company) == {ANNA: "anna@example.com"}
    operator = Principal(Reach.ALL, None, AccessLevel.OPERATOR, ALL_RIGHTS, "operator", uid(999))
    update = {"id": f"member_{ANNA}", "expectedVersion": 1, "email": "eve@example.com"}
    assert codes(await run(company, "updateMember", "member { email }", update, operator)) == {}
    await run(company, "setMemberAccess", "member { id }", given | {"level": "CONTRIBUTOR"})
    assert await addresses(company) == {ANNA: "anna@example.com"}
    other = given | {"member": {"id": f"member_{BEN}"}, "email": "Anna@Example.com"}
    assert codes(await run(company, "setMemberAccess", "member { id }", other)) == {"input.email": "DUPLICATE"}
    malformed = given | {"email": "anna"}
    assert codes(await run(company, "setMemberAccess", "member { id }", malformed)) == {"input.email": "INVALID"}


async def addresses(database: Database) -> dict[UUID, str]:
    async with database.read() as session:
        return {it["member_id"]: it["email"] for it in await session.rows(Sql("select * from member_access"))}


async def test_a_member_who_leaves_loses_access_and_a_successor_takes_present_work_over(company: Database) -> None:
    await stored_access(company, ANNA, EVERYTHING)
    token = await stored_key(company, member_id=ANNA)
    async with company.write() as session:
        await session.script(f"update deal set owner_id = '{ANNA}'")
        for number, status in enumerate(("PROPOSED", "RETURNED", "ACCEPTED")):
            handed_at = datetime(2026, 1, 20, tzinfo=UTC)
            decided_at = None if status == "PROPOSED" else handed_at
            handoff = {"id": uid(80 + number), "contact_id": ADA, "assigned_to_id": ANNA, "status": status}
            await put(session, "handoff", handoff | {"handed_at": handed_at, "decided_at": decided_at})
    selected = """member { deactivatedAt rowVersion } successor { name }
      contactsHandedOn companiesHandedOn dealsHandedOn handoffsHandedOn"""
    given = {"member": {"id": f"member_{ANNA}"}, "successor": {"id": f"member_{BEN}"}, "expectedVersion": 1}
    left = await run(company, "deactivateMember", selected, given)
    assert codes(left) == {}
    assert left["member"]["rowVersion"] == 2
    assert left["member"]["deactivatedAt"] is not None
    assert left["successor"] == {"name": "Ben"}
    counts = [left[f"{it}HandedOn"] for it in ("contacts", "companies", "deals", "handoffs")]
    assert counts == [2, 1, 1, 2]
    assert "revoked" in (await key_of(company, token.text)).problem_at(now())
    assert await addresses(company) == {}
    async with company.read() as session:
        owners = {
            it["id"]: it["owner_id"]
            for it in await session.rows(
                Sql(
                    "select id, owner_id from contact union all select id, owner_id from company"
                    " union all select id, owner_id from deal union all select id, assigned_to_id from handoff"
                )
            )
        }
    for id_ in (ADA, BOB, BOLT, DEAL, uid(80), uid(81)):
        assert owners[id_] == BEN
    for id_ in (LOST_DEAL, uid(82)):
        assert owners[id_] == ANNA
    past = await answered(company, '{ deals(asOf: "2026-03-01T00:00:00Z") { nodes { owner { name } } } }')
    assert {"owner": {"name": "Ben"}} not in past["deals"]["nodes"]


async def test_many_records_are_handed_on_in_parts(company: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deactivate_member, "_AT_ONCE", 3)
    monkeypatch.setattr(deactivate_member, "_MANY", 3)
    async with company.write() as session:
        for number in range(10):
            await put(session, "contact", {"id": uid(200 + number), "first_name": "x", "owner_id": ANNA})
    given = {"member": {"id": f"member_{ANNA}"}, "successor": {"id": f"member_{BEN}"}}
    assert (await run(company, "deactivateMember", "contactsHandedOn", given))["contactsHandedOn"] == 12
    async with company.read() as session:
        assert await session.value(Sql("select count(*) from contact where owner_id = {}", BEN)) == 12
        versions = "select count(*) from contact_version where owner_id = {} and valid_to is null and not is_assumed"
        assert await session.value(Sql(versions, BEN)) == 12


async def test_the_audit_and_the_outbox_say_who_left_and_what_was_handed_on(company: Database) -> None:
    given = {"member": {"id": f"member_{ANNA}"}, "successor": {"id": f"member_{BEN}"}}
    await run(company, "deactivateMember", "member { id }", given, ADMIN)
    async with company.read() as session:
        audit = await session.rows(Sql("select * from audit_event order by record_type, changed_id"))
        outbox = await session.rows(Sql("select * from outbox_event"))
    assert {it["principal"] for it in audit} == {"an admin"}
    changed = {(it["record_type"], it["changed_id"]) for it in audit}
    assert changed == {("contact", ADA), ("contact", BOB), ("company", BOLT), ("member", ANNA)}
    assert changed == {(it["record_type"], it["record_id"]) for it in outbox}
    assert {it["former_owner_id"] for it in outbox if it["record_type"] != "member"} == {ANNA}


async def test_a_deactivation_that_is_wrong_changes_nothing(company: Database) -> None:
    before = await everything_stored(company)
    anna, ben = f"member_{ANNA}", f"member_{BEN}"
    for given, expected in (
        ({"member": {"id": f"member_{uid(9)}"}}, {"input.member": "NOT_FOUND"}),
        ({"member": {"id": "anna"}}, {"input.member.id": "INVALID"}),
        ({"member": {"id": anna}, "successor": {"id": anna}}, {"input.successor": "CIRCLE"}),
        ({"member": {"id": anna}, "successor": {"id": f"member_{uid(9)}"}}, {"input.successor": "NOT_FOUND"}),
        ({"member": {"id": anna}, "expectedVersion": 7}, {"input.expectedVersion": "STALE_VERSION"}),
    ):
        assert codes(await run(company, "deactivateMember", "member { id }", given)) == expected
    assert await everything_stored(company) == before
    assert codes(await run(company, "deactivateMember", "member { id }", {"member": {"id": ben}})) == {}
    again = {"member": {"id": ben}}
    assert codes(await run(company, "deactivateMember", "member { id }", again)) == {"input.member": "WRONG_STATE"}
    to_ben = {"member": {"id": anna}, "successor": {"id": ben}}
    assert codes(await run(company, "deactivateMember", "member { id }", to_ben)) == {"input.successor": "INACTIVE"}
    access = {"member": {"id": ben}, "level": "VIEWER", "reach": "OWN"}
    assert codes(await run(company, "setMemberAccess", "member { id }", access)) == {"input.member": "INACTIVE"}
    key = {"name": "x", "member": {"id": ben}}
    assert codes(await run(company, "createApiKey", "token", key)) == {"input.member": "INACTIVE"}


async def test_a_reactivated_member_has_no_access_until_it_is_given_again(company: Database) -> None:
    await stored_access(company, ANNA, EVERYTHING)
    token = await stored_key(company, member_id=ANNA)
    await stored_key(company)
    await run(company, "deactivateMember", "member { id }", {"member": {"id": f"member_{ANNA}"}})
    again = {"id": f"member_{ANNA}", "expectedVersion": 2}
    assert codes(await run(company, "reactivateMember", "member { id }", again)) == {}
    assert "revoked" in (await key_of(company, token.text)).problem_at(now())
    assert await addresses(company) == {}


async def test_the_last_administrator_stays_while_there_are_credentials(company: Database) -> None:
    last = await stored_key(company)
    await stored_key(company, Grant(AccessLevel.OPERATOR, Reach.ALL))
    await stored_key(company, expires_at=now() - timedelta(days=1))
    await stored_key(company, revoked_at=now())
    await stored_key(company, is_demo=True)
    given = await named(company, last)
    assert codes(await run(company, "revokeApiKey", "apiKey { id }", given, ADMIN)) == {"input.apiKey": "WRONG_STATE"}
    assert (await key_of(company, last.text)).problem_at(now()) == ""
    await stored_access(company, ANNA, EVERYTHING)
    assert codes(await run(company, "revokeApiKey", "apiKey { id }", given, ADMIN)) == {}
    anna = {"member": {"id": f"member_{ANNA}"}}
    for mutation, left in (
        ("setMemberAccess", anna | {"level": "OPERATOR", "reach": "ALL"}),
        ("removeMemberAccess", anna),
    ):
        assert codes(await run(company, mutation, "member { id }", left, ADMIN)) == {"input.member": "WRONG_STATE"}
    gone = codes(await run(company, "deactivateMember", "member { id }", anna, ADMIN))
    assert gone == {"input.member": "WRONG_STATE"}
    assert codes(await run(company, "deactivateMember", "member { id }", anna, LOCAL_OPERATOR)) == {}


async def test_the_last_key_of_all_may_be_revoked(company: Database) -> None:
    token = await stored_key(company)
    given = await named(company, token)
    assert codes(await run(company, "revokeApiKey", "apiKey { id }", given, ADMIN)) == {}


async def test_two_administrators_who_remove_each_other_leave_one(company: Database) -> None:
    await stored_key(company, Grant(AccessLevel.VIEWER, Reach.ALL))
    for member in (ANNA, BEN):
        await stored_access(company, member, EVERYTHING)
    payloads = await asyncio.gather(
        *(
            run(company, "removeMemberAccess", "member { id }", {"member": {"id": f"member_{member}"}}, ADMIN)
            for member in (ANNA, BEN)
        )
    )
    assert sorted(map(codes, payloads), key=len) == [{}, {"input.member": "WRONG_STATE"}]


async def test_keys_are_listed_without_anything_to_use_them_by(company: Database) -> None:
    token = await stored_key(company)
    listed = await answered(company, "{ apiKeys { nodes { keyId name } } }", ADMIN)
    assert listed == {"apiKeys": {"nodes": [{"keyId": token.key_id, "name": "a test"}]}}
