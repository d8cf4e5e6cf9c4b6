"""Deals imported without a history of their stages: what KPIs and lists of a past instant take from them, and say."""

from decimal import Decimal
from pathlib import Path

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.importers.run_import import run_import
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches, Where
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain
from tests.importers.conftest import at
from tests.support.graphql import answered

MAY = named_period("2020-05")
EXPORT = "Record ID,Deal Name,Deal Stage,Pipeline,Amount,Currency,Create Date,Close Date,Is Closed Won,Is closed lost,Deal probability\n"
OPEN = "1,Open,Offer,Sales,1000,EUR,2020-02-01 09:00,2030-01-01 00:00,false,false,0.4\n"
WON = "2,Won in July,Signed,Sales,5000,EUR,2020-03-01 09:00,2020-07-14 00:00,true,false,1.0\n"
LOST = "3,Lost in July,Gone,Sales,700,EUR,2020-03-02 09:00,2020-07-15 00:00,false,true,0.0\n"
LATE = "4,Imported late,Signed,Sales,9000,EUR,2020-04-01 09:00,2020-08-01 00:00,true,false,1.0\n"
# The tables of HubSpot's API, with its optional history of stages.
TABLES = {
    "contact_data.csv": "id,_fivetran_deleted,_fivetran_synced,property_email,property_firstname,property_lastname,property_createdate\n9,false,2023-01-02 00:00:00,a@x.example,A,B,2020-01-01 09:00:00\n",
    "deal_pipeline_data.csv": "pipeline_id,label\nsales,Sales\n",
    "deal_pipeline_stage_data.csv": """stage_id,pipeline_id,label,display_order,probability,closed_won,is_closed
s1,sales,Offer,0,0.4,false,false
s2,sales,Signed,1,1.0,true,true
""",
    "deal_data.csv": """deal_id,is_deleted,_fivetran_synced,deal_pipeline_stage_id,property_dealname,property_amount,property_deal_currency_code,property_closedate,property_createdate
1,false,2023-01-02 00:00:00,s1,Open,1000,EUR,2030-01-01 00:00:00,2020-02-01 09:00:00
2,false,2023-01-02 00:00:00,s2,Won in July,5000,EUR,2020-07-14 00:00:00,2020-03-01 09:00:00
""",
}
STAGES = """deal_id,date_entered,value
1,2020-02-01 09:00:00,s1
2,2020-03-01 09:00:00,s1
2,2020-07-14 00:00:00,s2
"""
# ruff: noqa: E501 - headers of files are as long as they are


async def imported(database: Database, folder: Path, deals: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / "deals.csv").write_text(EXPORT + deals)
    await run_import(database, "hubspot-export", folder)


async def kpi(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request])
    assert isinstance(found, KpiAnswer), found
    return found


def warned(answer: KpiAnswer) -> dict[WarningCode, str]:
    shown = (WarningCode.UNKNOWN_PROBABILITY, WarningCode.UNKNOWN_AMOUNT, WarningCode.HISTORY_ASSUMED)
    return {warning.code: warning.message for warning in answer.warnings if warning.code in shown}


async def test_the_weighted_pipeline_does_not_know_what_was_won_and_lost_later(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, tmp_path, OPEN + WON + LOST)
    found = await kpi(database, KpiRequest("weighted_pipeline", MAY))
    assert (found.value, found.n) == (Decimal("400.00"), 1)
    assert warned(found) == {
        WarningCode.UNKNOWN_PROBABILITY: "2 deals have no known probability of winning and cannot be in the value.",
        WarningCode.HISTORY_ASSUMED: "1 of 1 deals stands on an assumed history: the source has no values of that time,"
        " so those of a later import are used.",
    }
    # One more row, of a deal that was won later, does not change the past.
    await imported(database, tmp_path, OPEN + WON + LOST + LATE)
    late = await kpi(database, KpiRequest("weighted_pipeline", MAY))
    assert (late.value, late.n) == (Decimal("400.00"), 1)
    assert warned(late)[WarningCode.UNKNOWN_PROBABILITY].startswith("3 deals have")


async def test_the_amounts_of_later_closed_deals_are_in_the_open_pipeline(database: Database, tmp_path: Path) -> None:
    await imported(database, tmp_path, OPEN + WON + LOST)
    found = await kpi(database, KpiRequest("open_pipeline", MAY, by=(Dimension.PIPELINE_STAGE,)))
    assert (found.value, found.n) == (Decimal(6700), 3)
    assert warned(found)[WarningCode.HISTORY_ASSUMED].startswith("3 of 3 deals stand on")
    groups = {group.keys[0].label: (group.value, group.n) for group in found.breakdown}
    assert groups == {"(empty)": (Decimal(5700), 2), "Offer": (Decimal(1000), 1)}
    by_pipeline = await kpi(database, KpiRequest("open_pipeline", MAY, by=(Dimension.PIPELINE,)))
    assert {group.keys[0].label: group.n for group in by_pipeline.breakdown} == {"(empty)": 2, "Sales": 1}


