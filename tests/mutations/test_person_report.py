"""The report on a person: everything that is held, for whoever may erase people."""

import json
from typing import Any

import pytest

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import ErrorCode
from schema.access.rights import AccessLevel, Reach
from tests.support.graphql import answered, code_of, executed
from tests.support.mutations import codes, run
from tests.support.small_company import ADA, ANNA, BOB, CREATED, write_unevaluated_company

REPORT = "query ($id: ID!) { personReport(contact: $id) }"


@pytest.fixture
async def company(database: Database) -> Database:
    async with database.write() as session:
        await write_unevaluated_company(session)
        await session.script(
            f"insert into handoff (id, contact_id, handed_at, decided_at, status, note) values"
            f" ('{BOB}', '{ADA}', '{CREATED}', '{CREATED}', 'ACCEPTED', 'Told in confidence');"
            f" insert into external_key values ('contact', 'crm', 'crm-1847', '{ADA}'),"
            f" ('handoff', 'crm', 'h-1', '{BOB}')"
        )
    return database


async def report(company: Database, who: Principal = LOCAL_OPERATOR) -> Any:  # noqa: ANN401 - rows by table
    text = (await answered(company, REPORT, who, id=f"contact_{ADA}"))["personReport"]
    return None if text is None else json.loads(text)


async def test_a_report_has_the_rows_of_all_tables_about_the_person(company: Database) -> None:
    found = await answered(company, "query ($id: ID!) { contact(id: $id) { rowVersion } }", id=f"contact_{ADA}")
    given = {"id": f"contact_{ADA}", "expectedVersion": found["contact"]["rowVersion"], "lastName": "Szeps"}
    assert codes(await run(company, "updateContact", "status", given)) == {}
    held = await report(company)
    assert {row["first_name"] for row in held["contact"]} == {"Ada", "Adda"}
    assert {row["last_name"] for row in held["contact_version"]} == {"Stern", "Berg", "Szeps"}
    assert [row["note"] for row in held["handoff"]] == ["Told in confidence"]
    assert {row["external_id"] for row in held["external_key"]} == {"crm-1847", "h-1"}
    assert [row["after"] for row in held["audit_event"]] == [{"last_name": "Szeps"}]
    assert len(held["touchpoint"]) == 3
    assert "deal_contact" in held


async def test_after_erasing_the_report_identifies_nobody(company: Database) -> None:
    await run(company, "erasePerson", "contact { id }", {"contact": {"id": f"contact_{ADA}"}})
    text = json.dumps(await report(company)).casefold()
    assert not [word for word in ("stern", "berg", "ada@", "confidence", "crm-1847") if word in text]


async def test_a_report_needs_the_access_level_the_right_and_the_reach(company: Database) -> None:
    for who in (
        Principal(Reach.ALL, ANNA, AccessLevel.CONTRIBUTOR, ALL_RIGHTS),
        Principal(Reach.ALL, ANNA, AccessLevel.OPERATOR),
    ):
        result = await executed(company, REPORT, who, id=f"contact_{ADA}")
        assert result.errors is not None
        assert [code_of(error) for error in result.errors] == [ErrorCode.NOT_ALLOWED.value]
    async with company.write() as session:
        await session.script(f"update contact set owner_id = null where id = '{ADA}'")
    assert await report(company, Principal(Reach.OWN, ANNA, AccessLevel.OPERATOR, ALL_RIGHTS)) is None
