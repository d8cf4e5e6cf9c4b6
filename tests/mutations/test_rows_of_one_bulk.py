"""Rows of one bulk mutation that depend on one another: each is judged as if all right ones were written at once."""

from typing import Any

import pytest

from api.db import Database
from tests.support.graphql import answered
from tests.support.mutations import codes, run
from tests.support.small_company import ADA, MERGED_CONTACT, SPRING

RESULTS = "results { status userErrors { path code } }"


def key(name: str) -> dict[str, str]:
    return {"source": "crm", "externalId": name}


async def bulk(company: Database, mutation: str, *rows: object, mode: str = "EACH") -> list[Any]:
    """Run a bulk mutation. Return the status of every row, or what is wrong with it."""
    payload = await run(company, mutation, RESULTS, {"rows": list(rows), "mode": mode})
    assert (payload["userErrors"] == []) == (mode == "EACH")
    return [codes(row) or row["status"] for row in payload["results"]]


def company_row(name: str, parent: str | None = "", **values: object) -> dict[str, object]:
    placed = {} if parent == "" else {"parent": parent and {"externalKey": key(parent)}}
    return {"externalKey": key(name), "name": name, **placed, **values}


async def companies(company: Database, *names: str) -> None:
    assert set(await bulk(company, "upsertCompanies", *map(company_row, names))) == {"CREATED"}


async def parents(company: Database) -> dict[str, str]:
    nodes = (await answered(company, "{ companies { nodes { name parent { name } } } }"))["companies"]["nodes"]
    return {node["name"]: node["parent"]["name"] for node in nodes if node["parent"] is not None}


async def test_rows_that_close_a_circle_together_are_refused(company: Database) -> None:
    await companies(company, "a", "b", "c", "d")
    rows = [company_row("a", "b"), company_row("b", "c"), company_row("c", "a"), company_row("d", "a")]
    circle = [{f"input.rows.{place}.parent": "CIRCLE"} for place in range(3)]
    assert await bulk(company, "upsertCompanies", *rows) == [*circle, "CHANGED"]
    assert await parents(company) == {"Bolt": "Acme", "d": "a"}


async def test_companies_change_places_in_one_bulk(company: Database) -> None:
    await companies(company, "a", "b")
    assert await bulk(company, "upsertCompanies", company_row("a", "b")) == ["CHANGED"]
    assert await bulk(company, "upsertCompanies", company_row("b", "a"), company_row("a", None)) == ["CHANGED"] * 2
    assert await parents(company) == {"Bolt": "Acme", "b": "a"}


async def test_a_move_that_needs_one_that_is_refused_is_refused_too(company: Database) -> None:
    await companies(company, "a", "b")
    assert await bulk(company, "upsertCompanies", company_row("a", "b")) == ["CHANGED"]
    rows = [company_row("b", "a"), company_row("a", None, employees=-1)]
    expected = [{"input.rows.0.parent": "CIRCLE"}, {"input.rows.1.employees": "INVALID"}]
    assert await bulk(company, "upsertCompanies", *rows) == expected
    assert await parents(company) == {"Bolt": "Acme", "a": "b"}


def cost(name: str, first: str, before: str, **values: object) -> dict[str, object]:
    amount = {"amount": "5.00", "currency": "EUR"}
    days = {"fromOn": first, "beforeOn": before, "source": "ads"}
    return {"externalKey": key(name), "campaign": {"id": f"campaign_{SPRING}"}, "cost": amount, **days, **values}


async def test_costs_of_one_bulk_do_not_overlap(company: Database) -> None:
    rows = [
        cost("a", "2026-01-01", "2026-02-01"),
        cost("b", "2026-01-31", "2026-03-01"),
        cost("c", "2026-02-01", "2026-02-15"),
        cost("d", "2025-12-01", "2026-06-01"),
        cost("e", "2026-01-15", "2026-01-16", source="other"),
        cost("f", "2026-03-02", "2026-03-01"),
    ]
    assert await bulk(company, "upsertCampaignCosts", *rows) == [
        "CREATED",
        {"input.rows.1.fromOn": "DUPLICATE"},
        "CREATED",
        {"input.rows.3.fromOn": "DUPLICATE"},
        "CREATED",
        {"input.rows.5.beforeOn": "OUT_OF_ORDER"},
    ]
    # Ranges may make room for one another; one that is not changed because of an error stays in the way.
    rows = [cost("c", "2026-01-10", "2026-01-20"), cost("a", "2026-01-01", "2026-01-10")]
    assert await bulk(company, "upsertCampaignCosts", *rows) == ["CHANGED", "CHANGED"]
    rows = [cost("c", "2026-01-05", "2026-01-20"), cost("a", "2026-01-01", "2026-01-05", cost=None)]
    assert await bulk(company, "upsertCampaignCosts", *rows) == [
        {"input.rows.0.fromOn": "DUPLICATE"},
        {"input.rows.1.cost": "REQUIRED"},
    ]


