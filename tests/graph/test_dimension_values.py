"""Dimensions whose values follow from other records, or from the accord: as GraphQL and the command line show them."""

import json
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from api.accord.documents import read_accord
from api.cli import app
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.workflows.adopt_accord import adopt_accord
from tests.support.graphql import answered, put, refused, uid

AT, LATER = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
BOSS, ANNA, BEN, YEAR, FAIR, CAR = (uid(number) for number in range(1, 7))
# The number of employees of the company of each deal; the deal has no company where it is missing.
EMPLOYEES = (10, 11, 1000, 1001, 1001, None, 0)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        members = ((BOSS, "Boss", None), (ANNA, "Anna", BOSS), (BEN, "Ben", None))
        await put(session, "member", *({"id": key, "name": name, "manager_id": by} for key, name, by in members))
        await put(session, "campaign", {"id": YEAR, "name": "Whole year"})
        await put(session, "campaign", {"id": FAIR, "name": "Fair", "type": "Trade fair", "parent_id": YEAR})
        await put(session, "product", {"id": CAR, "name": "Car", "family": "Vehicles"})
        for place, employees in enumerate(EMPLOYEES):
            company = {"id": uid(20 + place), "name": f"Firm {place}", "employees": employees, "effective_at": AT}
            await put(session, "company", company)
            deal = {"id": uid(40 + place), "company_id": uid(20 + place), "outcome": "WON", "closed_at": AT}
            kind = {0: "RENEWAL", 1: "NEW"}.get(place, "NEW" if place > 4 else None)
            more = {"type": kind, "amount": 5, "currency": "SEK" if place else "EUR", "effective_at": AT}
            links = (
                {"product_id": CAR, "primary_campaign_id": FAIR, "owner_id": ANNA} if place < 2 else {"owner_id": BEN}
            )
            await put(session, "deal", {**deal, **more, **links})
        person = {"email_kind": "BUSINESS", "source_detail": "Booth 12", "company_id": uid(20)}
        await put(session, "contact", {"id": uid(60), "owner_id": ANNA, "effective_at": AT, **person})
        touch = {"kind": "FORM", "direction": "INBOUND", "occurred_at": AT, "campaign_id": FAIR}
        await put(session, "touchpoint", {"id": uid(61), "contact_id": uid(60), **touch})
        # A company that grows later: a deal has the size that it had.
        await session.script(f"update company set employees = 90, effective_at = '{LATER}' where name = 'Firm 0'")
        await evaluate(session)
    return module_database


async def groups(database: Database, key: str, dimension: str) -> list[tuple[str | None, str, int]]:
    document = f"{{ kpi(key: {key}, by: [{dimension}]) {{ answeredFrom breakdown {{ n keys {{ value label }} }} }} }}"
    found = (await answered(database, document))["kpi"]
    assert found["answeredFrom"] == "JOURNEYS"
    return [(group["keys"][0]["value"], group["keys"][0]["label"], group["n"]) for group in found["breakdown"]]


async def test_sizes_are_in_the_order_of_the_bands(world: Database) -> None:
    assert await groups(world, "DEALS_WON", "COMPANY_SIZE") == [
        ("1-10", "1\u201310", 1),
        ("11-50", "11\u201350", 1),
        ("251-1000", "251\u20131,000", 1),
        ("1001+", "above 1,000", 2),
        (None, "(empty)", 2),
    ]


@pytest.mark.parametrize(
    ("dimension", "expected"),
    [
        ("DEAL_TYPE", [("NEW", "New", 3), (None, "(empty)", 3), ("RENEWAL", "Renewal", 1)]),
        ("CURRENCY", [("SEK", "SEK", 6), ("EUR", "EUR", 1)]),
        ("PRODUCT_FAMILY", [(None, "(empty)", 5), ("Vehicles", "Vehicles", 2)]),
        ("CAMPAIGN_TYPE", [(None, "(empty)", 5), ("Trade fair", "Trade fair", 2)]),
        ("PARENT_CAMPAIGN", [(None, "(empty)", 5), ("Whole year", "Whole year", 2)]),
        ("MANAGER", [(None, "(empty)", 5), ("Boss", "Boss", 2)]),
    ],
)
async def test_what_is_known_of_a_deal_through_another_record(
    world: Database, dimension: str, expected: list[tuple[str | None, str, int]]
) -> None:
    found = await groups(world, "DEALS_WON", dimension)
    assert sorted(found, key=str) == sorted(expected, key=str)


@pytest.mark.parametrize(
    ("dimension", "value"),
    [
        ("COMPANY_SIZE", "1-10"),
        ("CAMPAIGN_TYPE", "Trade fair"),
        ("PARENT_CAMPAIGN", "Whole year"),
        ("MANAGER", "Boss"),
    ],
)
async def test_what_is_known_of_a_person_through_another_record(world: Database, dimension: str, value: str) -> None:
    [(found, _, n)] = await groups(world, "INQUIRIES", dimension)
    assert (found, n) == (value, 1)


