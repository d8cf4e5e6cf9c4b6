"""Comparisons equal an independent count of both sides, by group and bucket, over generated deals."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import ComparedFigure, KpiAnswer, KpiFigure
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ComparedTo, KpiRequest, Period
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.comparisons import Comparand, ComparedSpan
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, RecordSide
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
OWNERS = {"Ada": UUID(int=21), "Ben": UUID(int=22), "Cyd": UUID(int=23)}


@dataclass(frozen=True)
class Sale:
    closed: datetime
    is_won: bool
    owner: str | None
    amount: int | None


@dataclass(frozen=True)
class Case:
    """A period, what it is compared with, and by hand: its days, those of the other side, and that side's `asOf`."""

    compared_to: ComparedTo
    days: tuple[date, date]
    other: tuple[date, date]
    as_of: datetime = NOW
    months: int = 1  # buckets of the other side


def case(
    comparand: Comparand, days: tuple[str, str], other: tuple[str, str], span: ComparedSpan, as_of: datetime = NOW
) -> Case:
    start, before, other_start, other_before = (date.fromisoformat(day) for day in (*days, *other))
    return Case(ComparedTo(comparand, span), (start, before), (other_start, other_before), as_of)


PREVIOUS, LAST_YEAR = Comparand.PREVIOUS_PERIOD, Comparand.SAME_PERIOD_LAST_YEAR
TO_DATE, WHOLE, SAME_AGE = ComparedSpan
APRIL, MARCH = ("2026-04-01", "2026-05-01"), ("2026-03-01", "2026-04-01")
CASES = (
    case(PREVIOUS, MARCH, ("2026-02-01", "2026-03-01"), TO_DATE),
    case(PREVIOUS, APRIL, ("2026-03-01", "2026-03-21"), TO_DATE),
    case(PREVIOUS, APRIL, MARCH, WHOLE),
    case(PREVIOUS, APRIL, MARCH, SAME_AGE, datetime(2026, 3, 20, 12, tzinfo=UTC)),
    case(PREVIOUS, ("2026-02-10", "2026-03-02"), ("2026-01-21", "2026-02-10"), TO_DATE),
    case(PREVIOUS, ("2026-01-01", "2026-04-01"), ("2025-10-01", "2026-01-01"), TO_DATE),
    case(LAST_YEAR, APRIL, ("2025-04-01", "2025-04-21"), TO_DATE),
    case(LAST_YEAR, MARCH, ("2025-03-01", "2025-04-01"), TO_DATE),
)
# Most lie in the days of the cases: spring of both years, the present one twice, and the winter between them.
HOURS = st.one_of(
    st.integers(0, 65 * 24), st.integers(370 * 24, 425 * 24), st.integers(370 * 24, 425 * 24), st.integers(0, 430 * 24)
)
SALES = st.builds(
    Sale,
    HOURS.map(lambda hours: datetime(2025, 2, 20, tzinfo=UTC) + timedelta(hours=hours)),
    st.booleans(),
    st.sampled_from([*OWNERS, None]),
    st.none() | st.integers(1, 900),
)


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await session.copy("member", ["id", "name"], [(key, name) for name, key in OWNERS.items()])
    return module_database


async def load(database: Database, sales: list[Sale]) -> None:
    rows = [
        (
            UUID(int=1000 + number),
            "WON" if sale.is_won else "LOST",
            sale.closed,
            sale.closed,
            sale.amount,
            "EUR" if sale.amount else None,
            OWNERS[sale.owner] if sale.owner else None,
        )
        for number, sale in enumerate(sales)
    ]
    async with database.write() as session:
        await session.script("delete from deal_version; delete from deal")
        names = ["id", "outcome", "closed_at", "effective_at", "amount", "currency", "owner_id"]
        await session.copy("deal", names, rows)


def midnight(day: date) -> datetime:
    return datetime.combine(day, time.min, tzinfo=UTC)


def counted(sales: list[Sale], days: tuple[date, date], as_of: datetime) -> list[Sale]:
    return [sale for sale in sales if midnight(days[0]) <= sale.closed < midnight(days[1]) and sale.closed <= as_of]


def value_of(key: str, sales: list[Sale]) -> Fraction | None:
    """The value, not rounded."""
    won = [sale for sale in sales if sale.is_won]
    match key:
        case "deals_won":
            return Fraction(len(won))
        case "revenue_won":
            known = [sale.amount for sale in won if sale.amount is not None]
            return None if won and not known else Fraction(sum(known))
        case _:
            return Fraction(len(won), len(sales)) if sales else None


def displayed(value: Fraction | None) -> Decimal | None:
    return None if value is None else Decimal(round(value * 1_000_000)) / 1_000_000


def expect(shown: ComparedFigure, value: Fraction | None, other: Fraction | None) -> None:
    now, then = displayed(value), displayed(other)
    assert shown.value == then
    assert shown.change == (None if now is None or then is None else now - then)
    if value is None or not other:
        assert shown.relative_change is None
    else:
        assert shown.relative_change is not None
        assert abs(Fraction(shown.relative_change) - (value - other) / other) <= Fraction(1, 2_000_000)


def is_before_data(sales: list[Sale], days: tuple[date, date], as_of: datetime) -> bool:
    return bool(sales) and not counted(sales, days, as_of) and min(sale.closed for sale in sales) >= midnight(days[1])