async def test_a_cost_is_not_restored_into_days_that_another_one_has_by_now(company: Database) -> None:
    first = cost("a", "2026-01-01", "2026-02-01")
    made = (await run(company, "createCampaignCost", "campaignCost { id }", first))["campaignCost"]
    gone = await run(company, "deleteCampaignCost", "deletedId", {"id": made["id"], "expectedVersion": 1})
    assert codes(gone) == {}
    second = cost("b", "2026-01-10", "2026-02-01")
    other = (await run(company, "createCampaignCost", "campaignCost { id }", second))["campaignCost"]
    given = {"id": made["id"], "expectedVersion": 2}
    assert codes(await run(company, "restoreCampaignCost", "", given)) == {"input.fromOn": "DUPLICATE"}
    assert await bulk(company, "upsertCampaignCosts", {**first, "restore": True}) == [
        {"input.rows.0.fromOn": "DUPLICATE"}
    ]
    await run(company, "deleteCampaignCost", "deletedId", {"id": other["id"], "expectedVersion": 1})
    assert codes(await run(company, "restoreCampaignCost", "", given)) == {}


async def test_two_keys_of_one_merged_record_do_not_write_it_twice(company: Database) -> None:
    for name, id_ in (("ada", ADA), ("adda", MERGED_CONTACT)):
        async with company.write() as session:
            await session.script(
                "insert into external_key (entity, source, external_id, record_id)"
                f" values ('contact', 'crm', '{name}', '{id_}')"
            )
    rows = [{"externalKey": key("ada"), "firstName": "One"}, {"externalKey": key("adda"), "lastName": "Two"}]
    assert await bulk(company, "upsertContacts", *rows) == ["CHANGED", {"input.rows.1.externalKey": "DUPLICATE"}]
    found = await answered(company, "query ($id: ID!) { contact(id: $id) { firstName lastName } }", id=f"contact_{ADA}")
    assert found["contact"] == {"firstName": "One", "lastName": "Berg"}


@pytest.mark.parametrize("others", [0, 1])
async def test_a_single_row_that_only_the_database_refuses_is_a_result_like_others(
    company: Database, others: int
) -> None:
    await run(company, "createProduct", "product { id }", {"name": "Anvil"})
    rows = [{"externalKey": key("1"), "name": "Anvil"}, {"externalKey": key("2"), "name": ""}]
    refused: list[Any] = [{"input.rows.0.name": "DUPLICATE"}, {"input.rows.1.name": "INVALID"}]
    assert await bulk(company, "upsertProducts", *rows[: others + 1]) == refused[: others + 1]


async def test_all_or_nothing_names_what_is_wrong_for_the_whole_input_too(company: Database) -> None:
    rows = [{"externalKey": key("1"), "name": "Anvil"}, {"externalKey": key("2"), "name": ""}]
    payload = await run(company, "upsertProducts", RESULTS, {"rows": rows})
    assert [row["status"] for row in payload["results"]] == ["ROLLED_BACK", "REJECTED"]
    assert codes(payload) == {"input.rows.1.name": "INVALID"}


async def test_an_upsert_with_a_version_creates_nothing(company: Database) -> None:
    row = {"externalKey": key("new"), "firstName": "Eve", "expectedVersion": 3}
    assert await bulk(company, "upsertContacts", row) == [{"input.rows.0.externalKey": "NOT_FOUND"}]
    assert await bulk(company, "upsertContacts", {**row, "expectedVersion": None}) == ["CREATED"]
