"""Dimensions at their moments: who was responsible when a record counted, who is today, and who responded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from tests.support.graphql import answered, put, refused, uid

ANNA, BERT, NORTH, SOUTH, FAIR = (uid(number) for number in range(1, 6))
LATE, EARLY, NEVER = (uid(number) for number in range(11, 14))
DEAL = uid(21)
START = datetime(2026, 3, 1, tzinfo=UTC)
INQUIRIES = 'where: { stage: { eq: "inquiry" } }'


def day(number: int) -> datetime:
    return START + timedelta(days=number)


async def set_owner(session: WriteSession, table: str, key: object, owner: object, at: datetime) -> None:
    statement = f"update {table} set owner_id = {{}}::uuid, effective_at = {{}} where id = {{}}"
    await session.run(Sql(statement, owner, at, key))


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Three people became inquiries on day 1.

    LATE has Anna as owner from day 5 on and Bert from day 20; EARLY has Anna from the start and nobody from day 20;
    NEVER has nobody. Bert called LATE first; sales decided three handoffs. A deal was won on day 10, and had its first
    owner on day 12.
    """
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await put(session, "team", {"id": NORTH, "name": "North", "kind": "SALES"})
        await put(session, "team", {"id": SOUTH, "name": "South", "kind": "SALES"})
        await put(session, "member", {"id": ANNA, "name": "Anna", "team_id": NORTH})
        await put(session, "member", {"id": BERT, "name": "Bert", "team_id": SOUTH})
        await put(session, "campaign", {"id": FAIR, "name": "Fair", "type": "EVENT", "channel": "EVENT"})
        for key, owner in ((LATE, None), (EARLY, ANNA), (NEVER, None)):
            await put(session, "contact", {"id": key, "owner_id": owner, "effective_at": day(0)})
        await put_touches(session)
        await put_handoffs(session)
        deal = {"id": DEAL, "outcome": "WON", "closed_at": day(10), "opened_at": day(8), "primary_campaign_id": FAIR}
        await put(session, "deal", {**deal, "effective_at": day(8)})
    # One transaction a change: a record has one version at an instant.
    changes = (
        ("contact", LATE, ANNA, 5),
        ("deal", DEAL, ANNA, 12),
        ("contact", LATE, BERT, 20),
        ("contact", EARLY, None, 20),
        ("deal", DEAL, BERT, 20),
    )
    for table, key, owner, number in changes:
        async with module_database.write() as session:
            await set_owner(session, table, key, owner, day(number))
    async with module_database.write() as session:
        await evaluate(session)
    return module_database


async def put_touches(session: WriteSession) -> None:
    touches = (
        *((contact, 1, "FORM", "INBOUND", False, None) for contact in (LATE, EARLY, NEVER)),
        (LATE, 2, "CALL", "OUTBOUND", False, BERT),
        (LATE, 3, "CALL", "OUTBOUND", False, ANNA),
        (EARLY, 2, "EMAIL_SENT", "OUTBOUND", True, ANNA),
    )
    for number, (contact, at, kind, direction, is_automated, member) in enumerate(touches, start=101):
        row = {"id": uid(number), "contact_id": contact, "occurred_at": day(at), "kind": kind, "direction": direction}
        await put(session, "touchpoint", {**row, "is_automated": is_automated, "member_id": member})


async def put_handoffs(session: WriteSession) -> None:
    handoffs = (
        (LATE, ANNA, 4, "ACCEPTED", None),
        (EARLY, BERT, None, "PROPOSED", None),
        (NEVER, BERT, 4, "REJECTED", "NO_FIT"),
        (NEVER, BERT, 5, "REJECTED", "NO_BUDGET"),
    )
    for number, (contact, member, decided, status, reason) in enumerate(handoffs, start=201):
        row = {"id": uid(number), "contact_id": contact, "assigned_to_id": member, "handed_at": day(2)}
        decided_at = None if decided is None else day(decided)
        await put(session, "handoff", {**row, "decided_at": decided_at, "status": status, "reject_reason": reason})


async def sizes(database: Database, arguments: str) -> dict[str | None, int]:
    """The n of each group of a breakdown."""
    found = await answered(database, f"{{ kpi({arguments}) {{ n breakdown {{ n keys {{ value }} }} }} }}")
    groups = {group["keys"][0]["value"]: group["n"] for group in found["kpi"]["breakdown"]}
    assert sum(groups.values()) == found["kpi"]["n"]
    return groups


