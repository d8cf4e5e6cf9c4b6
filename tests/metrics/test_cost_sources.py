"""Costs of one campaign from two sources: both count, and a warning says for how many campaigns days count twice."""

from datetime import UTC, date, datetime
from decimal import Decimal
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import AnswerWarning, KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.economics import Economics
from schema.clauses.reporting import Reporting
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Currency, Grain

NOW = datetime(2026, 5, 1, tzinfo=UTC)
READ_COSTS = ("cac", "ltv_cac", "cac_payback_months")
FAIR, ADS, MAILS = (UUID(int=number) for number in (201, 202, 203))
AGREED = {
    "gross_margin": "0.8",
    "monthly_churn": "0.04",
    "sales_costs": [{"from": "2026-01", "per_month": 0}],
}

Cost = tuple[UUID, str, str, str, str]  # campaign, source, first day, the day after the last one, currency


@pytest.fixture(scope="module")
async def firm(module_database: Database) -> Database:
    """A customer won in every month, and three campaigns without costs."""
    async with module_database.write() as session:
        document = read_accord("standard").model_copy(
            update={"economics": Economics.model_validate(AGREED), "reporting": Reporting(currency=Currency.EUR)}
        )
        await adopt_accord(session, document)
        await session.copy("company", ["id", "name"], [(UUID(int=number), f"Firm {number}") for number in (1, 2, 3, 4)])
        names = ["id", "company_id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
        won = [(number, datetime(2026, number, 5, 12, tzinfo=UTC)) for number in (1, 2, 3, 4)]
        rows = [
            (UUID(int=100 + number), UUID(int=number), "WON", at, at, at, Decimal(9000), "EUR") for number, at in won
        ]
        await session.copy("deal", names, rows)
        campaigns = [(FAIR, "Fair"), (ADS, "Ads"), (MAILS, "Mails")]
        await session.copy("campaign", ["id", "name"], campaigns)
    return module_database


async def answers_with(
    firm: Database, costs: list[Cost], request: KpiRequest, *, keys: tuple[str, ...] = READ_COSTS, more: str = ""
) -> list[KpiAnswer]:
    """The answers of the KPIs if the campaigns have these costs of 100 each."""
    columns = ["id", "campaign_id", "source", "from_on", "before_on", "currency", "cost"]
    rows = [
        (UUID(int=300 + place), campaign, source, day(first), day(before), currency, Decimal(100))
        for place, (campaign, source, first, before, currency) in enumerate(costs)
    ]
    async with firm.write() as session:
        await session.script("delete from campaign_cost; update campaign set deleted_at = null")
        await session.copy("campaign_cost", columns, rows)
        if more:
            await session.script(more)
    async with firm.read() as session:
        requests = [KpiRequest(key, request.period, switches=request.switches, grain=request.grain) for key in keys]
        answers = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
    assert all(isinstance(answer, KpiAnswer) for answer in answers), answers
    return [answer for answer in answers if isinstance(answer, KpiAnswer)]


async def warned_of(
    firm: Database, costs: list[Cost], period: str, as_of: datetime | None = None, more: str = ""
) -> int | None:
    """How many campaigns all KPIs that read costs warn of; None if none of them warns."""
    request = KpiRequest("cac", named_period(period), switches=Switches(as_of=as_of))
    answers = await answers_with(firm, costs, request, more=more)
    [counts] = {tuple(warning.count for warning in overlaps(answer)) for answer in answers}
    assert len(counts) < 2
    return counts[0] if counts else None


def overlaps(answer: KpiAnswer) -> list[AnswerWarning]:
    return [warning for warning in answer.warnings if warning.code is WarningCode.COST_SOURCES_OVERLAP]


def day(text: str) -> date:
    return date.fromisoformat(f"2026-{text}")


def cost(campaign: UUID, source: str, first: str, before: str, currency: str = "EUR") -> Cost:
    return campaign, source, first, before, currency


TWICE = [cost(FAIR, "google_ads", "02-01", "03-01"), cost(FAIR, "ledger", "02-01", "03-01")]


async def test_costs_of_two_sources_count_both_and_warn(firm: Database) -> None:
    costs = [*TWICE, cost(ADS, "ledger", "02-01", "03-01")]
    for answer in await answers_with(firm, costs, KpiRequest("cac", named_period("2026-02"))):
        [spent] = [part for part in answer.parts if part.name == "campaign_cost"]
        assert [spent.value, spent.n] == [300, 3]
        [warning] = overlaps(answer)
        assert (warning.count, warning.message) == (
            1,
            (
                "Campaign cost: 1 campaign has costs of different sources for the same days of the period. All of them "
                "count. If two sources report the same money, delete the costs of one of them."
            ),
        )
        assert answer.value is not None


async def test_a_campaign_counts_once_however_many_costs_share_days(firm: Database) -> None:
    weeks = [cost(FAIR, "google_ads", first, before) for first, before in (("02-01", "02-08"), ("02-08", "02-15"))]
    three = [cost(FAIR, source, "02-01", "03-01") for source in ("ledger", "agency")]
    other = [cost(MAILS, source, "02-10", "02-12") for source in ("google_ads", "ledger")]
    assert await warned_of(firm, [*weeks, *three, *other], "2026-02") == 2


async def test_a_campaign_counts_once_in_currencies_without_a_rate(firm: Database) -> None:
    costs = [cost(FAIR, source, "02-01", "03-01", code) for source, code in (("google_ads", "EUR"), ("ledger", "JPY"))]
    [answer] = await answers_with(firm, costs, KpiRequest("cac", named_period("2026-02")), keys=("cac",))
    assert WarningCode.MISSING_RATE in {warning.code for warning in answer.warnings}
    assert [warning.count for warning in overlaps(answer)] == [1]


@pytest.mark.parametrize(
    ("costs", "expected"),
    [
        pytest.param([TWICE[0]], None, id="one source"),
        pytest.param([TWICE[0], cost(ADS, "ledger", "02-01", "03-01")], None, id="other campaigns"),
        pytest.param([TWICE[0], cost(FAIR, "google_ads", "02-10", "02-20")], None, id="the same source"),
        pytest.param(
            [cost(FAIR, "google_ads", "02-01", "02-11"), cost(FAIR, "ledger", "02-11", "03-01")],
            None,
            id="neighbouring days",
        ),
        pytest.param(
            [cost(FAIR, "google_ads", "02-01", "02-12"), cost(FAIR, "ledger", "02-11", "03-01")], 1, id="one shared day"
        ),
        pytest.param(
            [cost(FAIR, "google_ads", "01-01", "02-10"), cost(FAIR, "ledger", "01-20", "02-01")],
            None,
            id="shared days before the period",
        ),
        pytest.param(
            [cost(FAIR, "google_ads", "01-01", "02-02"), cost(FAIR, "ledger", "01-20", "02-02")],
            1,
            id="the first day of the period alone",
        ),
        pytest.param(
            [cost(FAIR, "google_ads", "02-27", "03-10"), cost(FAIR, "ledger", "03-01", "03-10")],
            None,
            id="shared days after the period",
        ),
        pytest.param(
            [cost(FAIR, "google_ads", "02-28", "03-10"), cost(FAIR, "ledger", "02-28", "03-10")],
            1,
            id="the last day of the period alone",
        ),
    ],
)
async def test_a_shared_day_within_the_period_decides(firm: Database, costs: list[Cost], expected: int | None) -> None:
    assert await warned_of(firm, costs, "2026-02") == expected


async def test_days_after_as_of_are_not_read(firm: Database) -> None:
    costs = [cost(FAIR, "google_ads", "02-01", "03-01"), cost(FAIR, "ledger", "02-15", "03-01")]
    assert await warned_of(firm, costs, "2026-02", datetime(2026, 2, 14, 23, tzinfo=UTC)) is None
    assert await warned_of(firm, costs, "2026-02", datetime(2026, 2, 15, 1, tzinfo=UTC)) == 1


async def test_deleted_costs_are_not_read(firm: Database) -> None:
    assert await warned_of(firm, TWICE, "2026-02") == 1
    without = "update campaign_cost set deleted_at = now() where source = 'ledger'"
    assert await warned_of(firm, TWICE, "2026-02", more=without) is None
    assert await warned_of(firm, TWICE, "2026-02", more="update campaign set deleted_at = now()") is None


async def test_a_series_counts_a_campaign_of_several_buckets_once(firm: Database) -> None:
    costs = [cost(FAIR, "google_ads", "01-10", "04-10"), cost(FAIR, "ledger", "01-20", "03-20")]
    request = KpiRequest("cac", named_period("2026-Q1"), grain=Grain.MONTH)
    [answer] = await answers_with(firm, costs, request, keys=("cac",))
    assert [warning.count for warning in overlaps(answer)] == [1]
    assert len(answer.series) == 3


async def test_kpis_that_read_no_costs_do_not_warn(firm: Database) -> None:
    [answer] = await answers_with(firm, TWICE, KpiRequest("ltv", named_period("2026-02")), keys=("ltv",))
    assert overlaps(answer) == []
