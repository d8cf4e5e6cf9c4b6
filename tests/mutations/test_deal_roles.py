"""The roles of people in deals: giving, changing and removing them."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from api.db import Database
from api.sql import Sql
from schema.access.rights import Reach
from tests.support.graphql import answered, put, uid
from tests.support.mutations import codes, contributor, run
from tests.support.small_company import ADA, ANNA, BEN, BOB, CARL, DEAL, GONE_CONTACT, GONE_DEAL, MERGED_CONTACT

ROLES = "status deal { contactRoles { nodes { contact { firstName } role isPrimary since } } }"


def person(id_: UUID) -> dict[str, str]:
    return {"id": f"contact_{id_}"}


async def set_role(database: Database, contact: UUID, **given: object) -> Any:  # noqa: ANN401
    return await run(
        database, "setDealRole", ROLES, {"deal": {"id": f"deal_{DEAL}"}, "contact": person(contact), **given}
    )


async def remove_role(database: Database, contact: UUID) -> Any:  # noqa: ANN401
    selected = "deal { contactRoles { totalCount } } contact { dealRoles { totalCount } }"
    return await run(database, "removeDealRole", selected, {"deal": {"id": f"deal_{DEAL}"}, "contact": person(contact)})


def roles(payload: Any) -> dict[str, tuple[object, ...]]:  # noqa: ANN401
    assert payload["userErrors"] == []
    nodes = payload["deal"]["contactRoles"]["nodes"]
    return {
        node["contact"] and node["contact"]["firstName"]: (node["role"], node["isPrimary"], node["since"])
        for node in nodes
    }


async def test_a_new_main_contact_takes_the_place_of_the_former_one(company: Database) -> None:
    since = "2026-02-01T00:00:00Z"
    made = await set_role(company, CARL, role=" buys ", isPrimary=True, since=since)
    assert made["status"] == "CREATED"
    assert roles(made) == {"Ada": ("decides", False, None), "Carl": ("buys", True, since), None: (None, False, None)}
    back = await set_role(company, ADA, isPrimary=True)
    assert back["status"] == "CHANGED"
    assert roles(back) == {"Ada": ("decides", True, None), "Carl": ("buys", False, since), None: (None, False, None)}
    async with company.read() as session:
        changes = await session.rows(
            Sql("select change_type, record_id, contact_id from outbox_event where record_type = 'deal_contact'")
        )
    # Of each change of the main contact, both people are concerned.
    assert sorted((row["change_type"], row["record_id"], row["contact_id"]) for row in changes) == sorted(
        [("CREATED", DEAL, CARL), ("CHANGED", DEAL, ADA), ("CHANGED", DEAL, CARL), ("CHANGED", DEAL, ADA)]
    )


async def test_what_is_left_out_stays_and_null_empties_it(company: Database) -> None:
    given: dict[str, object] = {"role": "buys", "since": "2026-02-01T00:00:00Z"}
    await set_role(company, CARL, **given)
    kept = await set_role(company, CARL)
    assert (kept["status"], roles(kept)["Carl"]) == ("UNCHANGED", ("buys", False, "2026-02-01T00:00:00Z"))
    emptied = await set_role(company, CARL, role=None)
    assert roles(emptied)["Carl"] == (None, False, "2026-02-01T00:00:00Z")
    assert roles(await set_role(company, CARL, since=None))["Carl"] == (None, False, None)


async def test_a_removed_role_is_in_no_list_and_may_be_given_again(company: Database) -> None:
    await set_role(company, CARL, role="buys", isPrimary=True)
    removed = await remove_role(company, CARL)
    assert removed["contact"] == {"dealRoles": {"totalCount": 0}}
    document = 'query ($id: ID!) { deal(id: $id, asOf: "2026-06-01T00:00:00Z") { contactRoles { totalCount } } }'
    then = await answered(company, document, id=f"deal_{DEAL}")
    assert then["deal"]["contactRoles"]["totalCount"] == removed["deal"]["contactRoles"]["totalCount"] == 2
    assert codes(await remove_role(company, CARL)) == {"input.contact": "NOT_FOUND"}
    again = await set_role(company, CARL)
    assert (again["status"], roles(again)["Carl"]) == ("CREATED", (None, False, None))


async def test_the_role_of_a_contact_that_was_merged_into_a_person_is_theirs(company: Database) -> None:
    async with company.write() as session:
        await session.script(f"delete from deal_contact where contact_id = '{ADA}'")
        await put(session, "deal_contact", {"contact_id": MERGED_CONTACT, "deal_id": DEAL, "role": "asks"})
    changed = await set_role(company, ADA, role="decides")
    assert changed["status"] == "CHANGED"
    async with company.read() as session:
        found = await session.rows(
            Sql("select contact_id, role from deal_contact where deal_id = {} and contact_id <> {}", DEAL, GONE_CONTACT)
        )
    assert [(row["contact_id"], row["role"]) for row in found] == [(MERGED_CONTACT, "decides")]
    assert (await remove_role(company, ADA))["userErrors"] == []


async def test_all_that_is_wrong_with_a_role_is_said_at_once(company: Database) -> None:
    wrong = {"role": "a\0b", "since": "2199-01-01T00:00:00Z"}
    given = {"deal": {"id": f"deal_{GONE_DEAL}"}, "contact": person(MERGED_CONTACT), **wrong}
    assert codes(await run(company, "setDealRole", ROLES, given)) == {
        "input.deal": "DELETED",
        "input.contact": "MERGED",
        "input.role": "INVALID",
        "input.since": "IN_FUTURE",
    }


@pytest.mark.parametrize(
    ("contact", "path", "code"),
    [
        (person(GONE_CONTACT), "input.contact", "DELETED"),
        (person(uid(404)), "input.contact", "NOT_FOUND"),
        ({"id": f"deal_{DEAL}"}, "input.contact.id", "INVALID"),
    ],
)
@pytest.mark.parametrize("mutation", ["setDealRole", "removeDealRole"])
async def test_a_person_who_can_have_no_role(
    company: Database, mutation: str, contact: object, path: str, code: str
) -> None:
    given = {"deal": {"id": f"deal_{DEAL}"}, "contact": contact}
    assert codes(await run(company, mutation, "deal { id }", given)) == {path: code}


async def test_a_person_or_a_deal_out_of_reach_is_not_found(company: Database) -> None:
    async with company.write() as session:
        await session.script(f"update deal set owner_id = '{ANNA}' where id = '{DEAL}'")
        await session.script(f"update contact set owner_id = '{BEN}' where id = '{CARL}'")
    given = {"deal": {"id": f"deal_{DEAL}"}, "contact": person(CARL)}
    for member, path in ((BEN, "input.deal"), (ANNA, "input.contact")):
        found = await run(company, "setDealRole", "deal { id }", given, contributor(member, Reach.OWN))
        assert codes(found) == {path: "NOT_FOUND"}


async def test_a_role_that_is_set_again_with_its_key_is_set_once(company: Database) -> None:
    first, second = [await set_role(company, BOB, role="pays", idempotencyKey="r1") for _ in range(2)]
    assert (first["replayed"], second["replayed"], second["status"]) == (False, True, "CREATED")


async def test_of_main_contacts_that_several_name_at_once_one_stays(company: Database) -> None:
    people = (ADA, BOB, CARL)
    found = await asyncio.gather(*(set_role(company, contact, isPrimary=True) for contact in people * 2))
    assert all(payload["userErrors"] == [] for payload in found)
    async with company.read() as session:
        primary = Sql("select count(*) from deal_contact where deal_id = {} and is_primary", DEAL)
        assert await session.value(primary) == 1
