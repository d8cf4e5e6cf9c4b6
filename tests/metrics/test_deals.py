"""KPIs of deals, by examples worked out by hand."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Switches, Where
from api.metrics.resolved_request import MICROSECOND
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Currency, Grain, RecordSide

NOW = datetime(2026, 7, 1, tzinfo=UTC)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}T12:00:00+00:00")


async def adopt(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))


async def deal(
    database: Database, number: int, outcome: str, closed: str, amount: str | None = None, currency: str | None = "EUR"
) -> UUID:
    key = UUID(int=number)
    values = (key, outcome, at(closed), at(closed), Decimal(amount) if amount else None, currency if amount else None)
    names = ["id", "outcome", "closed_at", "effective_at", "amount", "currency"]
    async with database.write() as session:
        await session.copy("deal", names, [values])
    return key


async def query(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    return found


async def test_a_deal_counts_in_the_day_of_the_reporting_zone(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        late = datetime(2026, 4, 30, 23, 30, tzinfo=UTC)
        await session.copy("deal", ["id", "outcome", "closed_at"], [(UUID(int=1), "WON", late)])
    may = KpiRequest("deals_won", period=named_period("2026-05"))
    assert (await query(database, may)).value == 0
    berlin = await query(database, KpiRequest("deals_won", may.period, switches=Switches(timezone="Europe/Berlin")))
    assert berlin.value == 1
    assert berlin.overrides == ("timezone=Europe/Berlin",)


async def test_a_value_of_fewer_than_twenty_rows_is_a_low_sample(database: Database) -> None:
    await adopt(database)
    found = []
    for number in range(1, 21):
        await deal(database, number, "WON", "02-01")
        if number >= 19:
            answer = await query(database, KpiRequest("win_rate"))
            found.append([warning.count for warning in answer.warnings if warning.code is WarningCode.LOW_SAMPLE])
    assert found == [[19], []]


async def test_open_deals_are_neither_in_numerator_nor_denominator_of_the_win_rate(database: Database) -> None:
    await adopt(database)
    await deal(database, 1, "WON", "02-01")
    await deal(database, 2, "LOST", "02-02")
    await deal(database, 3, "LOST", "02-03")
    async with database.write() as session:
        await session.copy("deal", ["id", "opened_at"], [(UUID(int=4), at("02-01"))])
    found = await query(database, KpiRequest("win_rate", grain=Grain.MONTH))
    assert [found.numerator, found.denominator] == [Decimal(1), Decimal(3)]
    assert [(bucket.n, bucket.value is None) for bucket in found.series] == [(3, False), *[(0, True)] * 5]
    assert [warning.code for warning in found.warnings] == [WarningCode.LOW_SAMPLE]


async def test_a_win_rate_of_no_closed_deals_is_null_with_a_warning(database: Database) -> None:
    await adopt(database)
    found = await query(database, KpiRequest("win_rate"))
    assert found.value is None
    assert [warning.code for warning in found.warnings] == [WarningCode.ZERO_DENOMINATOR]


async def test_a_deal_won_again_counts_at_its_last_win_and_before_it_as_of_then(
    database: Database,
) -> None:
    await adopt(database)
    key = await deal(database, 1, "LOST", "02-01")
    async with database.write() as session:
        reopen = "update deal set outcome = 'OPEN', closed_at = null, effective_at = {} where id = {}"
        await session.run(Sql(reopen, at("03-01"), key))
        win = "update deal set outcome = 'WON', closed_at = {}, effective_at = {} where id = {}"
        await session.run(Sql(win, at("04-01"), at("04-01"), key))
    now = await query(database, KpiRequest("win_rate"))
    assert [now.numerator, now.denominator] == [Decimal(1), Decimal(1)]
    seen: list[tuple[object, int]] = []
    for as_of in ("02-01", "02-15", "03-01", "04-01"):
        then = await query(database, KpiRequest("win_rate", switches=Switches(as_of=at(as_of))))
        seen.append((then.numerator, then.n))
    assert seen == [(0, 1), (0, 1), (0, 0), (1, 1)]


async def test_deleted_deals_and_deals_of_test_contacts_alone_never_count(database: Database) -> None:
    await adopt(database)
    for number in (1, 2, 3):
        await deal(database, number, "WON", "02-01")
    real, test = UUID(int=11), UUID(int=12)
    async with database.write() as session:
        await session.run(Sql("update deal set deleted_at = now() where id = {}", UUID(int=1)))
        await session.copy("contact", ["id", "is_test"], [(real, False), (test, True)])
        roles = [(test, UUID(int=2)), (test, UUID(int=3)), (real, UUID(int=3))]
        await session.copy("deal_contact", ["contact_id", "deal_id"], roles)
    assert (await query(database, KpiRequest("deals_won"))).value == 1


async def test_dimensions_of_a_deal_have_the_values_at_the_closing(database: Database) -> None:
    await adopt(database)
    pipeline, step, owner, later, buyer = (UUID(int=number) for number in range(21, 26))
    async with database.write() as session:
        await session.copy("pipeline", ["id", "name"], [(pipeline, "New business")])
        stage = (step, pipeline, "Closed", 1, "WON")
        await session.copy("pipeline_stage", ["id", "pipeline_id", "name", "rank", "category"], [stage])
        await session.copy("member", ["id", "name"], [(owner, "Ada"), (later, "Ben")])
        await session.copy("company", ["id", "name", "country", "effective_at"], [(buyer, "Acme", "DE", at("01-01"))])
    key = await deal(database, 1, "WON", "02-01")
    await deal(database, 2, "WON", "02-02")
    async with database.write() as session:
        first = "update deal_version set owner_id = {}, company_id = {}, pipeline_stage_id = {} where deal_id = {}"
        await session.run(Sql(first, owner, buyer, step, key))
        await session.run(
            Sql("update deal set owner_id = {}, effective_at = {} where id = {}", later, at("03-01"), key)
        )
    shown = {}
    for dimension in (Dimension.OWNER, Dimension.PIPELINE, Dimension.COUNTRY, Dimension.TEAM):
        found = await query(database, KpiRequest("deals_won", by=(dimension,)))
        shown[dimension] = [(group.keys[0].id, group.keys[0].label, group.n) for group in found.breakdown]
    assert shown == {
        Dimension.OWNER: [(None, "(empty)", 1), (f"member_{owner}", "Ada", 1)],
        Dimension.PIPELINE: [(None, "(empty)", 1), (f"pipeline_{pipeline}", "New business", 1)],
        Dimension.COUNTRY: [(None, "(empty)", 1), (None, "DE", 1)],
        Dimension.TEAM: [(None, "(empty)", 2)],
    }
    for value in ("New business", f"pipeline_{pipeline}", str(pipeline)):
        where = Where(tests=((Dimension.PIPELINE, (value,)),))
        assert (await query(database, KpiRequest("deals_won", where=where))).value == 1
    with pytest.raises(AssertionError, match="is no pipeline"):
        await query(database, KpiRequest("deals_won", where=Where(tests=((Dimension.PIPELINE, (f"deal_{key}",)),))))


async def test_a_sum_adds_known_amounts_and_warns_of_unknown_ones(database: Database) -> None:
    await adopt(database)
    await deal(database, 1, "WON", "02-01", "100.10")
    await deal(database, 2, "WON", "03-01", "0.15")
    await deal(database, 3, "WON", "03-02")
    await deal(database, 4, "LOST", "03-03", "1000")
    found = await query(database, KpiRequest("revenue_won", grain=Grain.MONTH, period=named_period("2026-Q1")))
    assert (found.value, found.currency, found.n) == (Decimal("100.25"), Currency.EUR, 2)
    assert [bucket.value for bucket in found.series] == [0, Decimal("100.10"), Decimal("0.15")]
    assert [(warning.code, warning.count) for warning in found.warnings] == [(WarningCode.UNKNOWN_AMOUNT, 1)]
    early = await query(database, KpiRequest("revenue_won", switches=Switches(as_of=at("02-01") - MICROSECOND)))
    assert (early.value, [warning.code for warning in early.warnings]) == (None, [WarningCode.PERIOD_BEFORE_DATA])
    [before] = early.warnings
    assert before.message == "`asOf` lies on 2026-02-01, before the data begin, on 2026-02-01."


async def rate(database: Database, currency: str, quote: str, since: str, value: str) -> None:
    day = date.fromisoformat(f"2026-{since}")
    async with database.write() as session:
        columns = ["id", "currency", "quote_currency", "rate_on", "rate"]
        await session.copy("exchange_rate", columns, [(new_id(), currency, quote, day, Decimal(value))])


def apart(figure: KpiFigure) -> list[tuple[str | None, str, int]]:
    return [
        (amount.currency.value if amount.currency else None, str(amount.value), amount.n) for amount in figure.apart
    ]


def warned(answer: KpiAnswer) -> dict[WarningCode, int | None]:
    return {warning.code: warning.count for warning in answer.warnings}


async def test_an_amount_is_converted_at_the_last_rate_on_or_before_the_closing_and_rounded_to_the_cent(
    database: Database,
) -> None:
    await adopt(database)
    await rate(database, "USD", "EUR", "01-01", "0.8")
    await rate(database, "USD", "EUR", "02-01", "0.905")
    await rate(database, "USD", "EUR", "02-02", "0.5")
    await deal(database, 1, "WON", "01-31", "100", "USD")
    await deal(database, 2, "WON", "02-01", "0.10", "USD")  # 0.0905
    await deal(database, 3, "WON", "02-01", "0.70", "EUR")
    found = await query(database, KpiRequest("revenue_won", grain=Grain.MONTH, period=named_period("2026-Q1")))
    assert (found.value, found.currency, found.apart) == (Decimal("80.79"), Currency.EUR, ())
    assert [bucket.value for bucket in found.series] == [80, Decimal("0.79"), 0]
    assert not found.warnings


async def test_the_inverse_of_a_rate_is_used_but_no_third_currency(
    database: Database,
) -> None:
    await adopt(database)
    await rate(database, "EUR", "GBP", "01-01", "0.75")
    await rate(database, "SEK", "GBP", "01-01", "0.1")  # convertible to EUR only by way of GBP
    await deal(database, 1, "WON", "02-01", "100", "GBP")
    await deal(database, 2, "WON", "02-01", "10", "SEK")
    await deal(database, 3, "WON", "02-01", "20", "SEK")
    await deal(database, 4, "WON", "02-01", "5", None)
    found = await query(database, KpiRequest("revenue_won"))
    assert (found.value, found.n) == (Decimal("133.33"), 4)
    assert apart(found) == [(None, "5.00", 1), ("SEK", "30.00", 2)]
    assert warned(found) == {WarningCode.MISSING_RATE: 3}
    assert "SEK" in found.warnings[0].message


async def test_a_later_rate_is_not_used_and_a_sum_of_unconverted_amounts_is_null(database: Database) -> None:
    await adopt(database)
    await rate(database, "USD", "EUR", "02-02", "0.5")
    await deal(database, 1, "WON", "02-01", "100", "USD")
    found = await query(database, KpiRequest("revenue_won"))
    assert found.value is None
    assert apart(found) == [("USD", "100.00", 1)]


async def test_without_a_reporting_currency_a_single_one_is_used_and_several_are_kept_apart(database: Database) -> None:
    accord = read_accord("standard")
    reporting = accord.reporting.model_copy(update={"currency": None})
    async with database.write() as session:
        await adopt_accord(session, accord.model_copy(update={"reporting": reporting}))
    await deal(database, 1, "WON", "02-01", "100", "USD")
    await deal(database, 2, "WON", "03-01", "50", "USD")
    one = await query(database, KpiRequest("avg_deal_size"))
    assert (str(one.value), one.currency, one.n, apart(one)) == ("75.00", Currency.USD, 2, [])
    assert one.distribution is not None
    await deal(database, 3, "WON", "03-01", "70", "GBP")
    both = await query(database, KpiRequest("avg_deal_size", grain=Grain.MONTH))
    assert both.value is None
    assert both.currency is None
    assert both.n == 3
    assert apart(both) == [("GBP", "70.00", 1), ("USD", "75.00", 2)]
    # A bucket with a single currency is kept apart like the others of its answer.
    assert [apart(bucket) for bucket in both.series[:1]] == [[("USD", "100.00", 1)]]
    assert "no reporting currency" in next(
        warning.message for warning in both.warnings if warning.code is WarningCode.MISSING_RATE
    )


async def test_revenue_is_the_amount_at_the_closing_despite_later_changes(database: Database) -> None:
    await adopt(database)
    key = await deal(database, 1, "WON", "02-01", "100")
    async with database.write() as session:
        # The first version was corrected at the same instant, so it never held; the last change is after the closing.
        change = "update deal set amount = {}, effective_at = {} where id = {}"
        await session.run(Sql("update deal_version set amount = 7, valid_to = valid_from where deal_id = {}", key))
        corrected = "insert into deal_version (deal_id, valid_from, is_assumed, outcome, closed_at, amount, currency)"
        values = " select id, closed_at, false, outcome, closed_at, amount, currency from deal where id = {}"
        await session.run(Sql(corrected + values, key))
        await session.run(Sql(change, 900, at("03-01"), key))
    assert (await query(database, KpiRequest("revenue_won"))).value == 100


async def pipeline(database: Database) -> None:
    """Three deals: opened in January and won in March; opened in February, doubled in April; and one undated."""
    await adopt(database)
    async with database.write() as session:
        names = ["id", "opened_at", "effective_at", "amount", "currency"]
        await session.copy("pipeline", ["id", "name"], [(UUID(int=50), "New business")])
        stage = ["id", "pipeline_id", "name", "rank", "category", "probability"]
        await session.copy("pipeline_stage", stage, [(UUID(int=51), UUID(int=50), "Talks", 1, "OPEN", Decimal("0.25"))])
        rows = [(UUID(int=1), at("01-10"), at("01-10"), 100, "EUR"), (UUID(int=2), at("02-10"), at("02-10"), 10, "EUR")]
        await session.copy("deal", names, rows)
        await session.copy("deal", ["id", "amount", "currency"], [(UUID(int=3), 1000, "EUR")])
        await session.run(Sql("update deal_version set recorded_at = {} where deal_id = {}", at("05-01"), UUID(int=3)))
        await session.run(
            Sql("update deal_version set pipeline_stage_id = {} where deal_id = {}", UUID(int=51), UUID(int=2))
        )
        win = "update deal set outcome = 'WON', closed_at = {}, effective_at = {}, amount = 90 where id = {}"
        await session.run(Sql(win, at("03-10"), at("03-10"), UUID(int=1)))
        double = "update deal set amount = 20, probability = 0.6, effective_at = {} where id = {}"
        await session.run(Sql(double, at("04-10"), UUID(int=2)))


async def test_the_pipeline_of_a_past_day_is_read_from_history(database: Database) -> None:
    await pipeline(database)
    seen: list[tuple[object, ...]] = []
    before_all = at("01-10") - MICROSECOND
    for as_of in (before_all, *map(at, ("01-10", "02-10", "03-10", "04-10", "05-01"))):
        found = await query(database, KpiRequest("open_pipeline", switches=Switches(as_of=as_of)))
        seen.append((found.value, found.n, warned(found).get(WarningCode.UNDATED)))
    # A deal without a known opening is in no pipeline before it was recorded; before all deals, there is no value.
    assert seen == [(None, 0, None), (100, 1, 1), (110, 2, 1), (10, 1, 1), (20, 1, 1), (1020, 2, 1)]


async def test_a_series_of_a_snapshot_has_the_state_at_the_end_of_every_bucket(database: Database) -> None:
    await pipeline(database)
    request = KpiRequest("open_pipeline", grain=Grain.MONTH, period=named_period("2026"))
    found = await query(database, request)
    assert [bucket.value for bucket in found.series] == [100, 110, 10, 20, 1020, 1020, 1020]
    assert found.value == 1020
    quarter = await query(database, KpiRequest("open_pipeline", period=named_period("2026-Q1"), grain=Grain.QUARTER))
    assert [figure.value for figure in (quarter, *quarter.series)] == [10, 10]


async def test_a_deal_that_closes_at_the_end_of_a_period_is_still_open_in_it(database: Database) -> None:
    await pipeline(database)
    month_end = datetime(2026, 4, 1, tzinfo=UTC)
    counts = []
    for closed in (month_end - timedelta(microseconds=1), month_end):
        async with database.write() as session:
            await session.script("set local accord.history_is_given = on")
            await session.run(
                Sql(
                    "update deal_version set valid_to = {} where deal_id = {} and outcome = 'OPEN' and amount = 10",
                    closed,
                    UUID(int=2),
                )
            )
        one = await query(database, KpiRequest("open_pipeline", period=named_period("2026-Q1")))
        many = await query(database, KpiRequest("open_pipeline", period=named_period("2026"), grain=Grain.MONTH))
        counts.append((one.n, many.series[2].n))
    assert counts == [(0, 0), (1, 1)]


async def test_a_deals_own_probability_comes_before_that_of_its_stage(database: Database) -> None:
    await pipeline(database)
    found = await query(database, KpiRequest("weighted_pipeline", grain=Grain.MONTH, period=named_period("2026")))
    # 10 at 0.25, then 20 at 0.6; the other two deals have no known probability.
    assert [bucket.value for bucket in found.series] == [None, Decimal("2.50"), Decimal("2.50"), 12, 12, 12, 12]
    assert warned(found) == {
        WarningCode.UNDATED: 1, WarningCode.UNKNOWN_PROBABILITY: 1, WarningCode.PERIOD_OPEN: 183
    }  # fmt: skip


async def test_pipeline_created_has_the_amount_at_the_opening_and_warns_of_undated_deals(database: Database) -> None:
    await pipeline(database)
    created = await query(database, KpiRequest("pipeline_created", grain=Grain.MONTH, period=named_period("2026-Q1")))
    assert [bucket.value for bucket in created.series] == [100, 10, 0]
    assert warned(created) == {WarningCode.UNDATED: 1}
    opened = await query(database, KpiRequest("opportunities_created", by=(Dimension.PIPELINE,)))
    assert opened.value == sum(group.n for group in opened.breakdown) == 2
    assert warned(opened)[WarningCode.UNDATED] == 1
    before = await query(
        database, KpiRequest("opportunities_created", switches=Switches(as_of=at("02-10") - MICROSECOND))
    )
    assert before.value == 1


async def test_an_open_pipeline_without_known_amounts_is_null_and_not_zero(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        await session.copy("deal", ["id", "opened_at", "effective_at"], [(UUID(int=1), at("02-01"), at("02-01"))])
    found = await query(database, KpiRequest("open_pipeline"))
    assert (found.value, found.n, warned(found)) == (None, 0, {WarningCode.UNKNOWN_AMOUNT: 1})


async def test_a_series_of_the_pipeline_warns_of_what_only_past_buckets_lack(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        # Both are won: one was open without an amount before, of the other nothing is known of the time before.
        names = ["id", "outcome", "opened_at", "closed_at", "amount", "effective_at"]
        standing = (UUID(int=1), "OPEN", at("02-01"), None, None, at("02-01"))
        await session.copy("deal", names, [standing, (UUID(int=2), "WON", None, at("05-10"), 5, at("05-10"))])
        await session.run(
            Sql(
                "update deal set outcome = 'WON', closed_at = {}, effective_at = {}, amount = 7 where id = {}",
                *(at("04-10"), at("04-10"), UUID(int=1)),
            )
        )
    found = await query(database, KpiRequest("open_pipeline", grain=Grain.MONTH, period=named_period("2026")))
    bucket = "In one bucket of the series, 1 deal has no known"
    assert [warning.message for warning in found.warnings if warning.code is not WarningCode.PERIOD_OPEN] == [
        f"{bucket} opening: before their history begins they are not in the pipeline.",
        f"{bucket} amount and cannot be in the value.",
    ]
    assert (found.value, {bucket.n for bucket in found.series}) == (Decimal(0), {0})
    march = await query(database, KpiRequest("open_pipeline", period=named_period("2026-03")))
    assert warned(march) == {WarningCode.UNDATED: 1, WarningCode.UNKNOWN_AMOUNT: 1}
    assert warned(await query(database, KpiRequest("open_pipeline"))) == {}


async def test_a_sales_cycle_is_from_opening_to_closing_and_warns_of_unknown_openings(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        names = ["id", "outcome", "opened_at", "closed_at"]
        days = [("02-01", "02-01"), ("02-01", "02-21"), (None, "02-22"), ("03-05", "03-01")]
        rows = [
            (UUID(int=place), "WON", at(opened) if opened else None, at(closed))
            for place, (opened, closed) in enumerate(days, start=1)
        ]
        await session.copy("deal", names, rows)
    found = await query(database, KpiRequest("sales_cycle"))
    assert found.distribution is not None
    assert found.value == found.distribution.mean == 10 * 86_400
    assert found.n == 2
    assert warned(found) == {WarningCode.LOW_SAMPLE: 2, WarningCode.UNDATED: 2}


async def test_a_customer_is_a_company_or_a_person_or_a_single_deal_and_is_new_once(database: Database) -> None:
    await adopt(database)
    company, employed, alone, merged = (UUID(int=number) for number in range(31, 35))
    for number, closed in enumerate(("02-02", "02-01", "02-04", "02-03", "02-05"), start=1):
        await deal(database, number, "WON", closed)
    async with database.write() as session:
        await session.copy("company", ["id", "name"], [(company, "Acme")])
        people = [(employed, company, at("01-01")), (alone, None, at("01-01"))]
        await session.copy("contact", ["id", "company_id", "effective_at"], people)
        await session.run(Sql("update deal set company_id = {} where id = {}", company, UUID(int=1)))
        await session.copy("contact", ["id", "merged_into_id"], [(merged, alone)])
        # Deal 2 has a contact at the company of deal 1, deals 3 and 4 have the same person, deal 5 has neither.
        roles = [(employed, UUID(int=2)), (alone, UUID(int=3)), (merged, UUID(int=4))]
        await session.copy("deal_contact", ["contact_id", "deal_id"], roles)
    found = await query(database, KpiRequest("new_customers", grain=Grain.DAY, period=named_period("2026-02")))
    assert [bucket.n for bucket in found.series[:6]] == [1, 0, 1, 0, 1, 0]
    # A customer from before the period is not new in it.
    later = await query(database, KpiRequest("new_customers", period=period(date(2026, 2, 4), None)))
    assert later.value == 1


async def test_the_amount_at_the_opening_is_not_an_earlier_one(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        names = ["id", "effective_at", "opened_at", "amount", "currency"]
        await session.copy("deal", names, [(UUID(int=1), at("01-01"), at("02-01"), 100, "EUR")])
        for amount, since in ((200, "01-10"), (300, "03-01")):
            change = "update deal set amount = {}, effective_at = {} where id = {}"
            await session.run(Sql(change, amount, at(since), UUID(int=1)))
    assert (await query(database, KpiRequest("pipeline_created"))).value == 200


async def test_an_opportunity_is_a_deal_opened_in_a_pipeline_of_new_business(database: Database) -> None:
    await adopt(database)
    async with database.write() as session:
        pipelines = [(UUID(int=51), "New business", True), (UUID(int=52), "Renewals", False)]
        await session.copy("pipeline", ["id", "name", "is_new_business"], pipelines)
        stages = [(UUID(int=61), UUID(int=51), "Demo", 1, "OPEN"), (UUID(int=62), UUID(int=52), "Talk", 1, "OPEN")]
        await session.copy("pipeline_stage", ["id", "pipeline_id", "name", "rank", "category"], stages)
        # New business, a renewal, in no pipeline, and a renewal whose pipeline is known only after the opening.
        columns = ["id", "effective_at", "opened_at", "pipeline_stage_id", "amount", "currency"]
        deals = [(51, "01-05", 61), (52, "01-05", 62), (53, "01-05", None), (54, "01-09", 62)]
        rows = [
            (UUID(int=key), at(begins), at("01-05"), UUID(int=stage) if stage else None, 100, "EUR")
            for key, begins, stage in deals
        ]
        await session.copy("deal", columns, rows)
        # A deal that moves to another pipeline stays what it was when it was opened.
        move = "update deal set pipeline_stage_id = {}, effective_at = {} where id = {}"
        for key, stage in ((51, 62), (52, 61)):
            await session.run(Sql(move, UUID(int=stage), at("02-01"), UUID(int=key)))
    found = await query(database, KpiRequest("opportunities_created"))
    assert found.value == 2
    assert found.n == 2
    async with database.read() as session:
        assert found.drill_down is not None
        page = await read_page(session, found.drill_down, RecordSide.BASE, size=10)
    assert sorted(record.id.int for record in page.records) == [51, 53]
    assert (await query(database, KpiRequest("pipeline_created"))).value == 400
