"""The plan and the split of a sample company agree with counts in plain Python from its raw rows."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil, prod
from typing import Any

from api.access.principal import LOCAL_OPERATOR
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.planning.plan_request import RevenuePlanRequest, RevenueVarianceRequest
from api.metrics.planning.revenue_plan import query_revenue_plan
from api.metrics.planning.revenue_variance import query_revenue_variance
from schema.kpis.planning import VarianceBaseline
from tests.metrics.deal_books import Books
from tests.sample.conftest import STAGES, Sample

NOW = datetime(2026, 3, 1, tzinfo=UTC)
MEASURED = (datetime(2025, 1, 1, tzinfo=UTC), datetime(2025, 10, 1, tzinfo=UTC))
QUARTER = (date(2026, 4, 1), date(2026, 7, 1))
WINDOWS = {"inquiry": 90, "mql": 14, "sal": 14, "sql": 30}
DAY, TARGET = timedelta(days=1), Decimal("750000.00")
Row = dict[str, Any]
Step = tuple[Fraction, Counter[int], Counter[date]]  # the rate, the lags, and the entries by day


async def test_the_plan_is_that_of_the_raw_rows(sample: Sample) -> None:
    async with sample.database.read() as session:
        request = RevenuePlanRequest(
            period=period(*QUARTER), amount=TARGET, measured_over=period(*(edge.date() for edge in MEASURED))
        )
        found = await query_revenue_plan(session, LOCAL_OPERATOR, request, now=NOW)
        books = await Books.read(session, UTC, "EUR")
    steps = [*await people_steps(sample, books), *deal_steps(books)]
    assert [step.stage for step in found.steps] == [*STAGES[:-1], None, None]
    chains = [Counter({0: 1})]
    for _, lags, _ in reversed(steps):
        longer = Counter[int]()
        for lag, cases in lags.items():
            for more, others in chains[-1].items():
                longer[lag + more] += cases * others
        chains.append(longer)
    for place, (answer, (_, _, entered), chain) in enumerate(zip(found.steps, steps, reversed(chains), strict=False)):
        exact = Fraction(TARGET) / prod((rate for rate, _, _ in steps[place:]), start=Fraction(1))
        assert answer.needed == ceil(exact), answer.title
        standing = Fraction(0)
        for day, count in entered.items():
            wins = sum(cases for lag, cases in chain.items() if QUARTER[0] <= day + lag * DAY < QUARTER[1])
            standing += Fraction(count * wins, chain.total())
        assert abs(Fraction(answer.standing or 0) - standing) < Fraction(1, 10**5), answer.title
        assert answer.owed == ceil(max(Fraction(0), exact - standing)) == sum(part.owed for part in answer.buckets)
        assert answer.needed == sum(part.needed for part in answer.buckets)
        assert answer.residual is not None
        assert answer.residual >= 0


async def people_steps(sample: Sample, books: Books) -> list[Step]:
    counted = {row["id"] for row in await sample.rows("contact") if not row["is_test"] and not row["is_internal"]}
    first: dict[str, dict[object, Row]] = {stage: {} for stage in STAGES}
    own: dict[str, dict[object, datetime]] = {stage: {} for stage in STAGES}
    for row in await sample.rows("stage_entry", "entered_at"):
        if row["contact_id"] in counted:
            first[str(row["stage"])].setdefault(row["contact_id"], row)
            at, known = row["own_at"], own[str(row["stage"])]
            if isinstance(at, datetime):
                known[row["contact_id"]] = min(at, known.get(row["contact_id"], at))
    opened = sum(MEASURED[0] <= deal["opened_at"] < MEASURED[1] for deal in new_business(books))
    found: list[Step] = []
    for stage, above in zip(STAGES[:-1], [*STAGES[1:-1], None], strict=True):
        entered = Counter(row["entered_at"].date() for row in first[stage].values())
        base = {key: row for key, row in first[stage].items() if within(row["entered_at"])}
        if above is None:
            found.append((Fraction(opened, len(base)), Counter({0: 1}), entered))
            continue
        limit = WINDOWS[stage] * DAY if stage in WINDOWS else None
        pairs = [(row, first[above][key]) for key, row in base.items() if key in first[above]]
        converted = [pair for pair in pairs if reaches(pair[0]["entered_at"], pair[1]["entered_at"], limit)]
        found.append((Fraction(len(converted), len(base)), Counter(own_lags(own[stage], own[above], limit)), entered))
    return found


def own_lags(base: dict[object, datetime], target: dict[object, datetime], limit: timedelta | None) -> Iterator[int]:
    """The days between the first own facts for both stages, of those who have the lower in the period."""
    for key, start in base.items():
        if key in target and within(start) and reaches(start, target[key], limit):
            yield (target[key] - start).days


def reaches(start: datetime, end: datetime, limit: timedelta | None) -> bool:
    return start <= end and (limit is None or end - start <= limit)


def deal_steps(books: Books) -> list[Step]:
    deals = new_business(books)
    closed = [deal for deal in deals if deal["closed_at"] is not None and within(deal["closed_at"])]
    won = [deal for deal in closed if deal["outcome"] == "WON"]
    lags = Counter((deal["closed_at"] - deal["opened_at"]).days for deal in won)
    opened = Counter(deal["opened_at"].date() for deal in deals)
    size = replace(books, deals=deals).figure("avg_deal_size", *MEASURED, NOW)
    amounts = [amount for amount in size.given if amount is not None]
    exact = Fraction(sum(amounts, Decimal(0))) / len(amounts)
    wins = Counter(deal["closed_at"].date() for deal in deals if deal["outcome"] == "WON")
    return [(Fraction(len(won), len(closed)), lags, opened), (exact, Counter({0: 1}), wins)]


def countable(books: Books) -> list[Row]:
    return [deal for deal in books.deals if books._reason(deal) is None]


def new_business(books: Books) -> list[Row]:
    return [deal for deal in countable(books) if books._is_new_business(deal)]


def within(at: datetime) -> bool:
    return MEASURED[0] <= at < MEASURED[1]


async def test_the_parts_of_every_quarter_sum_to_its_change(sample: Sample) -> None:
    for name in ("2025-Q2", "2025-Q3", "2025-Q4"):
        async with sample.database.read() as session:
            request = RevenueVarianceRequest(period=named_period(name), compare_to=VarianceBaseline.PREVIOUS)
            found = await query_revenue_variance(session, LOCAL_OPERATOR, request, now=NOW)
            books = await Books.read(session, UTC, "EUR")
        won = []
        for days in (found.baseline, found.period):
            assert days.starts_on is not None
            assert days.before is not None
            start, before = (
                datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (days.starts_on, days.before)
            )
            won.append(books.figure("revenue_won", start, before, NOW).value)
        assert [found.before, found.after] == won
        assert sum((part.amount for part in found.parts), Decimal(0)) == found.change