@settings(QUICK, max_examples=examples(150))
@given(
    sales=st.lists(SALES, min_size=1, max_size=25),
    key=st.sampled_from(["deals_won", "revenue_won", "win_rate"]),
    chosen=st.sampled_from(CASES),
)
async def test_every_comparison_equals_the_oracle(ready: Database, sales: list[Sale], key: str, chosen: Case) -> None:
    await load(ready, sales)
    request = KpiRequest(
        key, Period(*chosen.days), grain=Grain.MONTH, by=(Dimension.OWNER,), compare_to=chosen.compared_to
    )
    async with ready.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
        assert isinstance(answer, KpiAnswer), answer
        found = answer.comparison
        assert found is not None
        assert (found.period.starts_on, found.period.before, found.as_of) == (*chosen.other, chosen.as_of)
        now, then = counted(sales, chosen.days, NOW), counted(sales, chosen.other, chosen.as_of)
        # An answer without values has no groups: what is not known is not 0.
        is_known, was_known = (
            not is_before_data(sales, chosen.days, NOW),
            not is_before_data(sales, chosen.other, chosen.as_of),
        )

        def sides(select: Callable[[Sale], bool]) -> tuple[Fraction | None, Fraction | None]:
            value = value_of(key, list(filter(select, now))) if is_known else None
            return value, value_of(key, list(filter(select, then))) if was_known else None

        expect(found, *sides(lambda _sale: True))
        groups = [group.keys for group in answer.breakdown]
        assert [group.keys for group in found.breakdown[: len(groups)]] == groups
        for group in found.breakdown:
            owner = group.keys[0].value
            expect(group, *sides(lambda sale, owner=owner: sale.owner == owner))  # type: ignore[misc]
            await records_add_up(session, group, key)
        shown = {group.keys[0].value for group in found.breakdown}
        assert shown == {sale.owner for sale in (*now, *then) if key == "win_rate" or sale.is_won}
        parts_add_up(answer)


async def records_add_up(session: object, group: KpiFigure, key: str) -> None:
    """The records behind a figure of the other side are as many as it counts."""
    if group.drill_down is None:
        assert group.n == 0
        return
    page = await read_page(session, group.drill_down, RecordSide.BASE, size=100)  # type: ignore[arg-type]
    assert len(page.records) == group.n
    if key == "revenue_won" and group.value is not None:
        assert sum(record.value or 0 for record in page.records) == group.value


def parts_add_up(answer: KpiAnswer) -> None:
    found = answer.comparison
    assert found is not None
    if answer.denominator is None or found.change is None:
        assert found.drivers is None
        return
    assert found.drivers is not None
    parts, counts = found.drivers.value, found.drivers.numerator
    assert parts.volume + parts.mix + parts.rate == found.change
    assert counts.volume + counts.mix + counts.rate == (answer.numerator or 0) - (found.numerator or 0)
    assert sum(group.mix or 0 for group in found.breakdown) == parts.mix
    assert sum(group.rate or 0 for group in found.breakdown) == parts.rate


@settings(QUICK, max_examples=examples(30))
@given(sales=st.lists(SALES, max_size=25))
async def test_buckets_stand_beside_each_other_by_their_place(ready: Database, sales: list[Sale]) -> None:
    await load(ready, sales)
    quarter = (date(2026, 1, 1), date(2026, 4, 1))
    request = KpiRequest("deals_won", Period(*quarter), grain=Grain.MONTH, compare_to=ComparedTo(PREVIOUS))
    days = KpiRequest(
        "deals_won", Period(date(2026, 2, 1), date(2026, 3, 1)), grain=Grain.DAY, compare_to=ComparedTo(PREVIOUS)
    )
    async with ready.read() as session:
        monthly, daily = await query_kpis(session, LOCAL_OPERATOR, [request, days], now=NOW)
    assert isinstance(monthly, KpiAnswer)
    assert isinstance(daily, KpiAnswer)
    assert monthly.comparison is not None
    assert daily.comparison is not None
    if monthly.comparison.value is not None:
        for bucket, month in zip(monthly.comparison.series, (10, 11, 12), strict=True):
            assert bucket.period == f"2025-{month}"
            expected = sum(sale.is_won and (sale.closed.year, sale.closed.month) == (2025, month) for sale in sales)
            assert bucket.value == expected
    # January has three days more than February: they follow without a change, and the values still add up.
    assert len(daily.comparison.series) == 31
    assert [bucket.change for bucket in daily.comparison.series[28:]] == [None] * 3
    if daily.comparison.value is not None:
        assert sum(bucket.value or 0 for bucket in daily.comparison.series) == daily.comparison.value


async def test_a_group_is_not_zero_in_a_period_before_the_data(ready: Database) -> None:
    await load(ready, [Sale(datetime(2026, 4, 2, tzinfo=UTC), is_won=True, owner="Ada", amount=None)])
    request = KpiRequest(
        "deals_won",
        Period(date(2026, 4, 1), date(2026, 5, 1)),
        by=(Dimension.OWNER,),
        compare_to=ComparedTo(PREVIOUS, WHOLE),
    )
    async with ready.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    assert isinstance(answer, KpiAnswer)
    assert answer.comparison is not None
    [group] = answer.comparison.breakdown
    assert (group.value, group.change, group.keys[0].label) == (None, None, "Ada")
    assert answer.comparison.value is None
