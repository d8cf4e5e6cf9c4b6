"""What an answer says of a comparison: of days that are not as many, of cohorts that are not as old, and of changes."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.comparisons.changes import NO_FIGURE, relative_change
from api.metrics.figure_table import share
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import ComparedTo, KpiRequest
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.comparisons import Comparand, ComparedSpan
from tests.golden import world

NOW = datetime(2026, 3, 20, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
async def golden(module_database: Database) -> Database:
    async with module_database.write() as session:
        await world.load(session)
        await evaluate(session)
    return module_database


async def compared(database: Database, key: str, name: str, span: ComparedSpan) -> dict[WarningCode, list[str]]:
    """The messages of the comparison with the period before, by code."""
    request = KpiRequest(key, named_period(name), compare_to=ComparedTo(Comparand.PREVIOUS_PERIOD, span))
    async with database.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(found, KpiAnswer), found
    assert found.comparison is not None
    messages: dict[WarningCode, list[str]] = {}
    for warning in found.comparison.warnings:
        messages.setdefault(warning.code, []).append(warning.message)
    return messages


@pytest.mark.parametrize("key", ["mqls", "revenue_won", "orphan_hours"])
async def test_what_is_more_in_more_days_is_said_to_be_of_more_days(golden: Database, key: str) -> None:
    [message] = (await compared(golden, key, "2026-02", ComparedSpan.WHOLE))[WarningCode.UNEQUAL_PERIODS]
    assert message.startswith("28 days of the period are compared with 31 days")


@pytest.mark.parametrize("key", ["inquiry_to_mql", "open_pipeline"])
async def test_of_rates_and_states_the_days_do_not_matter(golden: Database, key: str) -> None:
    assert WarningCode.UNEQUAL_PERIODS not in await compared(golden, key, "2026-02", ComparedSpan.WHOLE)


async def test_a_younger_cohort_is_said_to_be_younger_unless_both_are_of_the_same_age(golden: Database) -> None:
    said = {
        span: any("longer to convert" in message for message in messages.get(WarningCode.OPEN_COHORT, []))
        for span in ComparedSpan
        for messages in [await compared(golden, "inquiry_to_mql", "2026-02", span)]
    }
    assert said == {ComparedSpan.TO_DATE: True, ComparedSpan.WHOLE: True, ComparedSpan.SAME_AGE: False}


@pytest.mark.parametrize(
    ("value", "other", "change"),
    [(3, 2, Decimal("0.5")), (-3, 2, Decimal("-2.5")), (3, 0, None), (3, -2, None), (None, 2, None), (3, None, None)],
)
def test_a_change_is_a_share_of_what_is_above_zero(
    value: int | None, other: int | None, change: Decimal | None
) -> None:
    after, before = (replace(NO_FIGURE, value=None if it is None else Decimal(it)) for it in (value, other))
    assert relative_change(after, before) == change


def test_a_relative_change_is_that_of_the_values_before_they_were_rounded() -> None:
    now, then = (
        replace(NO_FIGURE, value=share(part, whole), numerator=Decimal(part), denominator=Decimal(whole), n=whole)
        for part, whole in ((49, 312), (51, 257))
    )
    assert relative_change(now, then) == Decimal("-0.208585")  # of the rounded values it is -0.208588
    # The quotient of a formula's numerator and denominator is not its value.
    tenfold = replace(now, value=Decimal("1.570513"))
    assert relative_change(tenfold, then) == Decimal("6.914154")