async def test_the_owner_is_who_was_responsible_or_became_so_first(world: Database) -> None:
    assert await sizes(world, f"key: STAGE_VOLUME, by: [OWNER], {INQUIRIES}") == {"Anna": 2, None: 1}
    assert await sizes(world, f"key: STAGE_VOLUME, by: [TEAM], {INQUIRIES}") == {"North": 2, None: 1}
    assert await sizes(world, "key: DEALS_WON, by: [OWNER]") == {"Anna": 1}
    assert await sizes(world, "key: DEALS_WON, by: [TEAM]") == {"North": 1}


@pytest.mark.parametrize(("number", "anna"), [(4, 1), (5, 2)])
async def test_an_owner_after_as_of_is_unknown(world: Database, number: int, anna: int) -> None:
    as_of = f'switches: {{ asOf: "{day(number).isoformat()}" }}'
    found = await sizes(world, f"key: STAGE_VOLUME, by: [OWNER], {INQUIRIES}, {as_of}")
    assert found == {"Anna": anna, None: 3 - anna}
    won = f'key: DEALS_WON, by: [OWNER], switches: {{ asOf: "{day(11).isoformat()}" }}'
    assert await sizes(world, won) == {None: 1}


async def test_the_current_owner_is_that_of_today_at_every_as_of(world: Database) -> None:
    for switches in ("", f', switches: {{ asOf: "{day(4).isoformat()}" }}'):
        people = f"{INQUIRIES}{switches}"
        assert await sizes(world, f"key: STAGE_VOLUME, by: [CURRENT_OWNER], {people}") == {"Bert": 1, None: 2}
        assert await sizes(world, f"key: STAGE_VOLUME, by: [CURRENT_TEAM], {people}") == {"South": 1, None: 2}
    assert await sizes(world, "key: DEALS_WON, by: [CURRENT_OWNER]") == {"Bert": 1}
    assert await sizes(world, "key: DEALS_WON, by: [CURRENT_TEAM]") == {"South": 1}


async def test_a_filter_and_the_records_of_a_group_agree_with_the_breakdown(world: Database) -> None:
    stage = 'stage: { eq: "inquiry" }'
    document = f"""{{
      owner: kpi(key: STAGE_VOLUME, where: {{ {stage}, owner: {{ eq: "member_{ANNA}" }} }}) {{ ...counted }}
      team: kpi(key: STAGE_VOLUME, where: {{ {stage}, team: {{ named: ["North"] }} }}) {{ ...counted }}
      nobody: kpi(key: STAGE_VOLUME, where: {{ {stage}, owner: {{ isNull: true }} }}) {{ ...counted }}
      current: kpi(key: STAGE_VOLUME, where: {{ {stage}, currentOwner: {{ named: ["Bert"] }} }}) {{ ...counted }}
      by: kpi(key: STAGE_VOLUME, by: [OWNER], {INQUIRIES}) {{ breakdown {{ n records {{ nodes {{ id }} }} }} }}
    }} fragment counted on KpiAnswer {{ n records {{ nodes {{ id }} }} }}"""
    found = await answered(world, document)
    expected = {"owner": (LATE, EARLY), "team": (LATE, EARLY), "nobody": (NEVER,), "current": (LATE,)}
    for name, people in expected.items():
        assert (found[name]["n"], ids(found[name])) == (len(people), {f"contact_{key}" for key in people}), name
    assert [ids(group) for group in found["by"]["breakdown"]] == [ids(found["owner"]), ids(found["nobody"])]


def ids(figure: dict[str, Any]) -> set[str]:
    return {record["id"] for record in figure["records"]["nodes"]}


async def test_the_responder_made_the_first_touch_by_hand(world: Database) -> None:
    assert await sizes(world, "key: SPEED_TO_LEAD, by: [RESPONDER]") == {"Bert": 1, None: 0}
    where = 'where: { responder: { named: ["Anna"] } }'
    assert (await answered(world, f"{{ kpi(key: SPEED_TO_LEAD, {where}) {{ n }} }}"))["kpi"]["n"] == 0


async def test_the_responder_of_a_handoff_decided_on_it(world: Database) -> None:
    assert await sizes(world, "key: MQL_ACCEPTANCE, by: [RESPONDER]") == {"Anna": 1, "Bert": 2}
    assert await sizes(world, "key: REJECTION_RATE, by: [RESPONDER]") == {"Anna": 1, "Bert": 2}
    # The handoff that is not decided yet has no responder.
    cohort = "key: MQL_ACCEPTANCE, by: [RESPONDER], switches: { anchor: COHORT }"
    assert await sizes(world, cohort) == {"Anna": 1, "Bert": 2, None: 1}


