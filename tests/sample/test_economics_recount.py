"""The formulas of a sample company are those of the parts counted in plain Python from its raw rows."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from api.workflows.make_sample import make_sample
from schema.clauses.economics import Economics
from schema.clauses.targets import Target
from tests.metrics.economics_books import EconomicsBooks, formula
from tests.support.accords import replace_document
from tests.support.examples import sample_people

UNTIL, NOW = date(2026, 3, 1), datetime(2026, 3, 2, tzinfo=UTC)
COUNTED_IN_THE_SAMPLE = ("cac", "ltv", "ltv_cac", "cac_payback_months", "pipeline_coverage", "sales_velocity")


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=sample_people(900), seed=11, until=UNTIL)
    async with module_database.write() as session:
        stated = {
            "gross_margin": "0.7",
            "monthly_churn": "0.02",
            "sales_costs": [{"from": "2024-01", "per_month": 9000}],
        }
        aim = {"kpi": "revenue_won", "period": "2026-Q1", "value": 10_000_000}
        agreed = {"economics": Economics.model_validate(stated), "targets": (Target.model_validate(aim),)}
        await replace_document(session, read_accord("standard").model_copy(update=agreed))
    return module_database


@pytest.mark.parametrize("within", ["2025-Q3", "2025-11", "2026-Q1"])
async def test_a_formula_of_the_sample_is_the_count_by_hand(within: str, company: Database) -> None:
    period = named_period(within)
    async with company.read() as session:
        books = await EconomicsBooks.read(session)
        requests = [KpiRequest(key, period) for key in COUNTED_IN_THE_SAMPLE]
        answers = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
    books.margin, books.churn, books.sales_costs = Decimal("0.7"), Decimal("0.02"), ((date(2024, 1, 1), Decimal(9000)),)
    books.targets = ((date(2026, 1, 1), date(2026, 4, 1), Decimal(10_000_000)),)
    counted = books.parts(period.starts_on, period.before, NOW)
    for answer in answers:
        assert isinstance(answer, KpiAnswer), answer
        for part in answer.parts:
            exact = counted[part.name]
            expected = None if exact is None else pytest.approx(float(exact), abs=0.0051)
            assert (None if part.value is None else float(part.value)) == expected, (answer.key, part.name)
        value = formula(answer.key, counted)
        assert (None if answer.value is None else float(answer.value)) == (
            None if value is None else pytest.approx(float(value), abs=0.0051)
        ), answer.key
        assert answer.value is not None or answer.key == "pipeline_coverage"
