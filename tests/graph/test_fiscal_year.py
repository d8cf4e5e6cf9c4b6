"""Fiscal years in GraphQL: periods, buckets and groups by the accord, which the results show."""

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.reporting import Reporting
from tests.support.graphql import answered, put, uid

WON_ON = ("2023-01-31", "2023-02-01", "2023-04-30", "2024-01-31", "2024-02-01")


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Five won deals around the edges of the fiscal year from February 2023, which is named by its first day."""
    reporting = Reporting(timezone="Europe/Berlin", fiscal_year_start_month=2, fiscal_year_named_by="START")
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard").model_copy(update={"reporting": reporting}))
        for number, day in enumerate(WON_ON, start=1):
            # The first and the last minute of the day in Berlin, by turns.
            clock = "23:59:00" if number % 2 else "00:01:00"
            at = await session.value(Sql("select ({}::text || ' Europe/Berlin')::timestamptz", f"{day} {clock}"))
            await put(session, "deal", {"id": uid(number), "outcome": "WON", "closed_at": at, "effective_at": at})
    return module_database


@pytest.mark.parametrize(
    ("named", "value"),
    [("FY2022", "1"), ("FY2023", "3"), ("FY2023-Q1", "2"), ("FY2023-Q4", "1"), ("fy2024", "1"), ("2023", "3")],
)
async def test_a_named_fiscal_period_counts_its_own_days(world: Database, named: str, value: str) -> None:
    document = """query ($named: String!) {
      kpi(key: DEALS_WON, period: {named: $named}, switches: {asOf: "2025-01-01T00:00:00Z"}) { value } }"""
    found = await answered(world, document, named=named)
    assert found["kpi"]["value"] == value


async def test_buckets_have_the_names_of_fiscal_quarters_and_the_result_says_how_they_are_named(
    world: Database,
) -> None:
    document = """{ kpi(key: DEALS_WON, grain: FISCAL_QUARTER, period: {named: "FY2023"},
      switches: {asOf: "2025-01-01T00:00:00Z"}) { series { period value } accords { fiscalYear } } }"""
    found = (await answered(world, document))["kpi"]
    assert [(bucket["period"], bucket["value"]) for bucket in found["series"]] == [
        ("FY2023-Q1", "2"),
        ("FY2023-Q2", "0"),
        ("FY2023-Q3", "0"),
        ("FY2023-Q4", "1"),
    ]
    assert "February 2026 to January 2027 is FY2026." in found["accords"][0]["fiscalYear"]


async def test_deals_are_grouped_by_the_first_day_of_their_fiscal_year(world: Database) -> None:
    document = "{ deals { groupBy(keys: [{closedAt: FISCAL_YEAR}], orderBy: [{key: {closedAt: ASC}}]) { %s } } }"
    found = await answered(world, document % "key { closedAt } count")
    assert [(group["key"]["closedAt"], group["count"]) for group in found["deals"]["groupBy"]] == [
        ("2022-02-01", 1),
        ("2023-02-01", 3),
        ("2024-02-01", 1),
    ]


async def test_the_accord_shows_its_fiscal_year(world: Database) -> None:
    document = "{ accord { reporting { fiscalYearStartMonth fiscalYearNamedBy sentences } } }"
    reporting = (await answered(world, document))["accord"]["reporting"]
    assert (reporting["fiscalYearStartMonth"], reporting["fiscalYearNamedBy"]) == (2, "START")
    assert "February 2026 to January 2027 is FY2026." in reporting["sentences"][1]


async def test_calendar_names_stay_those_of_the_calendar_and_the_answer_says_so(world: Database) -> None:
    document = """query ($named: String!) { kpi(key: DEALS_WON, period: {named: $named},
      switches: {asOf: "2025-01-01T00:00:00Z"}) {
        period { from before timezone isOver } accords { fiscalYear } warnings { code count } } }"""
    calendar = (await answered(world, document, named="2023-Q1"))["kpi"]
    assert calendar["period"] == {
        "from": "2023-01-01", "before": "2023-04-01", "timezone": "Europe/Berlin", "isOver": True
    }  # fmt: skip
    assert "2026-Q1 is January to March 2026" in calendar["accords"][0]["fiscalYear"]
    fiscal = (await answered(world, document, named="FY2023-Q1"))["kpi"]["period"]
    assert (fiscal["from"], fiscal["before"]) == ("2023-02-01", "2023-05-01")
    open_ = (await answered(world, document, named="this-fiscal-year"))["kpi"]
    assert (open_["period"]["from"], open_["period"]["isOver"]) == ("2024-02-01", False)
    assert {"code": "PERIOD_OPEN", "count": 30} in open_["warnings"]
