"""Merging companies, and undoing it."""

from typing import Any
from uuid import UUID

import pytest

from api.db import Database
from api.errors import ErrorCode
from tests.support.graphql import answered
from tests.support.mutations import codes, refusal, run
from tests.support.small_company import ACME, BOLT, CARL, CREATED, write_unevaluated_company

LISTS = "contacts { nodes { firstName } } deals { nodes { name } } subsidiaries { nodes { name } }"


@pytest.fixture
async def company(database: Database) -> Database:
    async with database.write() as session:
        await write_unevaluated_company(session)
    return database


def named(id_: UUID) -> dict[str, str]:
    return {"id": f"company_{id_}"}


async def merge(company: Database, survivor: UUID, *merged: UUID, selected: str = "company { id }") -> Any:  # noqa: ANN401
    given = {"survivor": named(survivor), "merged": [named(id_) for id_ in merged]}
    return await run(company, "mergeCompanies", selected, given)


async def test_people_deals_and_subsidiaries_move_to_the_survivor(company: Database) -> None:
    selected = f"company {{ name domain employees annualRevenue {{ amount }} parent {{ name }} {LISTS} }}"
    merged = await merge(company, BOLT, ACME, selected=selected)
    assert merged["userErrors"] == []
    assert merged["company"] == {
        "name": "Bolt",
        "domain": "acme.example",
        "employees": 12,
        "annualRevenue": {"amount": "7.00"},
        "parent": None,
        "contacts": {"nodes": [{"firstName": "Ada"}, {"firstName": "Carl"}]},
        "deals": {"nodes": [{"name": "First"}]},
        "subsidiaries": {"nodes": []},
    }
    gone = await answered(
        company,
        "query ($id: ID!) { company(id: $id) { name mergedInto { name } } companies { totalCount } }",
        id=named(ACME)["id"],
    )
    assert gone == {"company": {"name": "Acme", "mergedInto": {"name": "Bolt"}}, "companies": {"totalCount": 1}}


async def test_the_past_keeps_the_merged_company(company: Database) -> None:
    await merge(company, BOLT, ACME)
    document = "query ($id: ID!, $at: DateTime) { contact(id: $id, asOf: $at) { company { name } } }"
    found = {"id": f"contact_{CARL}", "at": CREATED.isoformat()}
    assert (await answered(company, document, **found))["contact"]["company"]["name"] == "Acme"
    assert (await answered(company, document, id=found["id"]))["contact"]["company"]["name"] == "Bolt"


async def test_unmerging_gives_back_what_still_is_as_the_merge_left_it(company: Database) -> None:
    document = f"query ($id: ID!) {{ company(id: $id) {{ domain employees parent {{ name }} {LISTS} }} }}"
    before = [await answered(company, document, id=named(id_)["id"]) for id_ in (ACME, BOLT)]
    await merge(company, BOLT, ACME)
    undone = await run(company, "unmergeCompanies", "company { name } survivor { name }", {"company": named(ACME)})
    assert (undone["company"], undone["survivor"]) == ({"name": "Acme"}, {"name": "Bolt"})
    assert [await answered(company, document, id=named(id_)["id"]) for id_ in (ACME, BOLT)] == before
    await merge(company, BOLT, ACME)
    version = (await answered(company, f'{{ contact(id: "contact_{CARL}") {{ rowVersion }} }}'))["contact"][
        "rowVersion"
    ]
    given = {"id": f"contact_{CARL}", "expectedVersion": version, "company": None}
    assert codes(await run(company, "updateContact", "status", given)) == {}
    await run(company, "unmergeCompanies", "company { name }", {"company": named(ACME)})
    assert (await answered(company, document, id=named(ACME)["id"]))["company"]["contacts"]["nodes"] == [
        {"firstName": "Ada"}
    ]


async def test_no_company_stands_above_itself_after_a_merge(company: Database) -> None:
    made = await run(company, "createCompany", "company { id }", {"name": "Coil", "parent": named(BOLT)})
    coil = UUID(made["company"]["id"].removeprefix("company_"))
    # Acme above Bolt above Coil: Coil takes Acme's place, above Bolt.
    merged = await merge(company, coil, ACME, selected="company { parent { name } subsidiaries { nodes { name } } }")
    assert merged["company"] == {"parent": None, "subsidiaries": {"nodes": [{"name": "Bolt"}]}}
    undone = await run(company, "unmergeCompanies", "survivor { parent { name } }", {"company": named(ACME)})
    assert undone["survivor"] == {"parent": {"name": "Bolt"}}
    bolt = await answered(company, "query ($id: ID!) { company(id: $id) { parent { name } } }", id=named(BOLT)["id"])
    assert bolt["company"] == {"parent": {"name": "Acme"}}


async def test_wrong_merges_of_companies_are_refused(company: Database) -> None:
    assert codes(await merge(company, ACME, ACME)) == {"input.merged.0": "CIRCLE"}
    await merge(company, BOLT, ACME)
    assert codes(await merge(company, ACME, BOLT)) == {"input.survivor": "CIRCLE"}
    assert codes(await merge(company, BOLT, ACME)) == {"input.merged.0": "MERGED"}


async def test_a_subsidiary_that_stands_above_the_company_by_now_stays_with_the_survivor(company: Database) -> None:
    made: dict[str | None, Any] = {}
    for name, parent in (("Top", None), ("Mid", "Top"), ("Low", "Mid"), ("Other", None)):
        given = {"name": name, "parent": made.get(parent)}
        id_ = (await run(company, "createCompany", "company { id }", given))["company"]["id"]
        made[name] = {"id": id_}
    await run(company, "mergeCompanies", "", {"survivor": made["Other"], "merged": [made["Mid"]]})
    # Mid keeps its parent, Top, and gave Low to Other. Now Top comes to stand below Low.
    other = {**made["Other"], "expectedVersion": 2, "parent": None}
    assert codes(await run(company, "updateCompany", "status", other)) == {}
    top = {**made["Top"], "expectedVersion": 1, "parent": made["Low"]}
    assert codes(await run(company, "updateCompany", "status", top)) == {}
    selected = "company { parent { name parent { name parent { name parent { name } } } } }"
    undone = await run(company, "unmergeCompanies", selected, {"company": made["Mid"]})
    assert undone["company"]["parent"] == {
        "name": "Top",
        "parent": {"name": "Low", "parent": {"name": "Other", "parent": None}},
    }


async def test_an_unmerge_waits_for_who_moves_companies_in_the_tree(company: Database) -> None:
    await merge(company, BOLT, ACME)
    async with company.write() as session:
        await session.script("select pg_advisory_xact_lock(hashtext('company.parent_id'))")
        assert await refusal(company, "unmergeCompanies", {"company": named(ACME)}) is ErrorCode.BUSY
    assert codes(await run(company, "unmergeCompanies", "company { id }", {"company": named(ACME)})) == {}
