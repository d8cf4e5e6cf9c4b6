"""Switches of whole answers by example: a world of test people only, and amounts at the rate of another day."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.request import KpiRequest, Period, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.switch_words import CurrencyRule
from schema.vocab import Currency, Grain, RecordSide
from tests.metrics.test_drill_down import walk
from tests.metrics.test_switches import query
from tests.support.graphql import answered as graphql
from tests.support.graphql import put, uid


async def test_where_all_people_are_excluded_a_request_may_count_them(database: Database) -> None:
    async with database.write() as session:
        at = datetime(2026, 3, 1, tzinfo=UTC)
        await put(session, "contact", {"id": uid(1), "is_test": True, "effective_at": at})
        touch = {"id": uid(2), "contact_id": uid(1), "kind": "FORM", "direction": "INBOUND", "occurred_at": at}
        await put(session, "touchpoint", touch | {"recorded_at": at})
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    document = "query ($out: [ExclusionSwitch!]) { kpi(key: STAGE_VOLUME, switches: {exclusions: $out}) { value } }"
    found = [
        (await graphql(database, document, LOCAL_OPERATOR, out=out))["kpi"]["value"] for out in (None, [], ["TEST"])
    ]
    assert found[0] is None
    assert int(found[1]) > 0
    assert found[2] is None


async def test_amounts_of_buckets_are_at_the_rate_of_the_end_of_the_whole_period(database: Database) -> None:
    rates = {
        date(2026, 1, 1): "0.5",
        date(2026, 2, 10): "0.8",
        date(2026, 3, 20): "0.9",
        date(2026, 4, 1): "5",
        date(2026, 5, 1): "2",
    }
    async with database.write() as session:
        for place, (day, rate) in enumerate(rates.items()):
            row = {"id": uid(50 + place), "currency": "USD", "quote_currency": "EUR", "rate_on": day}
            await put(session, "exchange_rate", row | {"rate": Decimal(rate)})
        for month in (1, 2, 3):
            closed = datetime(2026, month, 15, tzinfo=UTC)
            deal = {"id": uid(month), "outcome": "WON", "opened_at": closed - timedelta(days=3), "closed_at": closed}
            await put(session, "deal", deal | {"amount": Decimal(100), "currency": "USD", "effective_at": closed})
        await adopt_accord(session, read_accord("standard"))
    period, as_of = Period(date(2026, 1, 1), date(2026, 4, 1)), datetime(2026, 6, 1, tzinfo=UTC)
    expected: dict[CurrencyRule, list[int | None]] = {
        CurrencyRule.TRANSACTION_DATE: [50, 80, 80],
        CurrencyRule.PERIOD_END: [90, 90, 90],
        CurrencyRule.AS_OF: [200, 200, 200],
        CurrencyRule.UNCONVERTED: [None, None, None],
    }
    for rule, months in expected.items():
        switches = Switches(currency_rule=rule, as_of=as_of)
        async with database.read() as session:
            answer = await query(session, KpiRequest("revenue_won", period, Grain.MONTH, switches=switches))
            records = [
                [record.value for record in await walk(session, bucket.drill_down, RecordSide.BASE, size=9)]
                for bucket in answer.series
            ]
        assert [bucket.value for bucket in answer.series] == months
        assert records == [[value] for value in months]
        assert answer.value == (None if months[0] is None else sum(value or 0 for value in months))
        assert [(part.currency, part.value) for part in answer.apart] == (
            [(Currency.USD, Decimal(300))] if months[0] is None else []
        )
        assert (f"currencyRule={rule.value}" in answer.overrides) == (rule is not CurrencyRule.TRANSACTION_DATE)
