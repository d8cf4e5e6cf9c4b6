"""What records link to after others left, and the instants of what happened."""

import pytest

from api.db import Database
from tests.support.graphql import answered, uid
from tests.support.mutations import codes, run
from tests.support.small_company import ACME, ADA, ANNA, BEN, BOB, CARL, GONE_COMPANY

TOO_EARLY, LATE = "0001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"


async def version(company: Database, id_: str) -> int:
    found: int = (await answered(company, "query ($id: ID!) { contact(id: $id) { rowVersion } }", id=id_))["contact"][
        "rowVersion"
    ]
    return found


async def test_a_link_that_does_not_change_may_lead_to_what_is_no_longer_in_use(company: Database) -> None:
    await run(company, "deactivateMember", "", {"member": {"id": f"member_{ANNA}"}})
    bob = {"id": f"contact_{BOB}", "expectedVersion": 1, "company": {"id": f"company_{GONE_COMPANY}"}}
    kept = {**bob, "owner": {"id": f"member_{ANNA}"}, "jobTitle": "Baker"}
    assert codes(await run(company, "updateContact", "status", kept)) == {}
    carl = {**kept, "id": f"contact_{CARL}"}
    refused = {"input.company": "DELETED", "input.owner": "INACTIVE"}
    assert codes(await run(company, "updateContact", "status", carl)) == refused
    given = {**bob, "expectedVersion": 2, "owner": {"id": f"member_{BEN}"}}
    assert codes(await run(company, "updateContact", "status", given)) == {}
    given = {**bob, "expectedVersion": 3, "owner": {"id": f"member_{ANNA}"}}
    assert codes(await run(company, "updateContact", "status", given)) == {"input.owner": "INACTIVE"}
    key = {"externalKey": {"source": "crm", "externalId": "1"}, "owner": {"id": f"member_{ANNA}"}}
    assert codes(await run(company, "upsertContact", "status", key)) == {"input.owner": "INACTIVE"}


@pytest.mark.parametrize(("instant", "code"), [(TOO_EARLY, "INVALID"), (LATE, "IN_FUTURE")])
async def test_what_happened_did_so_in_a_past_that_can_be_stored(company: Database, instant: str, code: str) -> None:
    made = await run(company, "createDeal", "deal { id }", {"name": "New"})
    deal = {"deal": {"id": made["deal"]["id"]}}
    ada = {"contact": {"id": f"contact_{ADA}"}}
    touch: dict[str, object] = {**ada, "kind": "CALL", "direction": "INBOUND", "occurredAt": instant}
    wrong: dict[str, tuple[dict[str, object], str]] = {
        "createContact": ({"effectiveAt": instant}, "effectiveAt"),
        "createDeal": ({"openedAt": instant}, "openedAt"),
        "closeDeal": ({**deal, "outcome": "WON", "closedAt": instant}, "closedAt"),
        "setDealRole": ({**deal, **ada, "since": instant}, "since"),
        "logTouchpoint": (touch, "occurredAt"),
    }
    for mutation, (given, field) in wrong.items():
        payload = await run(company, mutation, "", given)
        found = [
            (error["path"][-1], error["code"]) for error in payload["userErrors"] if error["code"] != "OUT_OF_ORDER"
        ]
        assert found == [(field, code)], mutation


async def test_nothing_in_anybodys_words_is_stored_of_an_erased_person(company: Database) -> None:
    assert codes(await run(company, "erasePerson", "", {"contact": {"id": f"contact_{CARL}"}})) == {}
    carl = {"id": f"contact_{CARL}", "expectedVersion": await version(company, f"contact_{CARL}")}
    for field in ("firstName", "jobTitle", "sourceDetail", "leadSource"):
        assert codes(await run(company, "updateContact", "status", {**carl, field: "Carl"})) == {
            f"input.{field}": "ERASED"
        }
    assert codes(await run(company, "updateContact", "status", {**carl, "isTest": True, "country": "DE"})) == {}


async def test_an_erased_person_is_merged_with_nobody(company: Database) -> None:
    assert codes(await run(company, "erasePerson", "", {"contact": {"id": f"contact_{CARL}"}})) == {}
    carl, bob = {"id": f"contact_{CARL}"}, {"id": f"contact_{BOB}"}
    into = await run(company, "mergeContacts", "", {"survivor": carl, "merged": [bob]})
    assert codes(into) == {"input.survivor": "ERASED"}
    other = await run(company, "mergeContacts", "", {"survivor": bob, "merged": [carl, {"id": f"contact_{uid(99)}"}]})
    assert codes(other) == {"input.merged.0": "ERASED", "input.merged.1": "NOT_FOUND"}


async def test_the_rules_of_rates_are_said_in_words(company: Database) -> None:
    rate = {"currency": "EUR", "quoteCurrency": "EUR", "rateOn": "2026-01-01", "rate": "1.1"}
    assert codes(await run(company, "createExchangeRate", "", rate)) == {"input.quoteCurrency": "INVALID"}


async def test_a_company_is_not_its_own_grandparent(company: Database) -> None:
    acme = {"id": f"company_{ACME}", "expectedVersion": 1, "employees": -1}
    made = await run(company, "createCompany", "company { id }", {"name": "Low", "parent": {"id": f"company_{ACME}"}})
    low = await run(company, "createCompany", "company { id }", {"name": "Lower", "parent": made["company"]})
    wrong = codes(await run(company, "updateCompany", "status", {**acme, "parent": low["company"]}))
    assert wrong == {"input.parent": "CIRCLE", "input.employees": "INVALID"}


async def test_an_id_of_another_type_is_said_with_all_else_that_is_wrong(company: Database) -> None:
    bob, wrong = {"id": f"contact_{BOB}"}, {"id": f"company_{ACME}"}
    given = {"survivor": bob, "merged": [wrong, bob, wrong], "expectedVersion": 9}
    assert codes(await run(company, "mergeContacts", "", given)) == {
        "input.merged.0.id": "INVALID",
        "input.merged.1": "CIRCLE",
        "input.merged.2.id": "INVALID",
        "input.expectedVersion": "STALE_VERSION",
    }
    deal = {"deal": {"id": "deal_1"}, "outcome": "LOST", "pipelineStage": {"id": "1"}, "closedAt": LATE}
    assert codes(await run(company, "closeDeal", "", deal)) == {
        "input.deal.id": "INVALID",
        "input.pipelineStage.id": "INVALID",
        "input.reason": "REQUIRED",
    }
    left = {"member": {"id": "member_1"}, "successor": {"id": f"member_{BEN}"}}
    assert codes(await run(company, "deactivateMember", "", left)) == {"input.member.id": "INVALID"}
    ben = await answered(company, "query ($id: ID!) { member(id: $id) { deactivatedAt } }", id=f"member_{BEN}")
    assert ben["member"] == {"deactivatedAt": None}
