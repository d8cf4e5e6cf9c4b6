"""Stage entries and KPIs follow the verbs at once, and are what a rebuild derives."""

import asyncio
from typing import Any
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.drift import check_entries
from api.funnel.evaluate import discard_former_entries, evaluate
from api.workflows.adopt_accord import adopt_accord
from schema.base import now
from tests.support.graphql import answered, put, uid
from tests.support.mutations import contributor, run
from tests.support.small_company import CREATED, versioned_row

ANN, BOB, DEAL, SALES, SUE = uid(31), uid(32), uid(51), uid(1), uid(11)
PERSON = {"contact": {"id": f"contact_{ANN}"}}
FORM = {**PERSON, "kind": "FORM", "direction": "INBOUND"}
ROLE = {**PERSON, "deal": {"id": f"deal_{DEAL}"}}


@pytest.fixture
async def selling(database: Database) -> Database:
    """Two people without a fact, a deal of nobody and a salesperson, under the standard accord."""
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await put(session, "team", {"id": SALES, "name": "Sales", "kind": "SALES"})
        await put(session, "member", {"id": SUE, "name": "Sue", "team_id": SALES})
        for contact in (ANN, BOB):
            await put(session, "contact", versioned_row(id=contact, email=f"{contact.int}@acme.example"))
        await put(session, "deal", versioned_row(id=DEAL, opened_at=CREATED))
        await evaluate(session)
        await discard_former_entries(session)
    return database


async def do(database: Database, mutation: str, given: object, who: Principal = LOCAL_OPERATOR) -> Any:  # noqa: ANN401
    """Run a mutation that must succeed, and require that the stored entries are those of a rebuild."""
    assert isinstance(given, dict)
    payload = await run(database, mutation, f"{_selected(mutation)} userErrors {{ code }}", given, who)
    assert payload["userErrors"] == []
    async with database.scratch() as session:
        await check_entries(session)
    return payload


def _selected(mutation: str) -> str:
    match mutation:
        case "logTouchpoint":
            return "touchpoint { id contact { stage { key } } }"
        case "voidTouchpoint":
            return "contact { stage { key } }"
        case "setDealRole" | "removeDealRole" | "closeDeal" | "reopenDeal":
            return "deal { id contactRoles { nodes { contact { stage { key } } } } }"
        case "logTouchpoints":
            return "results { status }"
        case _:
            return "handoff { id contact { stage { key } } }"


async def stage(database: Database, contact: UUID = ANN) -> str | None:
    """Return the key of a person's present stage; None if their last entry ended."""
    found = await answered(database, "query ($id: ID!) { contact(id: $id) { stage { key } } }", id=f"contact_{contact}")
    present = found["contact"]["stage"]
    return None if present is None else str(present["key"])


async def customers(database: Database) -> int:
    document = "query ($year: String!) { kpi(key: NEW_CUSTOMERS, period: { named: $year }) { n } }"
    found: int = (await answered(database, document, year=str(now().year)))["kpi"]["n"]
    return found


async def test_a_person_climbs_the_ladder_by_the_verbs(selling: Database) -> None:
    assert await stage(selling) == "suspect"
    form = await do(selling, "logTouchpoint", FORM)
    assert form["touchpoint"]["contact"]["stage"]["key"] == "inquiry"  # the payload has the entry that it caused
    await do(selling, "logTouchpoint", FORM)
    assert await stage(selling) == "mql"
    handed = await do(selling, "handOff", PERSON)
    await do(selling, "acceptHandoff", {"handoff": {"id": handed["handoff"]["id"]}}, contributor(SUE))
    assert await stage(selling) == "sal"
    call = {**PERSON, "kind": "CALL", "direction": "OUTBOUND", "outcome": "QUALIFIED"}
    await do(selling, "logTouchpoint", call)
    assert await stage(selling) == "sal"  # nobody of sales had this call
    await do(selling, "logTouchpoint", call, contributor(SUE))
    assert await stage(selling) == "sql"
    await do(selling, "setDealRole", ROLE)
    assert await stage(selling) == "opportunity"
    await do(selling, "closeDeal", {"deal": ROLE["deal"], "outcome": "WON"})
    assert (await stage(selling), await customers(selling)) == ("customer", 1)
    assert await stage(selling, BOB) == "suspect"


async def test_a_voided_touchpoint_takes_its_entries_along(selling: Database) -> None:
    first = await do(selling, "logTouchpoint", FORM)
    await do(selling, "logTouchpoint", FORM)
    voided = {"touchpoint": {"id": first["touchpoint"]["id"]}, "reason": "a test"}
    assert (await do(selling, "voidTouchpoint", voided))["contact"]["stage"]["key"] == "inquiry"


async def test_who_loses_the_role_in_a_won_deal_is_no_customer(selling: Database) -> None:
    await do(selling, "setDealRole", {**ROLE, "isPrimary": True})
    other = {"deal": ROLE["deal"], "contact": {"id": f"contact_{BOB}"}, "isPrimary": True}
    await do(selling, "setDealRole", other)
    await do(selling, "closeDeal", {"deal": ROLE["deal"], "outcome": "WON"})
    assert (await stage(selling), await stage(selling, BOB)) == ("customer", "customer")
    await do(selling, "removeDealRole", ROLE)
    assert (await stage(selling), await stage(selling, BOB)) == ("suspect", "customer")
    await do(selling, "reopenDeal", {"deal": ROLE["deal"]})
    assert await stage(selling, BOB) == "customer"  # a customer is never closed
    assert await customers(selling) == 0


async def test_a_lost_deal_and_a_rejected_handoff_end_the_stages_of_the_accord(selling: Database) -> None:
    await do(selling, "setDealRole", {**ROLE, "since": CREATED.isoformat()})
    assert await stage(selling) == "opportunity"
    lost = {"deal": ROLE["deal"], "outcome": "LOST", "reason": "price", "closedAt": "2026-03-01T00:00:00Z"}
    await do(selling, "closeDeal", lost)
    assert await stage(selling) is None
    await do(selling, "logTouchpoints", {"rows": [FORM, FORM]})
    assert await stage(selling) == "mql"
    handed = await do(selling, "handOff", PERSON)
    key = {"handoff": {"id": handed["handoff"]["id"]}}
    await do(selling, "returnHandoff", {**key, "reason": "BAD_DATA"})
    assert await stage(selling) == "mql"
    again = await do(selling, "resubmitHandoff", key)
    await do(selling, "rejectHandoff", {"handoff": {"id": again["handoff"]["id"]}, "reason": "NO_FIT"})
    assert await stage(selling) is None


async def test_touchpoints_that_many_log_at_once_leave_right_entries(selling: Database) -> None:
    rows = {"rows": [FORM, {**FORM, "contact": {"id": f"contact_{BOB}"}}]}
    payloads = await asyncio.gather(*(run(selling, "logTouchpoints", "results { status }", rows) for _ in range(4)))
    assert {result["status"] for payload in payloads for result in payload["results"]} == {"CREATED"}
    async with selling.scratch() as session:
        await check_entries(session)
    assert (await stage(selling), await stage(selling, BOB)) == ("mql", "mql")
