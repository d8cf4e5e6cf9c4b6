"""The audit: who changed what, the values before and after, and who may read them."""

from pathlib import Path
from typing import Any

import pytest

from api.access.principal import Principal
from api.db import Database
from api.importers.run_import import run_import
from schema.access.rights import AccessLevel, Reach, Right
from tests.importers.test_evaluated_people import write
from tests.support.followed_changes import page
from tests.support.graphql import answered, executed
from tests.support.mutations import contributor, run
from tests.support.small_company import ADA, ANNA, BEN, CARL, DEAL

AUDIT = """
{
  audit(orderBy: [{ occurredAt: ASC }]) {
    nodes { action changeType recordType changedRecordId principal member { id } valuesBefore valuesAfter }
  }
}
"""


RECORDS = """
  audit(orderBy: [{ occurredAt: ASC }]) {
    nodes { action record { __typename id ... on Contact { firstName jobTitle company { name } } ...deal } }
    edges { node { of: record { ... on Contact { touchpoints { totalCount } } } } }
  }
"""


async def audited(database: Database) -> list[Any]:
    found: list[Any] = (await answered(database, AUDIT))["audit"]["nodes"]
    return found


async def test_a_change_is_audited_with_its_author_and_its_values(company: Database) -> None:
    given = {"id": f"contact_{ADA}", "expectedVersion": 1, "email": "new@acme.example", "jobTitle": "CTO"}
    await run(company, "updateContact", "contact { id }", given, contributor(ANNA))
    role = {"contact": {"id": f"contact_{ADA}"}, "deal": {"id": f"deal_{DEAL}"}, "role": "asks"}
    await run(company, "setDealRole", "deal { id }", role)
    change, asks = await audited(company)
    assert change == {
        "action": "updateContact",
        "changeType": "CHANGED",
        "recordType": "contact",
        "changedRecordId": f"contact_{ADA}",
        "principal": "member",
        "member": {"id": f"member_{ANNA}"},
        "valuesBefore": {"email": "ada@acme.example", "email_kind": None, "job_title": None},
        "valuesAfter": {"email": "new@acme.example", "email_kind": "BUSINESS", "job_title": "CTO"},
    }
    assert (asks["recordType"], asks["changedRecordId"], asks["valuesAfter"]) == (
        "deal_contact",
        f"deal_{DEAL}",
        {"role": "asks"},
    )


@pytest.mark.parametrize("beside", ["", "viewer { level }"], ids=["one statement", "the executor"])
async def test_a_change_has_its_record_as_it_is_now(company: Database, beside: str) -> None:
    given = {"id": f"contact_{ADA}", "expectedVersion": 1, "jobTitle": "CTO"}
    await run(company, "updateContact", "contact { id }", given)
    role = {"contact": {"id": f"contact_{ADA}"}, "deal": {"id": f"deal_{DEAL}"}, "role": "asks"}
    await run(company, "setDealRole", "deal { id }", role)
    await run(company, "updateContact", "contact { id }", given | {"expectedVersion": 2, "jobTitle": "CEO"})
    await run(company, "deleteContact", "deletedId", {"id": f"contact_{CARL}", "expectedVersion": 1})
    document = f"{{ {RECORDS} {beside} }} fragment deal on Deal {{ name }}"
    found = (await answered(company, document))["audit"]
    ada: dict[str, object] = {"__typename": "Contact", "id": f"contact_{ADA}", "firstName": "Ada", "jobTitle": "CEO"}
    ada |= {"company": {"name": "Acme"}}
    assert found["nodes"] == [
        {"action": "updateContact", "record": ada},
        {"action": "setDealRole", "record": {"__typename": "Deal", "id": f"deal_{DEAL}", "name": "First"}},
        {"action": "updateContact", "record": ada},
        {"action": "deleteContact", "record": None},
    ]
    counted = {"touchpoints": {"totalCount": 3}}
    assert [edge["node"]["of"] for edge in found["edges"]] == [counted, {}, counted, None]
    redacted = await executed(company, document, Principal(Reach.ALL, BEN, AccessLevel.ADMIN))
    assert redacted.redacted == ["Contact.firstName"]
    assert redacted.data["audit"]["nodes"][0]["record"] == ada | {"firstName": None}


async def test_personal_values_need_the_right(company: Database) -> None:
    given = {"id": f"contact_{ADA}", "expectedVersion": 1, "email": "new@acme.example", "jobTitle": "CTO"}
    await run(company, "updateContact", "contact { id }", given)
    admin = Principal(Reach.ALL, BEN, AccessLevel.ADMIN, frozenset({Right.EXPORT}))
    found = await executed(company, AUDIT, admin)
    assert found.errors is None
    [change] = found.data["audit"]["nodes"]
    assert change["valuesBefore"] == {"email": None, "email_kind": None, "job_title": None}
    assert change["valuesAfter"] == {"email": None, "email_kind": "BUSINESS", "job_title": "CTO"}
    assert found.redacted == ["AuditEvent.valuesAfter", "AuditEvent.valuesBefore"]


async def test_an_import_is_audited_once_and_its_records_are_changes(database: Database, tmp_path: Path) -> None:
    preset = write(tmp_path)
    await run_import(database, preset, tmp_path)
    write(tmp_path, people={3: "p3@x.example,CEO,"}, forms=("g1,4,2026-01-03",))
    cursor = (await page(database, first=0))["pageInfo"]["endCursor"]
    await run_import(database, preset, tmp_path)
    first, second = await audited(database)
    assert (first["action"], first["recordType"], first["principal"]) == ("import", "import_job", "local operator")
    assert second["changedRecordId"] != first["changedRecordId"]
    assert second["valuesAfter"]["source"] == "crm"
    nodes = (await page(database, cursor))["nodes"]
    assert [(node["type"], node["recordType"], node["stage"]) for node in nodes] == [
        ("CHANGED", "CONTACT", None),
        ("CREATED", "TOUCHPOINT", None),
        ("LEFT", "CONTACT", "inquiry"),
        ("ENTERED", "CONTACT", "mql"),
    ]
    await run_import(database, preset, tmp_path)  # nothing differs, so nothing is written
    assert len(await audited(database)) == 2
    assert (await page(database, cursor))["nodes"] == nodes
