"""The formulas of customers, costs and targets are those of the parts counted day by day, over generated firms."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.economics import Economics
from schema.clauses.targets import Target
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import CurrencyRule
from tests.metrics.economics_books import EconomicsBooks, Parts, formula
from tests.metrics.missing_periods import MISSING
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

COUNTED_IN_A_WORLD = ("cac", "ltv", "ltv_cac", "cac_payback_months", "pipeline_coverage")
FIRST, NOW = date(2026, 1, 1), datetime(2026, 6, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
EMPLOYEES = (5, 9, 100, None)
SIZES: dict[str | None, set[int | None]] = {
    "1-10": {0, 1},
    "51-250": {2},
    None: {3, None},
}  # a sale without a company has no size either
COMPANIES = len(EMPLOYEES)
DAYS = st.integers(0, 160).map(lambda day: FIRST + day * DAY)
AMOUNTS = st.none() | st.integers(1, 90_000).map(lambda cents: Decimal(cents * 7) / 100)
CURRENCIES = st.sampled_from(["EUR", "USD"])
RATES = {date(2025, 12, 1): "0.9", date(2026, 2, 10): "0.5", date(2026, 4, 20): "1.25", date(2026, 6, 1): "0.7"}
RULES = (None, CurrencyRule.PERIOD_END, CurrencyRule.AS_OF)
QUARTERS = {"2026-Q1": (FIRST, date(2026, 4, 1)), "2026-Q2": (date(2026, 4, 1), date(2026, 7, 1))}


@dataclass(frozen=True)
class Sale:
    company: int | None
    outcome: str
    opened: date
    took: int
    amount: Decimal | None
    closing: date | None
    currency: str

    @property
    def closed_at(self) -> datetime | None:
        return None if self.outcome == "OPEN" else noon(self.opened + self.took * DAY)


@dataclass(frozen=True)
class Cost:
    first: date
    days: int
    cents: int
    campaign: int
    source: str
    currency: str


@dataclass(frozen=True)
class Agreed:
    margin: Decimal | None
    churn: Decimal | None
    sales_costs: tuple[tuple[int, int], ...]  # a month, and what sales costs in every month from it on
    targets: tuple[tuple[str, int], ...]


SALES = st.builds(
    Sale,
    st.sampled_from([None, *range(COMPANIES)]),
    st.sampled_from(["WON", "WON", "LOST", "OPEN"]),
    st.integers(0, 120).map(lambda day: FIRST + day * DAY),
    st.integers(0, 40),
    AMOUNTS,
    st.none() | DAYS,
    CURRENCIES,
)
COSTS = st.builds(
    *(Cost, DAYS, st.integers(1, 70), st.integers(0, 10**7)),
    st.integers(201, 202),
    st.sampled_from(["ads", "ads", "books"]),
    CURRENCIES,
)
SHARES = st.integers(0, 99).map(lambda percent: Decimal(percent) / 100 if percent > 9 else None)
# Mostly from the first month on, so that the costs of most periods are known.
SALES_COSTS = st.lists(
    st.tuples(st.sampled_from([1, 1, 1, 4]), st.integers(0, 9999)), max_size=2, unique_by=lambda cost: cost[0]
).map(lambda costs: tuple(sorted(costs)))
AGREED = st.builds(
    Agreed,
    SHARES,
    SHARES,
    SALES_COSTS,
    st.lists(
        st.tuples(st.sampled_from(sorted(QUARTERS)), st.integers(1, 9999)), max_size=2, unique_by=lambda aim: aim[0]
    ).map(tuple),
)
SPANS = st.tuples(DAYS, st.integers(1, 100)).map(lambda span: period(span[0], span[0] + span[1] * DAY))
PERIODS = st.one_of(SPANS, st.just(ALL_HISTORY), st.sampled_from([period(*quarter) for quarter in QUARTERS.values()]))


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


@pytest.fixture(scope="module")
async def firm(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        companies = [
            (UUID(int=1 + number), f"Firm {number}", employees, noon(date(2025, 1, 1)))
            for number, employees in enumerate(EMPLOYEES)
        ]
        await session.copy("company", ["id", "name", "employees", "effective_at"], companies)
        await session.copy("campaign", ["id", "name"], [(UUID(int=201), "Fair"), (UUID(int=202), "Ads")])
        rates = [
            (UUID(int=400 + place), "USD", "EUR", day, Decimal(rate)) for place, (day, rate) in enumerate(RATES.items())
        ]
        await session.copy("exchange_rate", ["id", "currency", "quote_currency", "rate_on", "rate"], rates)
    return module_database


async def load(session: WriteSession, sales: list[Sale], costs: list[Cost]) -> None:
    """Replace the deals and the costs in the database. An open deal has never been anything else."""
    await session.script("delete from deal_version; delete from deal; delete from campaign_cost")
    names = ["id", "company_id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
    rows = [
        (
            *(UUID(int=100 + number), None if sale.company is None else UUID(int=1 + sale.company), sale.outcome),
            *(noon(sale.opened), sale.closed_at, sale.closed_at or noon(sale.opened), sale.amount),
            *(None if sale.amount is None else sale.currency, sale.closing),
        )
        for number, sale in enumerate(sales)
    ]
    await session.copy("deal", [*names, "close_date"], rows)
    spent = [
        (
            *(cost.source, UUID(int=300 + number), UUID(int=cost.campaign), cost.first),
            *(cost.first + cost.days * DAY, Decimal(cost.cents) / 100, cost.currency),
        )
        for number, cost in enumerate(costs)
    ]
    columns = ["source", "id", "campaign_id", "from_on", "before_on", "cost", "currency"]
    await session.copy("campaign_cost", columns, spent)


@settings(QUICK, max_examples=examples(60))
@given(
    sales=st.lists(SALES, min_size=6, max_size=16),
    costs=st.lists(COSTS, min_size=1, max_size=6, unique_by=lambda cost: cost.first),
    agreed=AGREED,
    spans=st.lists(st.tuples(PERIODS, st.none() | DAYS.map(noon)), min_size=2, max_size=4),
)
async def test_a_formula_is_that_of_the_parts_counted_day_by_day(
    firm: Database,
    sales: list[Sale],
    costs: list[Cost],
    agreed: Agreed,
    spans: list[tuple[Period, datetime | None]],
) -> None:
    stated = Economics.model_validate(
        {
            "gross_margin": agreed.margin,
            "monthly_churn": agreed.churn,
            "sales_costs": [{"from": f"2026-0{month}", "per_month": cost} for month, cost in agreed.sales_costs],
        }
    )
    aims = (Target.model_validate({"kpi": "revenue_won", "period": name, "value": aim}) for name, aim in agreed.targets)
    async with firm.write() as session:
        await load(session, sales, costs)
        document = read_accord("standard").model_copy(update={"economics": stated, "targets": tuple(aims)})
        await replace_document(session, document)
    async with firm.read() as session:
        books = await EconomicsBooks.read(session)
        books.margin, books.churn = agreed.margin, agreed.churn
        books.sales_costs = tuple((date(2026, month, 1), Decimal(cost)) for month, cost in agreed.sales_costs)
        books.targets = tuple((*QUARTERS[name], Decimal(aim)) for name, aim in agreed.targets)
        for days, as_of in spans:
            for rule in RULES:
                switches = Switches(as_of=as_of, currency_rule=rule)
                requests = [KpiRequest(key, days, switches=switches) for key in COUNTED_IN_A_WORLD]
                books.deals.rate_day = rate_day(rule, days, as_of or NOW)
                for answer in await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW):
                    assert isinstance(answer, KpiAnswer), answer
                    compare(answer, books, days, as_of or NOW)
                by_size = KpiRequest("ltv", days, by=(Dimension.COMPANY_SIZE,), switches=switches)
                [answer] = await query_kpis(session, LOCAL_OPERATOR, [by_size], now=NOW)
                assert isinstance(answer, KpiAnswer), answer
                compare_sizes(answer, books, days, as_of or NOW)


def compare_sizes(answer: KpiAnswer, books: EconomicsBooks, days: Period, as_of: datetime) -> None:
    """Every group is the formula over the sales to the companies of its size."""
    for group in answer.breakdown:
        [key] = group.keys
        firms = {
            None if number is None else UUID(int=1 + number)
            for number in SIZES[None if key.value is None else str(key.value)]
        }
        sold = [deal for deal in books.deals.deals if deal["company_id"] in firms]
        own = replace(books, deals=replace(books.deals, deals=sold))
        compare_figure("ltv", group, own.parts(days.starts_on, days.before, as_of))


def rate_day(rule: CurrencyRule | None, days: Period, as_of: datetime) -> date | None:
    """The day whose rates convert all amounts; None if each has its own."""
    if rule is None:
        return None
    is_of_period = rule is CurrencyRule.PERIOD_END and days.before is not None
    return min(days.before - DAY, as_of.date()) if is_of_period and days.before else as_of.date()


def compare(answer: KpiAnswer, books: EconomicsBooks, days: Period, as_of: datetime) -> None:
    if {warning.code for warning in answer.warnings} & MISSING:
        assert (answer.value, answer.parts) == (None, ())
        return
    counted = books.parts(days.starts_on, days.before, as_of)
    compare_figure(answer.key, answer, counted)
    if "campaign_cost" in {part.name for part in answer.parts}:
        doubled = [warning.count for warning in answer.warnings if warning.code is WarningCode.COST_SOURCES_OVERLAP]
        assert sum(count or 0 for count in doubled) == books.doubled_campaigns(days.starts_on, days.before, as_of)
        assert 0 not in doubled
    assert answer.value is not None or answer.warnings, answer.key


def compare_figure(key: str, found: KpiFigure, counted: Parts) -> None:
    for part in found.parts:
        exact = counted[part.name]
        expected = None if exact is None else pytest.approx(float(exact), abs=0.0051)
        assert (None if part.value is None else float(part.value)) == expected, (key, part.name)
    value = formula(key, counted)
    assert (None if found.value is None else float(found.value)) == (
        None if value is None else pytest.approx(float(value), rel=1e-6, abs=0.0051)
    ), key