async def test_a_series_warns_of_its_past_buckets(database: Database, tmp_path: Path) -> None:
    await imported(database, tmp_path, OPEN + WON + LOST)
    found = await kpi(database, KpiRequest("weighted_pipeline", grain=Grain.MONTH))
    # Since its import, the open deal is in the stage that the source said.
    assert (found.value, found.n) == (Decimal("400.00"), 1)
    assert warned(found) == {
        WarningCode.UNKNOWN_PROBABILITY: "In one bucket of the series, 2 deals have no known probability of winning and"
        " cannot be in the value.",
        WarningCode.HISTORY_ASSUMED: "In one bucket of the series, 1 of 1 deals stands on an assumed history: the source"
        " has no values of that time, so those of a later import are used.",
    }
    assert warned(await kpi(database, KpiRequest("weighted_pipeline"))) == {}


async def test_amounts_at_opening_and_closing_say_how_many_are_assumed(database: Database, tmp_path: Path) -> None:
    await imported(database, tmp_path, OPEN + WON + LOST)
    won = await kpi(database, KpiRequest("revenue_won", named_period("2020")))
    assert (won.value, warned(won)[WarningCode.HISTORY_ASSUMED][:12]) == (Decimal(5000), "1 of 1 deals")
    created = await kpi(database, KpiRequest("pipeline_created", named_period("2020")))
    assert (created.value, warned(created)[WarningCode.HISTORY_ASSUMED][:12]) == (Decimal(6700), "3 of 3 deals")
    # A number of deals reads no history, unless it is broken down or filtered by a value from one.
    assert warned(await kpi(database, KpiRequest("deals_won", named_period("2020")))) == {}
    stage = Where(tests=((Dimension.PIPELINE, ("Sales",)),))
    for request in (
        KpiRequest("deals_won", named_period("2020"), by=(Dimension.PIPELINE,)),
        KpiRequest("deals_won", named_period("2020"), where=stage),
    ):
        found = await kpi(database, request)
        assert (found.n, warned(found)[WarningCode.HISTORY_ASSUMED][:12]) == (1, "1 of 1 deals")


async def test_revenue_has_the_amount_of_the_closing_and_the_pipeline_that_of_before(
    database: Database, tmp_path: Path
) -> None:
    still_open = WON.replace("Signed", "Offer").replace("2020-07-14", "2030-01-01").replace("true", "false")
    await imported(database, tmp_path, OPEN + still_open)
    await imported(database, tmp_path, OPEN + WON.replace("5000,EUR", "8000,EUR"))
    july = await kpi(database, KpiRequest("revenue_won", named_period("2020-07")))
    assert (july.value, july.n) == (Decimal(8000), 1)
    may = await kpi(database, KpiRequest("open_pipeline", MAY))
    assert (may.value, may.n) == (Decimal(6000), 2)
    # A later change of the amount is no part of the closing.
    await imported(database, tmp_path, OPEN + WON.replace("5000,EUR", "9000,EUR"))
    assert (await kpi(database, KpiRequest("revenue_won", named_period("2020-07")))).value == Decimal(8000)


async def test_a_list_as_of_then_has_no_later_stage_and_counts_what_is_assumed(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, tmp_path, OPEN + WON + LOST)
    fields = "name outcome amount { amount } probability closeDate pipelineStage { name }"
    document = (
        "query ($at: DateTime) { deals(asOf: $at, orderBy: [{name: ASC}])"
        f" {{ totalCount assumedCount nodes {{ {fields} }} }} }}"
    )
    then = (await answered(database, document, at="2020-05-31T12:00:00Z"))["deals"]
    unknown = {"outcome": "OPEN", "probability": None, "closeDate": None, "pipelineStage": None}
    assert (then["totalCount"], then["assumedCount"]) == (3, 3)
    assert then["nodes"] == [
        {"name": "Lost in July", "amount": {"amount": "700.00"}, **unknown},
        {
            "name": "Open",
            "outcome": "OPEN",
            "amount": {"amount": "1000.00"},
            "probability": "0.4000",
            "closeDate": "2030-01-01",
            "pipelineStage": {"name": "Offer"},
        },
        {"name": "Won in July", "amount": {"amount": "5000.00"}, **unknown},
    ]
    now = (await answered(database, document, at=None))["deals"]
    assert (now["totalCount"], now["assumedCount"]) == (3, 0)
    assert [deal["pipelineStage"]["name"] for deal in now["nodes"]] == ["Gone", "Offer", "Signed"]
    assert (await answered(database, document, at="9999-01-01T00:00:00Z"))["deals"]["assumedCount"] == 0


@pytest.mark.parametrize("has_stages", [True, False])
async def test_dated_stages_of_the_source_are_used(database: Database, tmp_path: Path, *, has_stages: bool) -> None:
    for name, text in TABLES.items():
        (tmp_path / name).write_text(text)
    if has_stages:
        (tmp_path / "deal_stage_data.csv").write_text(STAGES)
    await run_import(database, "hubspot", tmp_path)
    found = await kpi(database, KpiRequest("weighted_pipeline", MAY))
    # With them, the deal won in July was in the stage Offer in May: 40 % of 6,000.
    assert (found.value, found.n) == ((Decimal("2400.00"), 2) if has_stages else (Decimal("400.00"), 1))
    codes = {WarningCode.HISTORY_ASSUMED, WarningCode.UNKNOWN_PROBABILITY}
    assert set(warned(found)) == (set() if has_stages else codes)
    as_of = Switches(as_of=at("2020-07-14"))
    standing = await kpi(database, KpiRequest("open_pipeline", switches=as_of))
    assert (standing.value, standing.n) == (Decimal(1000), 1)
