"""The formulas of customers, costs and targets are those of the parts counted day by day, over generated firms."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.economics import Economics
from schema.clauses.targets import Target
from schema.kpis.answer_vocab import WarningCode
from tests.metrics.economics_books import EconomicsBooks, formula
from tests.metrics.missing_periods import MISSING
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

COUNTED_IN_A_WORLD = ("cac", "ltv", "ltv_cac", "cac_payback_months", "pipeline_coverage")
FIRST, NOW = date(2026, 1, 1), datetime(2026, 6, 20, 12, tzinfo=UTC)
DAY = timedelta(days=1)
COMPANIES = 4
DAYS = st.integers(0, 160).map(lambda day: FIRST + day * DAY)
AMOUNTS = st.none() | st.integers(1, 90_000).map(lambda cents: Decimal(cents * 7) / 100)
QUARTERS = {"2026-Q1": (FIRST, date(2026, 4, 1)), "2026-Q2": (date(2026, 4, 1), date(2026, 7, 1))}


@dataclass(frozen=True)
class Sale:
    company: int | None
    outcome: str
    opened: date
    took: int
    amount: Decimal | None
    closing: date | None

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
)
COSTS = st.builds(
    *(Cost, DAYS, st.integers(1, 70), st.integers(0, 10**7)),
    st.integers(201, 202),
    st.sampled_from(["ads", "ads", "books"]),
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
        companies = [(UUID(int=1 + number), f"Firm {number}") for number in range(COMPANIES)]
        await session.copy("company", ["id", "name"], companies)
        await session.copy("campaign", ["id", "name"], [(UUID(int=201), "Fair"), (UUID(int=202), "Ads")])
    return module_database


async def load(session: WriteSession, sales: list[Sale], costs: list[Cost]) -> None:
    """Replace the deals and the costs in the database. An open deal has never been anything else."""
    await session.script("delete from deal_version; delete from deal; delete from campaign_cost")
    names = ["id", "company_id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
    rows = [
        (
            *(UUID(int=100 + number), None if sale.company is None else UUID(int=1 + sale.company), sale.outcome),
            *(noon(sale.opened), sale.closed_at, sale.closed_at or noon(sale.opened), sale.amount),
            *(None if sale.amount is None else "EUR", sale.closing),
        )
        for number, sale in enumerate(sales)
    ]
    await session.copy("deal", [*names, "close_date"], rows)
    spent = [
        (
            *(cost.source, UUID(int=300 + number), UUID(int=cost.campaign), cost.first),
            *(cost.first + cost.days * DAY, Decimal(cost.cents) / 100, "EUR"),
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
            requests = [KpiRequest(key, days, switches=Switches(as_of=as_of)) for key in COUNTED_IN_A_WORLD]
            for answer in await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW):
                assert isinstance(answer, KpiAnswer), answer
                compare(answer, books, days, as_of or NOW)


def compare(answer: KpiAnswer, books: EconomicsBooks, days: Period, as_of: datetime) -> None:
    if {warning.code for warning in answer.warnings} & MISSING:
        assert (answer.value, answer.parts) == (None, ())
        return
    counted = books.parts(days.starts_on, days.before, as_of)
    for part in answer.parts:
        exact = counted[part.name]
        expected = None if exact is None else pytest.approx(float(exact), abs=0.0051)
        assert (None if part.value is None else float(part.value)) == expected, (answer.key, part.name)
    if "campaign_cost" in {part.name for part in answer.parts}:
        doubled = [warning.count for warning in answer.warnings if warning.code is WarningCode.COST_SOURCES_OVERLAP]
        assert sum(count or 0 for count in doubled) == books.doubled_campaigns(days.starts_on, days.before, as_of)
        assert 0 not in doubled
    value = formula(answer.key, counted)
    assert (None if answer.value is None else float(answer.value)) == (
        None if value is None else pytest.approx(float(value), rel=1e-6, abs=0.0051)
    ), answer.key
    assert answer.value is not None or answer.warnings, answer.key
