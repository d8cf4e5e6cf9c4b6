"""KPIs of economics: by examples worked out by hand, and by a plain count over generated costs and the sample."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.graph.contract import read_filter
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.composites.spread_costs import spread_cost
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, Switches, Where
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import Reach
from schema.accord import Accord
from schema.clauses.economics import Economics
from schema.clauses.targets import Target
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide, Unit
from tests.metrics.economics_books import EconomicsBooks, formula
from tests.support.accords import replace_document

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
KEYS = ("cac", "ltv", "ltv_cac", "cac_payback_months", "pipeline_coverage", "sales_velocity")
FEBRUARY, QUARTER = named_period("2026-02"), named_period("2026-Q1")


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}T12:00:00+00:00")


def accord(economics: dict[str, object] | None = None, targets: tuple[Target, ...] = ()) -> Accord:
    stated = Economics.model_validate(economics) if economics else None
    return read_accord("standard").model_copy(update={"economics": stated, "targets": targets})


def target(period_name: str, value: int, **only: object) -> Target:
    return Target.model_validate({"kpi": "revenue_won", "period": period_name, "value": value, **only})


AGREED: dict[str, object] = {
    "gross_margin": "0.8",
    "monthly_churn": "0.04",
    "sales_costs": [{"from": "2026-01", "per_month": 2800}, {"from": "2026-03", "per_month": 3100}],
}
QUARTERLY = target("2026-Q1", 40_000)


@pytest.fixture(scope="module")
async def firm(module_database: Database) -> Database:
    """Three customers, won in January, February and February; a loss; three open deals; two campaigns with costs."""
    async with module_database.write() as session:
        await adopt_accord(session, accord(AGREED, (QUARTERLY,)))
        await session.copy("company", ["id", "name"], [(UUID(int=number), f"Firm {number}") for number in range(1, 8)])
        closed = [
            (1, 1, "WON", "01-02", "01-12", "6000"),  # 10 days
            (2, 2, "WON", "01-20", "02-09", "9000"),  # 20 days
            (3, 3, "WON", "02-02", "02-14", "3000"),  # 12 days
            (4, 1, "WON", "02-10", "02-20", "2000"),  # an old customer again, 10 days
            (5, 4, "LOST", "01-10", "02-25", "1000"),
        ]
        names = ["id", "company_id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
        rows = [
            (UUID(int=100 + key), UUID(int=company), outcome, at(opened), at(ended), at(ended), Decimal(amount), "EUR")
            for key, company, outcome, opened, ended, amount in closed
        ]
        await session.copy("deal", names, rows)
        waiting = [
            (6, 5, "02-01", "2026-03-20", "30000"),
            (7, 6, "02-15", "2026-04-01", "8000"),
            (8, 7, "03-01", None, "500"),
        ]
        opened_rows = [
            (
                *(UUID(int=100 + key), UUID(int=company), "OPEN", at(opened), at(opened), Decimal(amount), "EUR"),
                None if closes is None else date.fromisoformat(closes),
            )
            for key, company, opened, closes, amount in waiting
        ]
        await session.copy("deal", [*(name for name in names if name != "closed_at"), "close_date"], opened_rows)
        # What a deleted campaign cost, and a deleted cost of another, are no costs.
        campaigns = [(UUID(int=201), "Fair", None), (UUID(int=202), "Ads", None), (UUID(int=203), "Gone", at("02-02"))]
        await session.copy("campaign", ["id", "name", "deleted_at"], campaigns)
        costs = [
            (UUID(int=301), UUID(int=201), date(2026, 2, 1), date(2026, 3, 1), Decimal(1400), "EUR", None),
            (UUID(int=302), UUID(int=202), date(2026, 1, 22), date(2026, 2, 11), Decimal(2000), "EUR", None),
            (UUID(int=303), UUID(int=203), date(2026, 2, 1), date(2026, 3, 1), Decimal(700), "EUR", None),
            (UUID(int=304), UUID(int=201), date(2026, 2, 2), date(2026, 3, 1), Decimal(90), "EUR", at("02-02")),
        ]
        columns = ["id", "campaign_id", "from_on", "before_on", "cost", "currency", "deleted_at"]
        await session.copy("campaign_cost", ["source", *columns], [("test", *cost) for cost in costs])
    return module_database


async def ask(database: Database, document: Accord, *requests: KpiRequest, now: datetime = NOW) -> list[KpiAnswer]:
    async with database.write() as session:
        await replace_document(session, document)
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, requests, now=now)
    for answer in answers:
        assert isinstance(answer, KpiAnswer), answer
    return [answer for answer in answers if isinstance(answer, KpiAnswer)]


def parts(figure: KpiFigure) -> dict[str, Decimal | None]:
    return {part.name: part.value for part in figure.parts}


def reasons(answer: KpiAnswer) -> set[WarningCode]:
    noise = {WarningCode.LOW_SAMPLE, WarningCode.PERIOD_OPEN}
    return {warning.code for warning in answer.warnings} - noise


FULL = accord(AGREED, (QUARTERLY,))


async def test_a_new_customer_costs_the_campaigns_and_the_sales_of_the_period(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("cac", FEBRUARY))
    # Ads cost 100 a day, of which ten days lie in February: 1,400 + 1,000 + 2,800 for two customers.
    assert parts(found) == {"new_customers": 2, "campaign_cost": Decimal("2400.00"), "sales_cost": 2800}
    assert [found.value, found.numerator, found.denominator, found.n] == [Decimal("2600.00"), 5200, 2, 2]
    assert (found.unit, found.currency) == (Unit.MONEY, "EUR")
    [spread] = [warning for warning in found.warnings if warning.code is WarningCode.COST_SPREAD]
    assert (spread.count, spread.message) == (
        1,
        "Campaign cost: The period cuts the days of 1 cost. They count by the share of their days in it.",
    )


async def test_the_buckets_of_costs_sum_to_the_whole(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("cac", QUARTER, grain=Grain.MONTH))
    # Up to the tenth of March: ten of its 31 days.
    assert parts(found) == {"new_customers": 3, "campaign_cost": 3400, "sales_cost": 2800 * 2 + 1000}
    assert [parts(bucket) for bucket in found.series] == [
        {"new_customers": 1, "campaign_cost": 1000, "sales_cost": 2800},
        {"new_customers": 2, "campaign_cost": 2400, "sales_cost": 2800},
        {"new_customers": 0, "campaign_cost": None, "sales_cost": 1000},
    ]
    assert [bucket.value for bucket in found.series] == [Decimal("3800.00"), Decimal("2600.00"), None]
    assert "Sales cost: the period cuts a month" in str(found.warnings)


async def test_a_customer_brings_the_margin_of_a_month_by_the_churn(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("ltv", FEBRUARY))
    # 14,000 in a month from three customers, of which 80 % are left, for 25 months.
    assert parts(found) == {
        "customers": 3,
        "revenue_won": 14_000,
        "months": 1,
        "gross_margin": Decimal("0.8"),
        "monthly_churn": Decimal("0.04"),
    }
    assert found.value == (Decimal(14_000) / 3 * Decimal("0.8") / Decimal("0.04")).quantize(Decimal("0.01"))
    assert [part.n for part in found.parts] == [3, 3, 0, 0, 0]


async def test_customers_of_earlier_buckets_stay_customers(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("ltv", QUARTER, grain=Grain.MONTH))
    assert [parts(bucket)["customers"] for bucket in found.series] == [1, 3, 3]
    assert parts(found)["customers"] == 3
    assert parts(found)["months"] == Decimal("2.322581")  # ten days of March


async def test_the_ratio_and_the_payback_are_made_of_both(firm: Database) -> None:
    ltv_cac, payback = await ask(
        firm, FULL, KpiRequest("ltv_cac", FEBRUARY), KpiRequest("cac_payback_months", FEBRUARY)
    )
    margin = Decimal(14_000) / 3 * Decimal("0.8")
    assert ltv_cac.value == (margin / Decimal("0.04") / 2600).quantize(Decimal("0.000001"))
    assert payback.value == (2600 / margin).quantize(Decimal("0.000001"))
    assert payback.unit is Unit.MONTHS


async def test_the_open_pipeline_covers_what_is_missing_of_the_target(firm: Database) -> None:
    quarter, february, ahead = await ask(
        firm,
        accord(targets=(QUARTERLY, target("2026-Q2", 16_000))),
        KpiRequest("pipeline_coverage", QUARTER),
        KpiRequest("pipeline_coverage", FEBRUARY),
        KpiRequest("pipeline_coverage", named_period("2026-Q2")),
    )
    # 30,000 closes by the end of March, and 20,000 of 40,000 is won. One open deal has no date.
    assert parts(quarter) == {"open_pipeline": 30_000, "target": 40_000, "revenue_won": 20_000}
    assert (quarter.value, quarter.n) == (Decimal("1.5"), 1)
    assert "1 open deal has no expected closing" in str(quarter.warnings)
    assert february.value is None
    assert reasons(february) >= {WarningCode.MISSING_INPUT}
    assert [ahead.value, parts(ahead)["open_pipeline"]] == [Decimal("0.5"), 8000]


async def test_a_target_that_is_met_leaves_nothing_to_cover(firm: Database) -> None:
    [found] = await ask(firm, accord(targets=(target("2026-Q1", 20_000),)), KpiRequest("pipeline_coverage", QUARTER))
    assert found.value is None
    assert WarningCode.TARGET_MET in reasons(found)
    assert parts(found) == {"open_pipeline": 30_000, "target": 20_000, "revenue_won": 20_000}


async def test_targets_of_months_are_a_target_of_their_quarter(firm: Database) -> None:
    months = tuple(target(f"2026-0{month}", 20_000) for month in (1, 2, 3))
    request = KpiRequest("pipeline_coverage", QUARTER, grain=Grain.MONTH)
    [found] = await ask(firm, accord(targets=months), request)
    assert parts(found)["target"] == 60_000
    assert found.value == Decimal("0.75")
    # At the end of February the deal of March was open, and closes in no other month.
    assert [[parts(bucket)["open_pipeline"], bucket.value] for bucket in found.series] == [
        [0, 0],
        [0, 0],
        [30_000, Decimal("1.5")],
    ]
    [without] = await ask(firm, accord(targets=months[:2]), request)
    assert parts(without)["target"] is None
    assert [bucket.value is None for bucket in without.series] == [False, False, True]


async def test_a_filter_and_a_group_need_a_target_of_their_own(firm: Database) -> None:
    acme = target("2026-Q1", 10_000, only={"dimension": "COMPANY", "value": "Firm 5"})
    only = Where(tests=((Dimension.COMPANY, ("Firm 5",)),))
    filtered, grouped = await ask(
        firm,
        accord(targets=(QUARTERLY, acme)),
        KpiRequest("pipeline_coverage", QUARTER, where=only),
        KpiRequest("pipeline_coverage", QUARTER, by=(Dimension.COMPANY,)),
    )
    assert [filtered.value, parts(filtered)["target"]] == [3, 10_000]
    assert {group.keys[0].label: group.value for group in grouped.breakdown if group.value is not None} == {"Firm 5": 3}
    assert grouped.value == Decimal("1.5")


async def test_a_filter_over_records_has_no_target_to_cover(firm: Database) -> None:
    over_records = read_filter('{"deal": {"openedAt": {"gt": "2020-01-01T00:00:00Z"}}}')
    [found] = await ask(
        firm, accord(targets=(QUARTERLY,)), KpiRequest("pipeline_coverage", QUARTER, where=over_records)
    )
    assert [found.value, parts(found)["target"], parts(found)["open_pipeline"]] == [None, None, 30_000]
    assert WarningCode.MISSING_INPUT in reasons(found)


async def test_targets_of_each_team_are_no_target_of_both(firm: Database) -> None:
    marketing, sales = (
        target("2026-Q1", value, team=team) for value, team in ((10_000, "MARKETING"), (40_000, "SALES"))
    )
    request = KpiRequest("pipeline_coverage", QUARTER)
    for stated, expected in (((marketing, sales), None), ((sales,), 40_000), ((sales, QUARTERLY), 40_000)):
        [found] = await ask(firm, accord(targets=stated), request)
        assert parts(found)["target"] == expected


async def test_a_part_of_the_deals_covers_no_target_of_all(firm: Database) -> None:
    async with firm.write() as session:
        await replace_document(session, FULL)
    async with firm.read() as session:
        request = KpiRequest("pipeline_coverage", QUARTER)
        [found] = await query_kpis(session, Principal(Reach.OWN, UUID(int=1)), [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    assert (found.value, parts(found)["target"]) == (None, None)
    assert WarningCode.MISSING_INPUT in reasons(found)


async def test_open_deals_bring_money_by_their_rate_and_size_and_time(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("sales_velocity", FEBRUARY))
    # Two deals were open at the end of February; three of four closings won, 14,000 in 42 days.
    assert parts(found) == {
        "open_deals": 2,
        "win_rate": Decimal("0.75"),
        "avg_deal_size": Decimal("4666.67"),
        "sales_cycle": 14 * 86_400,
    }
    assert found.value == Decimal("500.00")
    assert (found.unit, found.currency) == (Unit.MONEY_PER_DAY, "EUR")


@pytest.mark.parametrize(
    ("key", "left_out", "said"),
    [
        ("cac", "sales_costs", "economics.sales_costs"),
        ("ltv", "gross_margin", "economics.gross_margin"),
        ("ltv", "monthly_churn", "economics.monthly_churn"),
        ("ltv_cac", "monthly_churn", "economics.monthly_churn"),
        ("cac_payback_months", "gross_margin", "economics.gross_margin"),
    ],
)
async def test_what_the_accord_does_not_state_is_missing(firm: Database, key: str, left_out: str, said: str) -> None:
    stated = {name: value for name, value in AGREED.items() if name != left_out}
    [found] = await ask(firm, accord(stated), KpiRequest(key, FEBRUARY))
    assert found.value is None
    [missing] = [warning for warning in found.warnings if warning.code is WarningCode.MISSING_INPUT]
    assert said in missing.message


async def test_without_costs_or_a_start_a_customer_has_no_cost(firm: Database) -> None:
    late: dict[str, object] = {"sales_costs": [{"from": "2026-02", "per_month": 1}]}
    long_ago = period(date(2025, 1, 1), date(2025, 2, 1))
    ever, early = await ask(firm, FULL, KpiRequest("cac"), KpiRequest("cac", long_ago))
    assert ever.value is None
    assert "name a period with a start" in str(ever.warnings)
    assert parts(ever)["campaign_cost"] == 3400
    assert early.value is None
    [before] = await ask(firm, accord(late), KpiRequest("cac", QUARTER))
    assert reasons(before) >= {WarningCode.MISSING_INPUT}
    async with firm.read() as session:
        assert await session.value(Sql("select count(*) from campaign_cost")) == 4
    [none] = await ask(firm, FULL, KpiRequest("cac", named_period("2026-01"), switches=Switches(as_of=at("01-15"))))
    assert none.value is None
    assert "No campaign cost lies in the period" in str(none.warnings)


async def test_without_churn_a_value_has_no_limit(firm: Database) -> None:
    [found] = await ask(firm, accord(AGREED | {"monthly_churn": 0}), KpiRequest("ltv", FEBRUARY))
    assert found.value is None
    assert WarningCode.ZERO_DENOMINATOR in reasons(found)


async def test_the_records_of_every_part_add_up(firm: Database) -> None:
    requests = [KpiRequest(key, QUARTER, grain=Grain.MONTH) for key in KEYS]
    answers = await ask(firm, FULL, *requests)
    async with firm.read() as session:
        for answer in answers:
            for figure in (answer, *answer.series):
                for part in figure.parts:
                    assert part.drill_down is not None
                    if part.n == 0:
                        continue
                    page = await read_page(session, part.drill_down, RecordSide.BASE, size=50, needs_total=True)
                    assert page.total == part.n, (answer.key, part.name)
                    total = sum((record.value for record in page.records if record.value is not None), Decimal(0))
                    if part.name != "win_rate":
                        assert total == (part.value if part.denominator is None else part.numerator)
                    assert part.drill_down.table == ("campaign_cost" if part.name == "campaign_cost" else "deal")


async def test_a_part_that_no_record_gives_lists_none(firm: Database) -> None:
    [found] = await ask(firm, FULL, KpiRequest("ltv", FEBRUARY))
    async with firm.read() as session:
        for part in found.parts[2:]:
            assert part.drill_down is not None
            page = await read_page(session, part.drill_down, RecordSide.BASE, size=50, needs_total=True)
            assert (page.total, part.n) == (0, 0)


@settings(max_examples=200, deadline=None)
@given(cents=st.integers(0, 10**9), days=st.integers(1, 400), cuts=st.lists(st.integers(0, 400), max_size=5))
def test_the_spans_of_a_cost_sum_to_it(cents: int, days: int, cuts: list[int]) -> None:
    total = Decimal(cents) / 100
    edges = sorted({0, days, *(cut for cut in cuts if cut <= days)})
    spread = [spread_cost(total, days, after, before) for after, before in pairwise(edges)]
    assert sum(spread, Decimal(0)) == total
    assert all(cost >= 0 for cost in spread)


# ------------------------------------------------------------------------------------------------- counted by hand

PERIODS = {
    "2026-Q1": QUARTER,
    "2026-02": FEBRUARY,
    "cut": period(date(2026, 1, 25), date(2026, 2, 18)),
    "open end": Period(date(2026, 1, 15), None),
    "ever": ALL_HISTORY,
}


@pytest.mark.parametrize("within", PERIODS)
@pytest.mark.parametrize("as_of", [None, at("02-12"), at("02-28")])
async def test_a_formula_is_that_of_the_parts_counted_by_hand(
    firm: Database, within: str, as_of: datetime | None
) -> None:
    days = PERIODS[within]
    requests = [KpiRequest(key, days, switches=Switches(as_of=as_of)) for key in KEYS]
    answers = await ask(firm, FULL, *requests)
    async with firm.read() as session:
        books = await EconomicsBooks.read(session)
    books.margin, books.churn = Decimal("0.8"), Decimal("0.04")
    books.sales_costs = ((date(2026, 1, 1), Decimal(2800)), (date(2026, 3, 1), Decimal(3100)))
    books.targets = ((date(2026, 1, 1), date(2026, 4, 1), Decimal(40_000)),)
    counted = books.parts(days.starts_on, days.before, as_of or NOW)
    for answer in answers:
        for part in answer.parts:
            exact = counted[part.name]
            expected = None if exact is None else pytest.approx(float(exact), abs=0.005)
            assert (None if part.value is None else float(part.value)) == expected, (answer.key, part.name)
        value = formula(answer.key, counted)
        assert (None if answer.value is None else float(answer.value)) == (
            None if value is None else pytest.approx(float(value), abs=0.0051)
        ), answer.key
