"""Dimensions through the contract: records by id and by name, groups that can be fed back, and too many groups."""

from datetime import UTC, datetime
from itertools import product

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.breakdowns.group_limit import MOST_GROUPS
from api.workflows.adopt_accord import adopt_accord
from tests.support.graphql import answered, put, refused, uid

AT = datetime(2026, 3, 1, tzinfo=UTC)
COMPANIES = MOST_GROUPS + 1
ACME, BOLT, FAIR, ANNA, TEAM, CAR = (uid(number) for number in range(1, 7))
RECORD_DIMENSIONS = ("campaign", "owner", "team", "company", "pipeline", "pipelineStage", "product")


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        names = ("Acme", "Bolt", *(f"Firm {number}" for number in range(3, COMPANIES + 1)))
        ids = (ACME, BOLT, *(uid(1000 + number) for number in range(3, COMPANIES + 1)))
        for key, name in zip(ids, names, strict=True):
            await put(session, "company", {"id": key, "name": name, "effective_at": AT})
        await put(session, "campaign", {"id": FAIR, "name": "Fair", "type": "EVENT", "channel": "EVENT"})
        await put(session, "team", {"id": TEAM, "name": "North", "kind": "SALES"})
        await put(session, "member", {"id": ANNA, "name": "Anna", "team_id": TEAM})
        await put(session, "product", {"id": CAR, "name": "Car"})
        for number, name in enumerate(("New", "More"), start=11):
            await put(session, "pipeline", {"id": uid(number), "name": name})
            stage = {"pipeline_id": uid(number), "name": "Won", "rank": 1, "category": "WON"}
            await put(session, "pipeline_stage", {"id": uid(number + 10), **stage})
        links = {"primary_campaign_id": FAIR, "owner_id": ANNA, "product_id": CAR, "pipeline_stage_id": uid(21)}
        for number, company in enumerate((*ids, None), start=5000):
            deal = {"id": uid(number), "outcome": "WON", "closed_at": AT, "effective_at": AT, "company_id": company}
            others = links if company in (ACME, BOLT) else {"pipeline_stage_id": uid(22)}
            await put(session, "deal", {**deal, **others})
        for number, (company, country) in enumerate(product((ACME, BOLT, None), ("DE", "FR", None)), start=3000):
            person = {"id": uid(number), "company_id": company, "country": country, "effective_at": AT}
            await put(session, "contact", person)
            await put(
                session,
                "touchpoint",
                {
                    "id": uid(number + 1000),
                    "contact_id": uid(number),
                    "kind": "FORM",
                    "direction": "INBOUND",
                    "occurred_at": AT,
                },
            )
        await evaluate(session)
    return module_database


@pytest.mark.parametrize("dimension", RECORD_DIMENSIONS)
async def test_the_id_of_a_group_selects_it_and_fetches_its_record(world: Database, dimension: str) -> None:
    word = "PIPELINE_STAGE" if dimension == "pipelineStage" else dimension.upper()
    some = '{ or: [{ company: { named: ["Acme", "Bolt"] } }, { company: { isNull: true } }] }'
    document = f"{{ kpi(key: DEALS_WON, by: [{word}], where: {some}) {{ n breakdown {{ n keys {{ id }} }} }} }}"
    found = (await answered(world, document))["kpi"]
    assert (found["n"], sum(group["n"] for group in found["breakdown"])) == (3, 3)
    groups = [(group["keys"][0]["id"], group["n"]) for group in found["breakdown"] if group["keys"][0]["id"]]
    assert groups
    again = f"""query ($id: ID!) {{ node(id: $id) {{ id }}
      one: kpi(key: DEALS_WON, where: {{ and: [{some}, {{ {dimension}: {{ eq: $id }} }}] }}) {{ n }}
      list: kpi(key: DEALS_WON, where: {{ and: [{some}, {{ {dimension}: {{ in: [$id] }} }}] }}) {{ n }} }}"""
    for key, n in groups:
        assert await answered(world, again, id=key) == {"node": {"id": key}, "one": {"n": n}, "list": {"n": n}}