async def test_stages_are_grouped_as_the_accord_groups_them(world: Database) -> None:
    assert await groups(world, "STAGE_VOLUME", "STAGE_GROUP") == [("Suspect", "Suspect", 2)]
    document = '{ kpi(key: STAGE_VOLUME, where: { stageGroup: { eq: "suspect" } }) { n } }'
    assert await answered(world, document) == {"kpi": {"n": 2}}


@pytest.mark.parametrize(
    ("where", "n"),
    [
        ('companySize: { in: ["1-10", "1001+"] }', 3),
        ('companySize: { eq: "above 1,000" }', 2),
        ('companySize: { eq: "251\u20131,000" }', 1),
        ("companySize: { isNull: true }", 2),
        ('dealType: { eq: "new" }', 3),
        ('currency: { eq: "eur" }', 1),
        ('productFamily: { eq: "Vehicles" }', 2),
        ('campaignType: { eq: "Trade fair" }', 2),
        ('parentCampaign: { named: "Whole year" }', 2),
        ('not: { manager: { named: "Boss" } }', 5),
    ],
)
async def test_a_filter_takes_the_values_that_answers_show(world: Database, where: str, n: int) -> None:
    assert await answered(world, f"{{ kpi(key: DEALS_WON, where: {{ {where} }}) {{ n }} }}") == {"kpi": {"n": n}}


@pytest.mark.parametrize(
    ("where", "near"),
    [
        ('companySize: { eq: "11-51" }', "11-50"),
        ('dealType: { eq: "RENEWL" }', "RENEWAL"),
        ('currency: { eq: "EURO" }', "EUR"),
        ('manager: { named: "Bos" }', "Boss"),
    ],
)
async def test_a_value_that_there_is_not_is_refused_with_the_nearest(world: Database, where: str, near: str) -> None:
    error = await refused(world, f"{{ kpi(key: DEALS_WON, where: {{ {where} }}) {{ n }} }}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.UNKNOWN_VALUE
    assert near in str(error.remedy)


async def test_the_family_of_a_product_that_there_never_was_is_warned_of(world: Database) -> None:
    document = '{ kpi(key: DEALS_WON, where: { productFamily: { eq: "Vehicle" } }) { n warnings { code message } } }'
    found = (await answered(world, document))["kpi"]
    assert found["n"] == 0
    assert ("UNKNOWN_VALUE", True) in [(one["code"], "Vehicles" in one["message"]) for one in found["warnings"]]


@pytest.mark.usefixtures("world")
def test_the_command_line_knows_them(module_dsn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", module_dsn)
    words = ("kpi", "deals_won", "--by", "company-size", "--where", "deal_type=NEW", "--json")
    result = CliRunner().invoke(app, [*words])
    assert result.exit_code == 0, result.exception
    shown = [(group["keys"][0]["label"], group["n"]) for group in json.loads(result.output)["breakdown"]]
    assert shown == [("11\u201350", 1), ("(empty)", 2)]


async def test_columns_that_are_dimensions_are_answered_from_facts(world: Database) -> None:
    """The value is that of the counted instant, and a word of a vocabulary is written in any case."""
    async with world.write() as session:
        await session.script(f"update contact set source_detail = 'Page', effective_at = '{LATER}'")
    document = """{
      kind: kpi(key: INQUIRIES, by: [CONTACT_EMAIL_KIND]) { answeredFrom breakdown { n keys { value label } } }
      detail: kpi(key: INQUIRIES, by: [CONTACT_SOURCE_DETAIL]) { breakdown { n keys { value } } }
      only: kpi(key: INQUIRIES, where: { contactEmailKind: { eq: "business" } }) { n }
      funnel(where: { contactSourceDetail: { eq: "Booth 12" } }) { stages { key reached } }
      unknown: kpi(key: INQUIRIES, where: { contactSourceDetail: { eq: "Booth 13" } }) { n warnings { code } } }"""
    found = await answered(world, document)
    key = {"value": "BUSINESS", "label": "Business"}
    assert found["kind"] == {"answeredFrom": "FACTS", "breakdown": [{"n": 1, "keys": [key]}]}
    assert found["detail"] == {"breakdown": [{"n": 1, "keys": [{"value": "Booth 12"}]}]}
    assert found["only"] == {"n": 1}
    assert found["funnel"]["stages"][1] == {"key": "inquiry", "reached": 1}
    assert found["unknown"]["n"] == 0
    assert {"code": "UNKNOWN_VALUE"} in found["unknown"]["warnings"]


async def test_a_word_that_the_vocabulary_of_the_column_does_not_have_is_refused(world: Database) -> None:
    error = await refused(world, '{ kpi(key: INQUIRIES, where: { contactEmailKind: { eq: "BUISNESS" } }) { n } }')
    assert isinstance(error, AccordError)
    assert (error.code, "BUSINESS" in str(error.remedy)) == (ErrorCode.UNKNOWN_VALUE, True)
    error = await refused(world, "{ kpi(key: INQUIRIES, by: [DEAL_LOST_REASON]) { n } }")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
