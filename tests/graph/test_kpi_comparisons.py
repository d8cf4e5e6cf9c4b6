"""`compareTo` in GraphQL: earlier periods, versions of the accord and targets, with the records behind both sides."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from tests.golden import world
from tests.support.accords import add_version, replace_document
from tests.support.graphql import answered, executed, put, refused, uid

DOCUMENT = """query (
  $key: KpiKey!, $period: PeriodInput, $by: [KpiDimension!], $grain: TimeGrain, $to: KpiCompareTo!, $s: KpiSwitches
) {
  kpi(key: $key, period: $period, by: $by, grain: $grain, compareTo: $to, switches: $s) {
    id value currency
    comparison {
      comparedTo isToDate value change relativeChange
      period { from before isOver } accords { version }
      series { period from before value change records { totalCount } }
      breakdown { keys { label } value change mix rate records { totalCount } series { period value change } }
      drivers { value { volume mix rate } numerator { volume mix rate } }
      records { totalCount edges { node { ... on Contact { email } } } }
      warnings { code count }
    }
    targets { value team summedFrom attainment pace { expected } forecast { value } }
  }
}"""


async def kpi(database: Database, key: str, period: object, to: object, **more: object) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (await answered(database, DOCUMENT, key=key, period=period, to=to, **more))["kpi"]
    return found


def quarter(start: str, before: str) -> dict[str, object]:
    return {"range": {"from": start, "before": before}}


@pytest.fixture
async def golden(database: Database) -> Database:
    async with database.write() as session:
        await world.load(session)
        await evaluate(session)
    return database


async def test_an_earlier_period_has_its_own_records_in_every_figure(golden: Database) -> None:
    to = {"previousPeriod": "TO_DATE"}
    found = await kpi(golden, "MQLS", {"named": "2025-Q4"}, to, by=["CHANNEL"], grain="MONTH")
    assert found["comparison"]["period"] == {"from": "2025-07-01", "before": "2025-10-01", "isOver": True}
    assert found["comparison"]["value"] is None  # before the data begin
    found = await kpi(golden, "MQLS", {"named": "2026-02"}, to, by=["CHANNEL"], grain="MONTH")
    compared = found["comparison"]
    assert (compared["comparedTo"], compared["isToDate"], compared["drivers"]) == ("PREVIOUS_PERIOD", False, None)
    assert (found["value"], compared["value"], compared["change"]) == ("2", "3", "-1")
    assert (compared["relativeChange"], compared["warnings"][0]["code"]) == ("-0.333333", "UNEQUAL_PERIODS")
    assert compared["records"]["totalCount"] == len(compared["records"]["edges"]) == 3
    assert [(bucket["period"], bucket["records"]["totalCount"]) for bucket in compared["series"]] == [("2026-01", 3)]
    [group] = compared["breakdown"]
    assert (group["keys"], group["value"], group["records"]["totalCount"]) == ([{"label": "Website"}], "3", 3)
    # A group that the earlier period does not have counts 0 there, and has no list of records; and the other way round.
    spring = await kpi(golden, "MQLS", {"named": "2026-Q2"}, to, by=["CHANNEL"])
    gone = spring["comparison"]["breakdown"]
    assert (spring["value"], [(group["value"], group["change"]) for group in gone]) == ("0", [("7", "-7")])


async def test_requests_of_several_kpis_are_compared_each_by_its_own(golden: Database) -> None:
    requests = [
        {"key": "MQLS", "period": {"named": "2026-Q2"}, "compareTo": {"previousPeriod": "WHOLE"}},
        {"key": "MQLS", "period": {"named": "2026-Q1"}},
        {"key": "MQLS", "compareTo": {"previousPeriod": "WHOLE"}},
    ]
    document = "query ($r: [KpiRequest!]!) { kpis(requests: $r) { value comparison { value } } }"
    found = await executed(golden, document, r=requests)
    first, second, third = found.data["kpis"]
    assert first["comparison"]["value"] == second["value"]
    assert second["comparison"] is None
    assert third is None
    assert found.errors is not None
    assert isinstance(found.errors[0].original_error, AccordError)
    assert found.errors[0].original_error.code is ErrorCode.BAD_PERIOD


async def test_an_answer_can_be_fetched_by_its_id_with_its_comparison(golden: Database) -> None:
    answer = "... on KpiAnswer { value comparison { value period { from } } }"
    document = f"query ($id: ID!) {{ node(id: $id) {{ id {answer} }} }}"
    for to in (
        {"previousPeriod": "TO_DATE"},
        {"previousPeriod": "SAME_AGE"},
        {"samePeriodLastYear": "WHOLE"},
        {"target": True},
    ):
        asked = await kpi(golden, "MQLS", {"named": "2026-Q2"}, to)
        again = (await answered(golden, document, id=asked["id"]))["node"]
        assert again["id"] == asked["id"]
        assert again["value"] == asked["value"]
        assert again["comparison"]["value"] == asked["comparison"]["value"]
        assert again["comparison"]["period"]["from"] == asked["comparison"]["period"]["from"]


async def test_a_target_must_be_true(golden: Database) -> None:
    error = await refused(golden, DOCUMENT, key="MQLS", to={"target": False})
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


def strict() -> Accord:
    """The accord of the example, but for a qualified lead that takes three touches within 90 days."""
    document = world.accord().model_dump(mode="json")
    mql = next(stage for stage in document["stages"] if stage["key"] == "mql")
    mql["rule"] = {"touches": {"direction": "INBOUND", "at_least": 3, "within": "90 days"}}
    return Accord.model_validate(document | {"title": "Three touches"})


async def test_another_version_of_the_accord_decides_the_same_days(database: Database) -> None:
    async with database.write() as session:
        await world.load(session)
        await add_version(session, strict(), 2)
        await evaluate(session)
    period = quarter("2026-01-01", "2026-04-01")
    own_facts = {"skip": "EXCLUDE"}
    # Nobody has read by the other version before: the request has it evaluated.
    found = await kpi(database, "MQLS", period, {"accordVersion": 2}, grain="MONTH", s=own_facts)
    switches = {**own_facts, "reading": "PINNED", "accordVersion": 2}
    pinned = "query ($p: PeriodInput, $s: KpiSwitches) { kpi(key: MQLS, period: $p, switches: $s) { value } }"
    alone = (await answered(database, pinned, p=period, s=switches))["kpi"]["value"]
    compared = found["comparison"]
    assert compared["value"] == alone != found["value"]
    assert int(compared["change"]) == int(found["value"]) - int(alone)
    assert compared["accords"] == [{"version": 2}]
    assert [bucket["period"] for bucket in compared["series"]] == ["2026-01", "2026-02", "2026-03"]
    # Buckets of all history stand beside those of the same month, wherever either side begins.
    history = await kpi(database, "MQLS", None, {"accordVersion": 2}, grain="MONTH")
    own = "{ kpi(key: MQLS, grain: MONTH) { series { period value } } }"
    for bucket, counterpart in zip(
        (await answered(database, own))["kpi"]["series"], history["comparison"]["series"], strict=False
    ):
        assert counterpart["period"] in (bucket["period"], None)
    error = await refused(database, DOCUMENT, key="DEALS_WON", to={"accordVersion": 2})
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    unknown = await refused(database, DOCUMENT, key="MQLS", to={"accordVersion": 9})
    assert isinstance(unknown, AccordError)


async def test_amounts_of_two_currencies_are_not_compared(database: Database) -> None:
    document = read_accord("standard").model_dump(mode="json", exclude_none=True)
    del document["reporting"]["currency"]
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await replace_document(session, document)
        for number, month, currency in ((1, 3, "EUR"), (2, 4, "USD")):
            at = datetime(2026, month, 5, tzinfo=UTC)
            sale = {"id": uid(number), "outcome": "WON", "closed_at": at, "effective_at": at}
            await put(session, "deal", sale | {"amount": 10, "currency": currency})
    april = {"named": "2026-04"}
    for key in ("REVENUE_WON", "WIN_RATE_VALUE"):
        error = await refused(database, DOCUMENT, key=key, period=april, to={"previousPeriod": "WHOLE"})
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.MIXED_CURRENCIES
        assert "USD" in error.message
        assert "EUR" in error.message
    # A period without amounts has none to mix.
    march = await kpi(database, "REVENUE_WON", {"named": "2026-03"}, {"previousPeriod": "WHOLE"})
    assert (march["value"], march["comparison"]["value"]) == ("10.00", None)  # before the data begin
