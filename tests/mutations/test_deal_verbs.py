"""Closing and reopening deals."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from api.access.principal import Principal
from api.db import Database
from api.sql import Sql
from schema.access.rights import Reach
from schema.base import now
from tests.support.graphql import answered, put, uid
from tests.support.mutations import codes, contributor, refusal, run
from tests.support.small_company import ANNA, BEN, DEAL, GONE_DEAL, LOST_DEAL, row_of

PIPELINE, OTHER = uid(81), uid(82)
NEW, TALKS, WON, NO_BUDGET, NO_NEED, OTHER_WON = uid(83), uid(84), uid(85), uid(86), uid(87), uid(88)
SHOWN = "deal { id outcome closedAt lostReason rowVersion amount { amount currency } pipelineStage { name } }"


@pytest.fixture
async def selling(company: Database) -> Database:
    """The small company, with two pipelines: one has two lost stages, the other none."""
    stages = [
        (NEW, PIPELINE, "New", 1, "OPEN"),
        (TALKS, PIPELINE, "Talks", 2, "OPEN"),
        (WON, PIPELINE, "Signed", 3, "WON"),
        (NO_BUDGET, PIPELINE, "No budget", 4, "LOST"),
        (NO_NEED, PIPELINE, "No need", 5, "LOST"),
        (OTHER_WON, OTHER, "Renewed", 1, "WON"),
    ]
    async with company.write() as session:
        await put(session, "pipeline", row_of(id=PIPELINE, name="New business"), row_of(id=OTHER, name="Renewals"))
        for id_, pipeline, name, rank, category in stages:
            row = row_of(id=id_, pipeline_id=pipeline, name=name, rank=rank, category=category)
            await put(session, "pipeline_stage", row)
    return company


def deal_key(id_: UUID = DEAL) -> dict[str, str]:
    return {"id": f"deal_{id_}"}


def stage(id_: UUID) -> dict[str, str]:
    return {"id": f"pipeline_stage_{id_}"}


async def close(database: Database, **given: object) -> Any:  # noqa: ANN401
    return await run(database, "closeDeal", SHOWN, {"deal": deal_key(), **given})


async def move(database: Database, to: UUID, **given: object) -> None:
    moved = await run(database, "moveDeal", SHOWN, {"deal": deal_key(), "pipelineStage": stage(to), **given})
    assert moved["userErrors"] == []


async def test_a_won_deal_is_in_the_won_stage_since_its_closing(selling: Database) -> None:
    await move(selling, NEW, effectiveAt="2026-02-01T00:00:00Z")
    closed_at = "2026-03-01T12:00:00Z"
    final = {"amount": "120.50", "currency": "USD"}
    closed = await close(selling, outcome="WON", closedAt=closed_at, amount=final, expectedVersion=2)
    assert closed["userErrors"] == []
    expected = {"outcome": "WON", "closedAt": "2026-03-01T12:00:00Z", "lostReason": None, "rowVersion": 3}
    assert closed["deal"] == {"id": f"deal_{DEAL}", **expected, "amount": final, "pipelineStage": {"name": "Signed"}}
    document = "query ($id: ID!, $at: DateTime!) { deal(id: $id, asOf: $at) { outcome pipelineStage { name } } }"
    for at, then in (
        ("2026-02-28T00:00:00Z", {"outcome": "OPEN", "pipelineStage": {"name": "New"}}),
        (closed_at, {"outcome": "WON", "pipelineStage": {"name": "Signed"}}),
    ):
        assert (await answered(selling, document, id=f"deal_{DEAL}", at=at))["deal"] == then


async def test_a_lost_deal_needs_a_reason_and_one_of_several_lost_stages(selling: Database) -> None:
    await move(selling, NEW)
    wrong = await close(selling, outcome="LOST")
    assert codes(wrong) == {"input.reason": "REQUIRED", "input.pipelineStage": "REQUIRED"}
    [message] = [error["message"] for error in wrong["userErrors"] if error["path"][-1] == "pipelineStage"]
    assert "No budget, No need" in message
    lost = await close(selling, outcome="LOST", reason=" price ", pipelineStage=stage(NO_BUDGET))
    assert lost["userErrors"] == []
    assert (lost["deal"]["outcome"], lost["deal"]["lostReason"]) == ("LOST", "price")
    assert lost["deal"]["pipelineStage"] == {"name": "No budget"}


async def test_a_deal_without_a_stage_closes_without_one_or_in_the_named_one(selling: Database) -> None:
    won = await close(selling, outcome="WON")
    assert (won["userErrors"], won["deal"]["pipelineStage"]) == ([], None)
    await run(selling, "reopenDeal", SHOWN, {"deal": deal_key()})
    named = await close(selling, outcome="WON", pipelineStage=stage(OTHER_WON))
    assert named["deal"]["pipelineStage"] == {"name": "Renewed"}


async def test_the_stage_of_a_closing_fits_its_outcome_and_the_pipeline_of_the_deal(selling: Database) -> None:
    await move(selling, NEW)
    for named, code in (
        (stage(TALKS), "WRONG_STATE"),
        (stage(OTHER_WON), "WRONG_STATE"),
        (stage(uid(404)), "NOT_FOUND"),
        ({"id": f"deal_{DEAL}"}, "INVALID"),
    ):
        found = await close(selling, outcome="WON", pipelineStage=named)
        path = "input.pipelineStage.id" if code == "INVALID" else "input.pipelineStage"
        assert codes(found) == {path: code}
    async with selling.write() as session:
        await session.script(f"update pipeline_stage set deactivated_at = now() where id = '{WON}'")
    assert codes(await close(selling, outcome="WON")) == {"input.pipelineStage": "WRONG_STATE"}
    assert codes(await close(selling, outcome="WON", pipelineStage=stage(WON))) == {"input.pipelineStage": "INACTIVE"}


async def test_a_deal_is_not_closed_before_it_opened_or_changed_nor_in_the_future(selling: Database) -> None:
    opened = {"openedAt": "2026-01-20T00:00:00Z", "effectiveAt": "2026-01-20T00:00:00Z"}
    edited = await run(selling, "updateDeal", "deal { id }", {**deal_key(), "expectedVersion": 1, **opened})
    assert edited["userErrors"] == []
    await move(selling, NEW, effectiveAt="2026-02-05T00:00:00Z")
    for closed_at, code in (
        ("2026-01-19T00:00:00Z", "OUT_OF_ORDER"),
        ("2026-02-04T00:00:00Z", "OUT_OF_ORDER"),
        ((now() + timedelta(days=365)).isoformat(), "IN_FUTURE"),
    ):
        assert codes(await close(selling, outcome="WON", closedAt=closed_at)) == {"input.closedAt": code}
    at_once = await close(selling, outcome="WON", closedAt="2026-02-05T00:00:00Z")
    assert at_once["userErrors"] == []
    # Not since now: the change holds since its own instant, although that is the instant of the change before it.
    document = 'query ($id: ID!) { deal(id: $id, asOf: "2026-02-06T00:00:00Z") { outcome } }'
    assert (await answered(selling, document, id=f"deal_{DEAL}"))["deal"] == {"outcome": "WON"}


async def test_all_that_is_wrong_with_a_closing_is_said_at_once(selling: Database) -> None:
    wrong = await close(
        selling,
        outcome="WON",
        reason="a\0b",
        closedAt="2199-01-01T00:00:00Z",
        amount={"amount": "1.234", "currency": "EUR"},
        expectedVersion=9,
    )
    assert codes(wrong) == {
        "input.reason": "INVALID",
        "input.closedAt": "IN_FUTURE",
        "input.amount": "INVALID",
        "input.expectedVersion": "STALE_VERSION",
    }
    assert wrong["deal"] is None
    too_long = await close(selling, outcome="LOST", reason="x" * 10_001)
    assert codes(too_long) == {"input.reason": "TOO_LONG"}
    assert codes(await close(selling, outcome="LOST", reason=" ")) == {"input.reason": "INVALID"}


@pytest.mark.parametrize(
    ("deal", "path", "code"),
    [
        ({"id": f"deal_{LOST_DEAL}"}, "input.deal", "WRONG_STATE"),
        ({"id": f"deal_{GONE_DEAL}"}, "input.deal", "DELETED"),
        ({"id": f"deal_{uid(404)}"}, "input.deal", "NOT_FOUND"),
        ({"externalKey": {"source": "crm", "externalId": "none"}}, "input.deal", "NOT_FOUND"),
        ({"id": f"contact_{ANNA}"}, "input.deal.id", "INVALID"),
        ({"id": "deal_7"}, "input.deal.id", "INVALID"),
    ],
)
async def test_a_deal_that_cannot_be_closed(selling: Database, deal: object, path: str, code: str) -> None:
    found = await run(selling, "closeDeal", SHOWN, {"deal": deal, "outcome": "WON"})
    assert (found["deal"], codes(found)) == (None, {path: code})


async def test_a_deal_is_reopened_in_the_last_open_stage_that_it_was_in(selling: Database) -> None:
    await move(selling, NEW)
    await move(selling, TALKS)
    await close(selling, outcome="LOST", reason="price", pipelineStage=stage(NO_NEED))
    reopened = await run(selling, "reopenDeal", SHOWN, {"deal": deal_key(), "expectedVersion": 4})
    assert reopened["userErrors"] == []
    shown = {key: reopened["deal"][key] for key in ("outcome", "closedAt", "lostReason", "pipelineStage")}
    assert shown == {"outcome": "OPEN", "closedAt": None, "lostReason": None, "pipelineStage": {"name": "Talks"}}
    again = await run(selling, "reopenDeal", SHOWN, {"deal": deal_key(), "expectedVersion": 4})
    assert codes(again) == {"input.deal": "WRONG_STATE", "input.expectedVersion": "STALE_VERSION"}
    async with selling.read() as session:
        outcomes = await session.rows(Sql("select outcome from deal_version where deal_id = {} order by id", DEAL))
    assert [row["outcome"] for row in outcomes] == ["OPEN", "OPEN", "OPEN", "LOST", "OPEN"]


async def test_a_deal_whose_last_open_stage_is_deactivated_has_no_stage_when_it_is_reopened(selling: Database) -> None:
    await move(selling, TALKS)
    await close(selling, outcome="WON")
    async with selling.write() as session:
        await session.script(f"update pipeline_stage set deactivated_at = now() where id = '{TALKS}'")
    reopened = await run(selling, "reopenDeal", SHOWN, {"deal": deal_key()})
    assert (reopened["userErrors"], reopened["deal"]["pipelineStage"]) == ([], None)


async def test_a_deal_is_not_reopened_before_its_closing_nor_in_the_future(selling: Database) -> None:
    await close(selling, outcome="WON", closedAt="2026-03-01T00:00:00Z")
    for since, code in (("2026-02-28T00:00:00Z", "OUT_OF_ORDER"), ("2199-01-01T00:00:00Z", "IN_FUTURE")):
        given = {"deal": deal_key(), "effectiveAt": since}
        assert codes(await run(selling, "reopenDeal", SHOWN, given)) == {"input.effectiveAt": code}


async def test_a_closing_that_is_repeated_with_its_key_is_carried_out_once(selling: Database) -> None:
    given = {"deal": deal_key(), "outcome": "WON", "idempotencyKey": "close-1"}
    first, second = [await run(selling, "closeDeal", SHOWN, given) for _ in range(2)]
    assert (first["replayed"], second["replayed"]) == (False, True)
    assert first["deal"] == second["deal"]
    async with selling.read() as session:
        events = await session.rows(Sql("select action, change_type, after from audit_event"))
    [event] = events
    assert (event["action"], event["change_type"], event["after"]["outcome"]) == ("closeDeal", "CHANGED", "WON")


async def test_a_deal_out_of_reach_is_not_found_and_a_viewer_closes_none(selling: Database) -> None:
    async with selling.write() as session:
        await session.script(f"update deal set owner_id = '{ANNA}' where id = '{DEAL}'")
    given = {"deal": deal_key(), "outcome": "WON"}
    assert codes(await run(selling, "closeDeal", SHOWN, given, contributor(BEN, Reach.OWN))) == {
        "input.deal": "NOT_FOUND"
    }
    assert (await run(selling, "closeDeal", SHOWN, given, contributor(ANNA, Reach.OWN)))["userErrors"] == []
    viewer = Principal(Reach.ALL, BEN)
    assert await refusal(selling, "closeDeal", given, viewer) == "NOT_ALLOWED"


async def test_a_deal_that_several_close_at_once_is_closed_by_one_of_them(selling: Database) -> None:
    given = [{"outcome": "WON"}, {"outcome": "LOST", "reason": "price"}] * 3
    found = await asyncio.gather(*(close(selling, **it) for it in given))
    assert sorted(len(payload["userErrors"]) for payload in found) == [0, 1, 1, 1, 1, 1]
    [closed] = [payload["deal"] for payload in found if not payload["userErrors"]]
    async with selling.read() as session:
        versions = await session.rows(Sql("select outcome from deal_version where deal_id = {} order by id", DEAL))
    assert [row["outcome"] for row in versions] == ["OPEN", closed["outcome"]]


async def test_a_deactivated_pipeline_takes_no_deals_but_keeps_its_own(selling: Database) -> None:
    await move(selling, NEW)
    version = {"id": f"pipeline_{PIPELINE}", "expectedVersion": 1}
    assert codes(await run(selling, "deactivatePipeline", "pipeline { id }", version)) == {}
    refused = {"input.pipelineStage": "INACTIVE"}
    made = {"name": "Late", "pipelineStage": stage(NEW)}
    assert codes(await run(selling, "createDeal", "deal { id }", made)) == refused
    other = (await run(selling, "createDeal", "deal { id }", {"name": "Late"}))["deal"]
    to = {"deal": {"id": other["id"]}, "pipelineStage": stage(TALKS)}
    assert codes(await run(selling, "moveDeal", SHOWN, to)) == refused
    assert codes(await close(selling, deal={"id": other["id"]}, outcome="WON", pipelineStage=stage(WON))) == refused
    await move(selling, TALKS)
    assert codes(await close(selling, outcome="LOST", reason="price", pipelineStage=stage(NO_NEED))) == {}


async def test_a_stage_keeps_its_category_while_deals_of_it_are_there(selling: Database) -> None:
    given = {"id": f"pipeline_stage_{NEW}", "expectedVersion": 1, "category": "WON"}
    await move(selling, NEW)
    refused = {"input.category": "WRONG_STATE"}
    assert codes(await run(selling, "updatePipelineStage", "status", given)) == refused
    await move(selling, TALKS)
    assert codes(await run(selling, "updatePipelineStage", "status", given)) == {}
