"""How many statements a write takes, its transaction included, and what the one that writes a row records."""

import asyncio
import re
from decimal import Decimal
from typing import Any

import pytest

from api.db import Database
from api.sql import Sql
from tests.support.graphql import answered
from tests.support.mutations import codes, run
from tests.support.small_company import ADA, CARL

CONTACT = f"contact_{ADA}"
KEY = {"source": "crm", "externalId": "ada"}
CHANGE = {"id": CONTACT, "expectedVersion": 1, "jobTitle": "CTO"}
CALL = {"contact": {"id": f"contact_{CARL}"}, "kind": "CALL", "direction": "OUTBOUND"}


async def statements_of(database: Database, mutation: str, given: dict[str, Any]) -> list[str]:
    """Run a mutation, and return the beginnings of the statements of its unit of work."""
    queries: list[str] = []
    # The connection that was free last is taken first.
    async with database.unit_of_work() as session:
        session.connection.add_query_logger(lambda logged: queries.append(logged.query))
    await asyncio.sleep(0)  # asyncpg calls a logger from the event loop
    queries.clear()
    payload = await run(database, mutation, "", given)
    await asyncio.sleep(0)
    assert codes(payload) == {}
    # Statements of asyncpg itself, which looks types up at first, are in upper case.
    return [re.findall(r"\w+", query)[0] for query in queries if query[0].islower()]


@pytest.mark.parametrize(
    ("mutation", "given", "statements"),
    [
        ("updateContact", CHANGE, ["begin", "select", "with", "commit"]),  # lock, write
        ("logTouchpoint", CALL, ["begin", "select", "with", "commit"]),  # contact, write
        ("createContact", {"lastName": "Lovelace"}, ["begin", "with", "commit"]),
    ],
)
async def test_a_row_its_audit_and_its_event_take_one_statement(
    company: Database, mutation: str, given: dict[str, Any], statements: list[str]
) -> None:
    assert await statements_of(company, mutation, given) == statements


async def test_a_key_that_is_stored_is_not_stored_again(company: Database) -> None:
    assert codes(await run(company, "updateContact", "", {**CHANGE, "externalKey": KEY})) == {}
    found = await statements_of(company, "upsertContact", {"externalKey": KEY, "jobTitle": "CEO"})
    assert found == ["begin", "select", "with", "select", "with", "commit"]  # keys, merges, lock, write


async def test_the_audit_of_a_new_row_has_its_defaults_and_exact_amounts(company: Database) -> None:
    given = {"name": "Deal", "amount": {"amount": "12.5", "currency": "EUR"}}
    assert codes(await run(company, "createDeal", "", given)) == {}
    async with company.read() as session:
        row = await session.row(
            Sql("select d.id, a.before, a.after from deal d join audit_event a on a.changed_id = d.id")
        )
    assert row is not None
    created = {"id": str(row["id"]), "name": "Deal", "amount": "12.50", "currency": "EUR", "outcome": "OPEN"}
    assert row["before"] is None
    assert row["after"] == created
    after = (await answered(company, "{ audit { nodes { valuesAfter } } }"))["audit"]["nodes"][0]["valuesAfter"]
    assert Decimal(after["amount"]) == Decimal("12.5")