@pytest.mark.parametrize("key", ["MQLS", "DEALS_WON", "TIME_IN_STAGE"])
async def test_only_a_kpi_of_a_response_has_a_responder(world: Database, key: str) -> None:
    error = await refused(world, f"{{ kpi(key: {key}, by: [RESPONDER]) {{ n }} }}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


async def test_an_answer_says_what_its_dimensions_mean(world: Database) -> None:
    selection = "{ dimensions { dimension definition moment } }"
    found = await answered(
        world,
        f"""{{ kpi(key: DEALS_WON, by: [OWNER], where: {{ campaign: {{ named: ["Fair"] }} }}) {selection}
          funnel(by: [CAMPAIGN, OWNER], where: {{ owner: {{ isNull: true }} }}) {selection}
          plain: kpi(key: DEALS_WON) {selection} }}""",
    )
    owner, campaign = found["kpi"]["dimensions"]
    assert owner["definition"] == "Who was responsible for the contact or the deal."
    assert "the first instant after it" in owner["moment"]
    assert campaign["definition"] == "The deal's primary campaign."
    assert campaign["moment"] == "The counted instant."
    assert [meaning["dimension"] for meaning in found["funnel"]["dimensions"]] == ["CAMPAIGN", "OWNER"]
    assert found["funnel"]["dimensions"][0]["definition"] == "The campaign of the person's first inbound touchpoint."
    assert found["plain"]["dimensions"] == []


async def test_a_mostly_empty_group_is_warned_of(world: Database) -> None:
    warnings = "{ warnings { code message count } }"
    half = "{ n warnings { code message count } }"
    as_of = f'switches: {{ asOf: "{day(4).isoformat()}" }}'
    found = await answered(
        world,
        f"""{{ few: kpi(key: STAGE_VOLUME, by: [OWNER], {INQUIRIES}) {warnings}
          most: kpi(key: STAGE_VOLUME, by: [OWNER, COUNTRY], {INQUIRIES}, {as_of}) {warnings}
          half: kpi(key: MQL_ACCEPTANCE, by: [RESPONDER], switches: {{ anchor: COHORT }},
            where: {{ or: [{{ responder: {{ named: ["Anna"] }} }}, {{ responder: {{ isNull: true }} }}] }}) {half}
          reasons: kpi(key: REJECTION_RATE, by: [REJECT_REASON, OWNER]) {warnings}
          funnel(by: [LEAD_SOURCE], {as_of}) {warnings} }}""",
    )
    empty = {
        name: [(warning["message"], warning["count"]) for warning in answer["warnings"] if is_empty(warning)]
        for name, answer in found.items()
    }
    advice = "they are in the group (empty). Complete the values in the source, or break down by another dimension."
    assert found["half"]["n"] == 2
    assert empty == {
        "few": [],
        "most": [(f"Of 3, 2 have no OWNER: {advice}", 2), (f"Of 3, 3 have no COUNTRY: {advice}", 3)],
        "half": [],
        # Both reasons are shares of the same two decisions.
        "reasons": [(f"Of 3, 2 have no OWNER: {advice}", 2)],
        "funnel": [(f"Of 3, 3 have no LEAD_SOURCE: {advice}", 3)],
    }


def is_empty(warning: dict[str, Any]) -> bool:
    return bool(warning["code"] == "MOSTLY_EMPTY")


async def test_a_dimension_with_two_meanings_in_one_request_is_warned_of(world: Database) -> None:
    document = """{ kpis(requests: [
      { key: STAGE_VOLUME, by: [CAMPAIGN] },
      { key: DEALS_WON, where: { campaign: { named: ["Fair"] } } },
      { key: REVENUE_WON, by: [CAMPAIGN] },
      { key: DEALS_WON, by: [OWNER] },
      { key: STAGE_VOLUME, by: [OWNER] }
    ]) { warnings { code message } } }"""
    found = [
        [warning["message"] for warning in answer["warnings"] if warning["code"] == "DIFFERENT_MEANINGS"]
        for answer in (await answered(world, document))["kpis"]
    ]
    person, deal = "the campaign of the person's first inbound touchpoint", "the deal's primary campaign"
    advice = "Do not compare or add the two."
    assert found == [
        [f"CAMPAIGN means {person} here, and {deal} in deals_won, revenue_won. {advice}"],
        [f"CAMPAIGN means {deal} here, and {person} in stage_volume. {advice}"],
        [f"CAMPAIGN means {deal} here, and {person} in stage_volume. {advice}"],
        [],
        [],
    ]
