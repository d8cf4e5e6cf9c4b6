"""Merging contacts, and undoing it."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from api.access.principal import ALL_RIGHTS, Principal
from api.db import Database
from api.errors import ErrorCode
from api.sql import Sql
from schema.access.rights import AccessLevel, Reach
from tests.support.graphql import answered
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import (
    ADA,
    ANNA,
    BEN,
    BOB,
    CARL,
    DEAL,
    GONE_CONTACT,
    MERGED_CONTACT,
    write_unevaluated_company,
)

VALUES = "firstName lastName email emailKind phone jobTitle emailOptOut doNotCall rowVersion"


@pytest.fixture
async def company(database: Database) -> Database:
    async with database.write() as session:
        await write_unevaluated_company(session)
        await session.script(
            f"update contact set phone = '+491', email = 'carl@gmail.com', email_kind = 'FREE', job_title = 'CTO',"
            f" do_not_call = true where id = '{CARL}'"
        )
    return database


def named(id_: UUID) -> dict[str, str]:
    return {"id": f"contact_{id_}"}


async def merge(company: Database, survivor: UUID, *merged: UUID, selected: str = "contact { id }", **more: Any) -> Any:  # noqa: ANN401
    given = {"survivor": named(survivor), "merged": [named(id_) for id_ in merged], **more}
    return await run(company, "mergeContacts", selected, given)


async def unmerge(company: Database, contact: UUID, selected: str = "contact { id } survivor { id }") -> Any:  # noqa: ANN401
    return await run(company, "unmergeContacts", selected, {"contact": named(contact)})


async def contact_of(company: Database, id_: UUID, fields: str = VALUES) -> Any:  # noqa: ANN401
    document = f"query ($id: ID!) {{ contact(id: $id) {{ {fields} }} }}"
    return (await answered(company, document, id=f"contact_{id_}"))["contact"]


async def test_the_survivor_keeps_its_values_and_takes_those_that_it_lacks(company: Database) -> None:
    merged = await merge(
        company, BOB, CARL, selected=f"contact {{ {VALUES} mergedContacts {{ nodes {{ firstName }} }} }}"
    )
    assert merged["userErrors"] == []
    assert merged["contact"] == {
        "firstName": "Bob",
        "lastName": None,
        "email": "carl@gmail.com",
        "emailKind": "FREE",
        "phone": "+491",
        "jobTitle": "CTO",
        "emailOptOut": True,
        "doNotCall": True,
        "rowVersion": 2,
        "mergedContacts": {"nodes": [{"firstName": "Carl"}]},
    }
    assert (await contact_of(company, CARL, "firstName mergedInto { firstName }")) == {
        "firstName": "Carl",
        "mergedInto": {"firstName": "Bob"},
    }


async def test_the_number_of_people_never_rises(company: Database) -> None:
    counts = "{ contacts { totalCount } }"
    before = (await answered(company, counts))["contacts"]["totalCount"]
    await merge(company, ADA, BOB, CARL)
    assert (await answered(company, counts))["contacts"]["totalCount"] == before - 2
    await unmerge(company, CARL)
    assert (await answered(company, counts))["contacts"]["totalCount"] == before - 1


async def test_unmerging_gives_back_what_nobody_changed_since(company: Database) -> None:
    bob, carl = await contact_of(company, BOB), await contact_of(company, CARL)
    merged = (await merge(company, BOB, CARL, selected="contact { rowVersion }"))["contact"]
    given = {**named(BOB), "expectedVersion": merged["rowVersion"], "jobTitle": "CEO", "lastName": "Ray"}
    assert (await run(company, "updateContact", "status", given))["userErrors"] == []
    undone = await unmerge(company, CARL, f"contact {{ {VALUES} }} survivor {{ {VALUES} }}")
    assert undone["userErrors"] == []
    assert undone["survivor"] == bob | {"jobTitle": "CEO", "lastName": "Ray", "rowVersion": 4}
    assert undone["contact"] == carl | {"rowVersion": carl["rowVersion"] + 2}


async def test_what_another_merged_contact_gives_stays_with_the_survivor(company: Database) -> None:
    async with company.write() as session:
        await session.script(f"update contact set do_not_call = true, phone = '+492' where id = '{ADA}'")
    await merge(company, BOB, CARL, ADA)
    undone = await unmerge(company, CARL, "survivor { phone doNotCall email jobTitle }")
    assert undone["survivor"] == {
        "phone": "+492",
        "doNotCall": True,
        "email": "ada@acme.example",
        "jobTitle": None,
    }
    again = await unmerge(company, ADA, "survivor { phone doNotCall email emailOptOut }")
    assert again["survivor"] == {"phone": None, "doNotCall": False, "email": None, "emailOptOut": True}


async def test_both_keys_lead_to_the_survivor(company: Database) -> None:
    for id_, number in ((BOB, "1"), (CARL, "2")):
        async with company.write() as session:
            await session.run(Sql("insert into external_key values ({}, {}, {}, {})", "contact", "crm", number, id_))
    await merge(company, BOB, CARL)
    for number in ("1", "2"):
        given = {"externalKey": {"source": "crm", "externalId": number}, "leadScore": int(number)}
        found = await run(company, "upsertContact", "contact { firstName leadScore }", given)
        assert found["contact"] == {"firstName": "Bob", "leadScore": int(number)}


async def test_one_primary_role_a_deal(company: Database) -> None:
    async with company.write() as session:
        await session.script(
            f"insert into deal_contact (contact_id, deal_id, is_primary) values ('{CARL}', '{DEAL}', true)"
        )
    await merge(company, ADA, CARL)
    roles = 'dealRoles(where: {deal: {name: {eq: "First"}}}) { nodes { contact { firstName } isPrimary } }'
    primary = {"contact": {"firstName": "Ada"}, "isPrimary": True}
    second = {"contact": {"firstName": "Carl"}, "isPrimary": False}
    assert (await contact_of(company, CARL, roles))["dealRoles"]["nodes"] == [second]
    await unmerge(company, CARL)
    assert (await contact_of(company, ADA, roles))["dealRoles"]["nodes"] == [primary]
    assert (await contact_of(company, CARL, roles))["dealRoles"]["nodes"] == [second | {"isPrimary": True}]


async def test_wrong_merges_are_refused_and_write_nothing(company: Database) -> None:
    async with company.read() as session:
        before = await session.rows(Sql("select * from contact order by id"))
    unknown = UUID(int=999)
    assert codes(await merge(company, ADA, ADA)) == {"input.merged.0": "CIRCLE"}
    assert codes(await merge(company, ADA)) == {"input.merged": "REQUIRED"}
    assert codes(await merge(company, ADA, CARL, CARL)) == {"input.merged.1": "DUPLICATE"}
    assert codes(await merge(company, MERGED_CONTACT, ADA)) == {"input.survivor": "CIRCLE"}
    assert codes(await merge(company, MERGED_CONTACT, BOB)) == {"input.survivor": "MERGED"}
    assert codes(await merge(company, BOB, MERGED_CONTACT)) == {"input.merged.0": "MERGED"}
    assert codes(await merge(company, unknown, BOB)) == {"input.survivor": "NOT_FOUND"}
    assert codes(await merge(company, BOB, GONE_CONTACT, unknown, expectedVersion=9)) == {
        "input.expectedVersion": "STALE_VERSION",
        "input.merged.0": "DELETED",
        "input.merged.1": "NOT_FOUND",
    }
    assert codes(await unmerge(company, BOB)) == {"input.contact": "WRONG_STATE"}
    assert codes(await unmerge(company, unknown)) == {"input.contact": "NOT_FOUND"}
    async with company.read() as session:
        assert await session.rows(Sql("select * from contact order by id")) == before
        assert not await session.value(Sql("select count(*) from record_merge"))


async def test_a_merge_under_a_later_merge_is_undone_after_it(company: Database) -> None:
    await merge(company, BOB, CARL)
    await merge(company, ADA, BOB)
    assert codes(await unmerge(company, CARL)) == {"input.contact": "MERGED"}
    await unmerge(company, BOB)
    assert codes(await unmerge(company, CARL)) == {}
    assert (await contact_of(company, BOB, "email doNotCall")) == {"email": None, "doNotCall": False}


async def test_an_imported_merge_can_be_undone(company: Database) -> None:
    undone = await unmerge(company, MERGED_CONTACT, "contact { firstName } survivor { firstName }")
    assert (undone["contact"], undone["survivor"]) == ({"firstName": "Adda"}, {"firstName": "Ada"})


async def test_records_out_of_reach_are_not_merged_nor_shown(company: Database) -> None:
    ben = Principal(Reach.OWN, BEN, AccessLevel.OPERATOR, ALL_RIGHTS, "Ben")
    anna = Principal(Reach.OWN, ANNA, AccessLevel.OPERATOR, ALL_RIGHTS, "Anna")
    async with company.write() as session:
        await session.script(f"update contact set owner_id = '{BEN}' where id = '{CARL}'")
    for who, survivor, other in ((ben, CARL, BOB), (anna, BOB, CARL)):
        given = {"survivor": named(survivor), "merged": [named(other)]}
        assert await refusal(company, "mergeContacts", given, who) is ErrorCode.NOT_ALLOWED
    await merge(company, BOB, CARL)
    assert await refusal(company, "unmergeContacts", {"contact": named(CARL)}, ben) is ErrorCode.NOT_ALLOWED
    contributor = Principal(Reach.ALL, ANNA, AccessLevel.CONTRIBUTOR, ALL_RIGHTS, "Anna")
    given = {"survivor": named(BOB), "merged": [named(ADA)]}
    assert await refusal(company, "mergeContacts", given, contributor) is ErrorCode.NOT_ALLOWED


async def test_a_record_that_is_not_found_is_no_circle(company: Database) -> None:
    missing = {"externalKey": {"source": "crm", "externalId": "none"}}
    given = {"survivor": named(BOB), "merged": [missing]}
    found = await run(company, "mergeContacts", "contact { id }", given)
    assert codes(found) == {"input.merged.0": "NOT_FOUND"}


async def test_two_opposite_merges_at_once_leave_one(company: Database) -> None:
    results = await asyncio.gather(merge(company, BOB, CARL), merge(company, CARL, BOB))
    assert sorted(len(result["userErrors"]) for result in results) == [0, 1]
    async with company.read() as session:
        assert (
            await session.value(
                Sql(
                    "select count(*) from contact where merged_into_id is not null and id = any({}::uuid[])",
                    [BOB, CARL],
                )
            )
            == 1
        )


async def test_a_merge_is_recorded_for_audit_and_followers(company: Database) -> None:
    await merge(company, BOB, CARL)
    await unmerge(company, CARL)
    async with company.read() as session:
        rows = await session.rows(
            Sql("select change_type, changed_id, before, after from audit_event order by occurred_at, id")
        )
    found = [(row["change_type"], row["changed_id"]) for row in rows]
    assert found == [("CHANGED", BOB), ("MERGED", CARL), ("UNMERGED", CARL), ("CHANGED", BOB)]
    assert rows[1]["after"] == {"merged_into_id": str(BOB)}
