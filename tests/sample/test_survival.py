"""The median time in a stage by Kaplan and Meier equals a product-limit estimate in exact fractions, from raw rows."""

from datetime import UTC, date, datetime
from fractions import Fraction

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Period, Switches
from api.sql import Sql
from api.workflows.make_sample import make_sample
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.variants import VariantRule
from schema.vocab import Grain, Skip
from tests.sample.people_books import Row

NOW = datetime(2026, 3, 2, tzinfo=UTC)
PERIOD = Period(date(2025, 10, 1), date(2026, 3, 1))


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    async with module_database.write() as session:
        await make_sample(session, contacts=600, seed=5, until=date(2026, 3, 1))
    return module_database


def median(stays: list[Row]) -> float | None:
    """The shortest length after which at most half are left; None if more than half are left."""
    lengths = [((row["exited_at"] or NOW) - row["entered_at"], row["exited_at"] is not None) for row in stays]
    left = Fraction(1)
    for length in sorted({length for length, has_ended in lengths if has_ended}):
        at_risk = sum(other >= length for other, _ in lengths)
        left *= 1 - Fraction(lengths.count((length, True)), at_risk)
        if left <= Fraction(1, 2):
            return float(length.total_seconds())
    return None


def survived(figure: KpiFigure) -> float | None:
    [variant] = [one for one in figure.variants if one.rule is VariantRule.KAPLAN_MEIER]
    assert (variant.value is None) is (variant.reason is not None)
    return None if variant.value is None else float(variant.value)


async def test_the_median_of_all_stays_is_the_product_limit(company: Database) -> None:
    request = KpiRequest(
        "time_in_stage", PERIOD, Grain.MONTH, by=(Dimension.STAGE,), switches=Switches(skip=Skip.IMPLIED)
    )
    query = (
        "select e.stage, e.entered_at, case when e.exited_at <= {} then e.exited_at end as exited_at"
        " from stage_entry e join contact c on c.id = e.contact_id where e.entered_at between {} and {}"
        " and not (c.is_test or c.is_internal) and c.deleted_at is null and c.merged_into_id is null"
        " and e.evaluation_id = (select id from evaluation where is_current)"
    )
    first, last = datetime(2025, 10, 1, tzinfo=UTC), datetime(2026, 2, 28, 23, 59, 59, 999999, tzinfo=UTC)
    async with company.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
        rows = [dict(row) for row in await session.rows(Sql(query, NOW, first, last))]
    assert isinstance(found, KpiAnswer), found
    months = [(bucket.starts_at, bucket.before) for bucket in found.series]
    assert len(months) == 5
    cells = [(found, rows), *zip(found.series, (_within(rows, *month) for month in months), strict=True)]
    for group in found.breakdown:
        mine = [row for row in rows if row["stage"] == group.keys[0].value]
        cells += [(group, mine), *zip(group.series, (_within(mine, *month) for month in months), strict=True)]
    reached = 0
    for figure, stays in cells:
        expected = median(stays)
        reached += expected is not None
        assert survived(figure) == (None if expected is None else pytest.approx(expected, abs=1e-5))
        ended = [row for row in stays if row["exited_at"] is not None]
        assert figure.n == len(ended)
    assert 5 < reached < len(cells)
    assert survived(found) != float(found.value or 0)


def _within(rows: list[Row], start: datetime, before: datetime) -> list[Row]:
    return [row for row in rows if start <= row["entered_at"] < before]
