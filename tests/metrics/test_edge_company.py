"""Every KPI of deals over a company of edge cases is the count in plain Python, at and around every instant."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.vocab import RecordSide
from tests.metrics.deal_books import Books
from tests.metrics.edge_company import NOW, ZONE, accord_in_euros, at, write_edge_company

KEYS = (
    "opportunities_created",
    "deals_won",
    "new_customers",
    "win_rate",
    "win_rate_value",
    "sales_cycle",
    "revenue_won",
    "avg_deal_size",
    "pipeline_created",
    "open_pipeline",
    "weighted_pipeline",
)
MOMENT = timedelta(microseconds=1)
# Instants at which something happens, and those beside them.
BORDERS = [
    at(text) + shift
    for text in ("02-10", "03-20", "04-01 00:00", "05-02", "06-10", "07-09")
    for shift in (-MOMENT, timedelta(0), MOMENT)
]
EDGES = (ALL_HISTORY, named_period("2026-03"))


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    accord = Accord.model_validate_json(accord_in_euros(read_accord("standard").canonical()))
    async with module_database.write() as session:
        await adopt_accord(session, accord)
        await write_edge_company(session)
    return module_database


@pytest.mark.parametrize("key", KEYS)
async def test_a_kpi_of_deals_is_the_count_by_hand(key: str, company: Database) -> None:
    async with company.read() as session:
        books = await Books.read(session, ZONE, "EUR")
        months = [named_period(f"2026-{month:02}") for month in range(1, 10)]
        cases = [(period, None) for period in months] + [(period, as_of) for period in EDGES for as_of in BORDERS]
        requests = [KpiRequest(key, period, switches=Switches(as_of=as_of)) for period, as_of in cases]
        answers = await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW)
        for (period, as_of), answer in zip(cases, answers, strict=True):
            assert isinstance(answer, KpiAnswer), answer
            start, before = (midnight(day) if day else None for day in (period.starts_on, period.before))
            if start is not None and start > (as_of or NOW):
                continue  # has not begun
            expected = books.figure(key, start, before, as_of or NOW)
            where = f"{key} {period} {as_of}"
            assert {part.reason.value: part.count for part in answer.excluded.reasons} == +expected.excluded, where
            assert answer.n == expected.n, where
            assert answer.value == (
                None if expected.value is None else pytest.approx(expected.value, abs=Decimal("1e-6"))
            ), where
            assert answer.drill_down is not None
            page = await read_page(session, answer.drill_down, RecordSide.BASE, size=50)
            given = sorted((record.value for record in page.records), key=_none_first)
            assert given == sorted(expected.given, key=_none_first), where


def midnight(day: object) -> datetime:
    return datetime.fromisoformat(f"{day}T00:00:00").replace(tzinfo=ZONE)


def _none_first(value: Decimal | None) -> tuple[bool, Decimal]:
    return value is not None, value or Decimal(0)