async def test_stages_of_the_same_name_are_two_groups_and_one_name(world: Database) -> None:
    document = """{ by: kpi(key: DEALS_WON, by: [PIPELINE_STAGE]) { breakdown { n keys { id label } } }
      named: kpi(key: DEALS_WON, where: { pipelineStage: { named: "Won" } }) { n }
      both: kpi(key: DEALS_WON, by: [PIPELINE, PIPELINE_STAGE]) { breakdown { n keys { label } } } }"""
    found = await answered(world, document)
    assert [(group["keys"][0]["label"], group["n"]) for group in found["by"]["breakdown"]] == [
        ("Won", COMPANIES - 1),
        ("Won", 2),
    ]
    assert found["named"]["n"] == COMPANIES + 1
    labels = [[key["label"] for key in group["keys"]] for group in found["both"]["breakdown"]]
    assert labels == [["More", "Won"], ["New", "Won"]]


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ('campaign: { eq: "nope" }', "'nope' is not an id"),
        (f'campaign: {{ in: ["campaign_{FAIR}", "member_{ANNA}"] }}', "is not an id of a Campaign"),
        (f'company: {{ eq: "{ACME}" }}', "is not an id"),
    ],
)
async def test_what_is_no_id_of_the_record_is_refused(world: Database, where: str, message: str) -> None:
    error = await refused(world, f"{{ kpi(key: DEALS_WON, where: {{ {where} }}) {{ n }} }}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert message in error.message


async def test_an_unknown_record_of_a_closed_set_is_refused_and_a_company_says_nothing(world: Database) -> None:
    for where in (f'campaign: {{ eq: "campaign_{uid(99)}" }}', 'campaign: { named: "Fare" }'):
        error = await refused(world, f"{{ kpi(key: DEALS_WON, where: {{ {where} }}) {{ n }} }}")
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.UNKNOWN_VALUE
    document = "{ kpi(key: DEALS_WON, where: { company: { %s } }) { n warnings { code } } }"
    unknown = (await answered(world, document % f'eq: "company_{uid(99)}"'))["kpi"]
    assert (unknown["n"], [warning["code"] for warning in unknown["warnings"]]) == (0, [])
    misspelt = (await answered(world, document % 'named: "Acm"'))["kpi"]
    assert (misspelt["n"], [warning["code"] for warning in misspelt["warnings"]]) == (0, ["UNKNOWN_VALUE"])


async def test_a_breakdown_of_too_many_groups_is_refused_with_their_number(world: Database) -> None:
    groups = COMPANIES + 1  # and the deal without a company
    error = await refused(world, "{ kpi(key: DEALS_WON, by: [COMPANY], grain: MONTH) { breakdown { n } } }")
    assert isinstance(error, AccordError)
    assert (error.code, error.message) == (
        ErrorCode.TOO_MANY_GROUPS,
        f"The breakdown by COMPANY has {groups} groups. The limit is {MOST_GROUPS}.",
    )
    assert "`where`" in error.remedy
    some = 'where: { not: { company: { named: ["Acme", "Bolt"] } } }'
    found = await answered(world, f"{{ kpi(key: DEALS_WON, by: [COMPANY], {some}) {{ breakdown {{ n }} }} }}")
    assert len(found["kpi"]["breakdown"]) == groups - 2 == MOST_GROUPS


async def test_a_funnel_by_two_dimensions_adds_up(world: Database) -> None:
    document = """{ funnel(by: [COMPANY, COUNTRY]) { stages { reached entered }
      breakdown { keys { dimension label } stages { reached entered } } } }"""
    found = (await answered(world, document))["funnel"]
    labels = [tuple(key["label"] for key in group["keys"]) for group in found["breakdown"]]
    assert labels == [*product(("(empty)", "Acme", "Bolt"), ("(empty)", "DE", "FR"))]
    for place, step in enumerate(found["stages"]):
        for figure in ("reached", "entered"):
            assert sum(group["stages"][place][figure] for group in found["breakdown"]) == step[figure]
    assert found["stages"][0]["reached"] == 9
    error = await refused(world, "{ funnel(by: [COMPANY, COUNTRY, OWNER, TEAM]) { stages { reached } } }")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
