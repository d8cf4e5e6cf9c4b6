"""The lifetime value of customers by what their company is, which changes between two of its deals."""

from datetime import date
from decimal import Decimal
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.economics import Economics
from schema.kpis.dimension_vocab import Dimension
from tests.metrics.test_economics_against_oracle import NOW, QUARTERS, Sale, load, noon
from tests.support.accords import replace_document


@pytest.mark.parametrize(
    ("dimension", "before", "since"),
    [(Dimension.COMPANY_SIZE, "1-10", "51-250"), (Dimension.INDUSTRY, "Tools", "Cars")],
)
async def test_a_customer_is_in_the_group_of_their_first_win_and_revenue_in_that_of_its_own(
    database: Database, dimension: Dimension, before: str, since: str
) -> None:
    """The company grew, and changed its trade, between its two deals: the second group has revenue and no customer."""
    firm_id, turn = UUID(int=1), date(2026, 3, 1)
    stated = Economics.model_validate({"gross_margin": "0.5", "monthly_churn": "0.1"})
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await replace_document(session, read_accord("standard").model_copy(update={"economics": stated}))
        await session.script("set local accord.history_is_given = on")
        await session.copy("company", ["id", "name", "industry", "employees"], [(firm_id, "Firm", "Cars", 100)])
        names = ["company_id", "valid_from", "valid_to", "is_assumed", "name", "industry", "employees"]
        versions = [
            (firm_id, noon(date(2025, 1, 1)), noon(turn), False, "Firm", "Tools", 5),
            (firm_id, noon(turn), None, False, "Firm", "Cars", 100),
        ]
        await session.copy("company_version", names, versions)
        await session.script("set local accord.history_is_given = off")
        won = [
            Sale(0, "WON", date(2026, 1, 5), 5, Decimal(1000), None, "EUR"),
            Sale(0, "WON", date(2026, 3, 10), 5, Decimal(3000), None, "EUR"),
        ]
        await load(session, won, [])
    async with database.read() as session:
        request = KpiRequest("ltv", period(*QUARTERS["2026-Q1"]), by=(dimension,))
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(answer, KpiAnswer), answer
    assert answer.value == round(Decimal(4000) / 3 * 5, 2)
    groups = {group.keys[0].value: group for group in answer.breakdown}
    parts = {key: {part.name: part.value for part in group.parts} for key, group in groups.items()}
    assert [groups[before].value, groups[since].value] == [round(Decimal(1000) / 3 * 5, 2), None]
    assert [parts[key]["customers"] for key in (before, since)] == [Decimal(1), Decimal(0)]
    assert [parts[key]["revenue_won"] for key in (before, since)] == [Decimal(1000), Decimal(3000)]
