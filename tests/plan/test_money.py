"""Money in lists: bare amounts of several currencies have no order, converted ones equal those of the KPIs."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import Reach
from tests.support.graphql import answered, code_of, executed, put, refused, uid, with_personal_data

ANNA, BEN, ACME, BOLT = uid(1), uid(2), uid(11), uid(12)
CLOSED = datetime(2026, 5, 5, 12, tzinfo=UTC)
BEFORE = datetime(2026, 5, 1, tzinfo=UTC)
NAMES = "{ deals(%s) { nodes { name } } }"


def deal(number: int, name: str, amount: str | None, currency: str | None, **row: object) -> dict[str, object]:
    found = {"id": uid(100 + number), "name": name, "amount": amount and Decimal(amount), "currency": currency}
    return {"effective_at": BEFORE, "owner_id": ANNA, "company_id": ACME} | found | row


def won(number: int, name: str, amount: str, currency: str, **row: object) -> dict[str, object]:
    return deal(number, name, amount, currency, outcome="WON", closed_at=CLOSED, **row)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    """Deals in dollars, kronor, pounds and Swiss francs; the reporting currency is the euro."""
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await put(session, "member", {"id": ANNA, "name": "Anna"}, {"id": BEN, "name": "Ben"})
        await put(session, "company", {"id": ACME, "name": "Acme"}, {"id": BOLT, "name": "Bolt"})
        rates = [
            ("USD", "EUR", "2026-05-01", "0.9"),
            ("USD", "EUR", "2026-06-01", "0.5"),
            ("SEK", "EUR", "2026-05-01", "0.1"),
            ("EUR", "GBP", "2026-05-01", "0.8"),
        ]
        for number, (currency, quote, day, rate) in enumerate(rates):
            row = {"currency": currency, "quote_currency": quote, "rate": Decimal(rate)}
            on = datetime.fromisoformat(day).date()
            await put(session, "exchange_rate", {"id": uid(200 + number), "rate_on": on, **row})
        await put(
            session,
            "deal",
            won(1, "dollars", "480600.00", "USD"),
            won(2, "kronor", "860100.00", "SEK"),
            won(3, "pounds", "8.00", "GBP"),
            won(4, "francs", "7.00", "CHF", company_id=BOLT),
            won(5, "unknown", "6.00", "USD") | {"amount": None},
            deal(6, "open dollars", "100.00", "USD"),
            deal(7, "of Ben", "5.00", "USD", owner_id=BEN),
        )
    return module_database


def names(data: Any) -> list[str]:  # noqa: ANN401 - JSON of any shape
    return [node["name"] for node in data["deals"]["nodes"]]


@pytest.mark.parametrize(
    "document",
    [
        NAMES % "orderBy: [{amount: DESC}]",
        NAMES % "first: 1, where: {outcome: {eq: WON}}, orderBy: [{name: ASC}, {amount: DESC}]",
        NAMES % 'where: {amount: {gte: "850000"}}',
        NAMES % 'where: {not: {amount: {lt: "850000"}}}',
        NAMES % 'where: {or: [{currency: {eq: USD}}, {amount: {lt: "850000"}}]}',
        NAMES % 'where: {currency: {in: [USD, SEK]}, amount: {lt: "1"}}',
        '{ companies(where: {deals: {some: {amount: {gt: "1"}}}}) { totalCount } }',
        "{ companies { nodes { deals(orderBy: [{amount: ASC}]) { nodes { name } } } } }",
        "{ dealContacts(orderBy: [{deal: {amount: ASC}}]) { totalCount } }",
        "{ deals { groupBy(keys: [{owner: EACH}], orderBy: [{sum: {amount: DESC}}]) { count } } }",
        '{ deals { groupBy(keys: [{currency: EACH}], having: {sum: {amount: {gt: "1"}}}) { count } } }',
        '{ deals { groupCount(keys: [{owner: EACH}], having: {not: {avg: {amount: {gt: "1"}}}}) } }',
    ],
)
async def test_bare_amounts_of_several_currencies_have_no_order(world: Database, document: str) -> None:
    error = await refused(world, document)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.MIXED_CURRENCIES
    assert "SEK" in error.message
    assert "USD" in error.message
    assert "`amountConverted`" in error.remedy


async def test_bare_amounts_of_one_currency_have_an_order(world: Database) -> None:
    filtered = "where: {currency: {eq: USD}, owner: {name: {eq: Anna}}}, orderBy: [{amount: DESC}]"
    filtered = filtered.replace("eq: Anna", 'eq: "Anna"')
    assert names(await answered(world, NAMES % filtered)) == ["dollars", "open dollars", "unknown"]
    document = "query ($one: Currency) { deals(where: {currency: {eq: $one}, amount: {gt: 6}}) { nodes { name } } }"
    for currency, found in (("USD", ["dollars", "open dollars"]), ("SEK", ["kronor"])):
        outcome = await executed(world, document.replace("gt: 6", 'gt: "6"'), one=currency)
        assert outcome.is_json
        assert names(outcome.data) == found
    pinned = 'where: {or: [{currency: {eq: USD}, amount: {gt: "100"}}, {currency: {in: [SEK]}, amount: {gt: "1"}}]}'
    assert names(await answered(world, NAMES % pinned)) == ["dollars", "kronor"]
    # The rows decide, not the filter: these are in one currency, and so are amounts that are only looked for.
    assert names(await answered(world, NAMES % 'where: {name: {contains: "dollars"}}, orderBy: [{amount: ASC}]')) == [
        "open dollars",
        "dollars",
    ]
    assert names(await answered(world, NAMES % 'where: {amount: {in: ["8", "7"]}}')) == ["pounds", "francs"]
    by_currency = (
        "{ deals { groupBy(keys: [{currency: EACH}], orderBy: [{max: {amount: DESC}}]) { key { currency } } } }"
    )
    groups = (await answered(world, by_currency))["deals"]["groupBy"]
    assert [group["key"]["currency"] for group in groups] == ["CHF", "GBP", "SEK", "USD"]


async def test_currencies_of_hidden_deals_do_not_matter(world: Database) -> None:
    ben = with_personal_data(Reach.OWN, BEN)
    assert names(await answered(world, NAMES % "orderBy: [{amount: DESC}]", ben)) == ["of Ben"]
    outcome = await executed(world, NAMES % "orderBy: [{amount: DESC}]", with_personal_data(Reach.OWN, ANNA))
    assert [code_of(error) for error in outcome.errors or ()] == ["MIXED_CURRENCIES"]


async def test_an_error_concerns_its_own_root_field(world: Database) -> None:
    document = "{ good: deals { totalCount } bad: deals(orderBy: [{amount: DESC}]) { totalCount } }"
    outcome = await executed(world, document)
    assert [(error.path, code_of(error)) for error in outcome.errors or ()] == [(["bad"], "MIXED_CURRENCIES")]


async def test_converted_amounts_are_ordered_and_compared_in_the_reporting_currency(world: Database) -> None:
    document = "{ deals(%s) { nodes { name amountConverted { amount currency } } } }"
    nodes = (await answered(world, document % "orderBy: [{amountConverted: DESC}]"))["deals"]["nodes"]
    assert [(node["name"], node["amountConverted"] and node["amountConverted"]["amount"]) for node in nodes] == [
        ("dollars", "432540.00"),
        ("kronor", "86010.00"),
        ("open dollars", "50.00"),
        ("pounds", "10.00"),
        ("of Ben", "2.50"),
        ("unknown", None),
        ("francs", None),
    ]
    assert {node["amountConverted"]["currency"] for node in nodes[:5]} == {"EUR"}
    between = 'where: {amountConverted: {gt: "10", lt: "90000"}}, orderBy: [{name: ASC}]'
    assert names(await answered(world, NAMES % between)) == ["kronor", "open dollars"]
    # As of an earlier day, open deals are converted at its rate.
    then = 'asOf: "2026-05-20T00:00:00Z", where: {name: {eq: "open dollars"}}'
    [node] = (await answered(world, document % then))["deals"]["nodes"]
    assert node["amountConverted"]["amount"] == "90.00"


async def test_converted_sums_count_what_has_no_rate_and_order_groups(world: Database) -> None:
    document = """{ deals { groupBy(
      keys: [{company: EACH}], orderBy: [{sum: {amountConverted: %s}}], having: {max: {amountConverted: {isNull: %s}}}
    ) { key { company { name } } aggregate { sum { amountConverted { amount currency unconvertedCount } } } } } }"""
    [acme] = (await answered(world, document % ("DESC", "false")))["deals"]["groupBy"]
    total = {"amount": "518612.50", "currency": "EUR", "unconvertedCount": 0}
    assert acme == {"key": {"company": {"name": "Acme"}}, "aggregate": {"sum": {"amountConverted": total}}}
    [bolt] = (await answered(world, document % ("ASC", "true")))["deals"]["groupBy"]
    assert bolt["key"] == {"company": {"name": "Bolt"}}
    assert bolt["aggregate"]["sum"]["amountConverted"] == {"amount": None, "currency": "EUR", "unconvertedCount": 1}


async def test_a_list_and_a_kpi_convert_to_the_same_sum(world: Database) -> None:
    request = KpiRequest("revenue_won", period=named_period("2026-05"))
    async with world.read() as session:
        [revenue] = await query_kpis(session, LOCAL_OPERATOR, [request], now=datetime(2026, 7, 1, tzinfo=UTC))
    assert isinstance(revenue, KpiAnswer)
    document = (
        "{ deals(where: {outcome: {eq: WON}}) { aggregate { sum { amountConverted { amount unconvertedCount } } } } }"
    )
    found = (await answered(world, document))["deals"]["aggregate"]["sum"]["amountConverted"]
    assert Decimal(found["amount"]) == revenue.value == Decimal("518560.00")
    assert found["unconvertedCount"] == 1
