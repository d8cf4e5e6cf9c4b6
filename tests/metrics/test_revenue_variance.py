"""The split of a change of revenue: examples by hand, and exact sums over made-up deals."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from decimal import Decimal
from fractions import Fraction
from itertools import permutations
from math import prod
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.planning.plan_answer import RevenueVariance
from api.metrics.planning.plan_request import RevenueVarianceRequest
from api.metrics.planning.revenue_variance import query_revenue_variance
from api.metrics.request import Period
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.targets import Target
from schema.kpis.planning import RevenueDriver, VarianceBaseline
from tests.metrics.plan_worlds import DAY, Sold
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples
from tests.support.graphql import put
from tests.support.random_choices import RandomChoices

NOW = datetime(2026, 12, 1, tzinfo=UTC)
Q1, Q2 = named_period("2026-Q1"), named_period("2026-Q2")
PREVIOUS, TARGET = VarianceBaseline.PREVIOUS, VarianceBaseline.TARGET
Counted = dict[str, Fraction | None]


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
    return module_database


async def loaded(database: Database, deals: Iterable[Sold], *, currency: str = "EUR") -> Database:
    rows = []
    for place, deal in enumerate(deals):
        outcome = "OPEN" if deal.closed is None else "WON" if deal.is_won else "LOST"
        stated = None if deal.amount is None else currency
        last = deal.closed or deal.opened
        rows.append((UUID(int=5000 + place), outcome, deal.opened, deal.closed, last, deal.amount, stated))
    async with database.write() as session:
        await session.script("delete from deal_version; delete from deal; delete from deal_version")
        names = ["id", "outcome", "opened_at", "closed_at", "effective_at", "amount", "currency"]
        await session.copy("deal", names, rows)
    return database


async def variance(database: Database, days: Period = Q2, compare_to: VarianceBaseline = PREVIOUS) -> RevenueVariance:
    async with database.read() as session:
        request = RevenueVarianceRequest(period=days, compare_to=compare_to)
        return await query_revenue_variance(session, LOCAL_OPERATOR, request, now=NOW)


def quarter(first_month: int, *, opened: int, won: int, lost: int, amount: int) -> list[Sold]:
    """Deals of a quarter: so many opened in it, of which some are decided in it."""
    start = datetime(2026, first_month, 5, tzinfo=UTC)
    decided = [Sold(start, start + 10 * DAY, place < won, Decimal(amount)) for place in range(won + lost)]
    still_open = [Sold(start, None, is_won=False, amount=Decimal(amount)) for _ in range(opened - won - lost)]
    return [*decided, *still_open]


def parts(found: RevenueVariance) -> dict[RevenueDriver, Decimal]:
    return {part.driver: part.amount for part in found.parts}


async def test_by_hand_what_other_pipelines_bring_is_no_driver(ready: Database) -> None:
    before = quarter(1, opened=10, won=5, lost=5, amount=1000)
    after = quarter(4, opened=12, won=7, lost=5, amount=1000)
    renewed = UUID(int=4000)
    await loaded(ready, [*before, *after])
    # Two of the wins are renewals, of another size.
    won = [UUID(int=5000 + len(before) + place) for place in range(2)]
    async with ready.write() as session:
        await put(session, "pipeline", {"id": renewed, "name": "Renewals", "is_new_business": False})
        stage = {"id": renewed, "pipeline_id": renewed, "name": "Renewed", "rank": 1, "category": "WON"}
        await put(session, "pipeline_stage", stage)
        for table, key in (("deal_version", "deal_id"), ("deal", "id")):
            change = "update {} set pipeline_stage_id = {{}}, amount = 3000 where {} = any ({{}}::uuid[])"
            await session.run(Sql(change.format(table, key), renewed, won))
    found = await variance(ready)
    async with ready.write() as session:
        await session.script("delete from deal_version; delete from deal; delete from deal_version")
        await session.script("delete from pipeline_stage; delete from pipeline")
    drivers = {part.driver: (part.before, part.after) for part in found.parts}
    assert (found.before, found.after) == (Decimal(5000), Decimal(11000))
    assert drivers[RevenueDriver.VOLUME] == (Decimal(10), Decimal(10))
    assert drivers[RevenueDriver.RATE] == (Decimal("0.5"), Decimal("0.5"))
    assert drivers[RevenueDriver.SIZE] == (Decimal(1000), Decimal(1000))
    assert parts(found)[RevenueDriver.ADJUSTMENT] == 6000


async def test_by_hand_a_change_of_one_driver_is_all_its_own(ready: Database) -> None:
    before = quarter(1, opened=20, won=5, lost=5, amount=1000)
    for changed, driver, change in (
        (quarter(4, opened=40, won=10, lost=10, amount=1000), RevenueDriver.VOLUME, 5000),
        (quarter(4, opened=20, won=10, lost=10, amount=1000), RevenueDriver.SPEED, 5000),
        (quarter(4, opened=20, won=8, lost=2, amount=1000), RevenueDriver.RATE, 3000),
        (quarter(4, opened=20, won=5, lost=5, amount=700), RevenueDriver.SIZE, -1500),
    ):
        found = await variance(await loaded(ready, [*before, *changed]))
        assert found.before == 5000
        assert found.change == change
        assert {key: part for key, part in parts(found).items() if part} == {driver: change}


async def test_by_hand_two_drivers_share_what_they_bring_together(ready: Database) -> None:
    deals = [
        *quarter(1, opened=10, won=5, lost=5, amount=1000),
        *quarter(4, opened=20, won=10, lost=10, amount=1500),
    ]
    found = await variance(await loaded(ready, deals))
    # 5,000 becomes 15,000. Twice the volume alone brings 5,000, sizes alone 2,500, both together 2,500 more.
    assert found.change == 10_000
    assert parts(found)[RevenueDriver.VOLUME] == 6250
    assert parts(found)[RevenueDriver.SIZE] == 3750


async def test_a_split_as_of_an_instant_says_so(ready: Database) -> None:
    database = await loaded(ready, quarter(1, opened=10, won=5, lost=5, amount=1000))
    whole = await variance(database, Q1)
    assert (whole.is_canonical, whole.overrides) == (True, ())
    request = RevenueVarianceRequest(period=Q1, compare_to=PREVIOUS, as_of=datetime(2026, 1, 10, tzinfo=UTC))
    async with database.read() as session:
        early = await query_revenue_variance(session, LOCAL_OPERATOR, request, now=NOW)
    assert (early.is_canonical, early.overrides) == (False, ("asOf=2026-01-10T00:00:00Z",))
    assert (whole.after, early.after) == (Decimal(5000), Decimal(0))


async def test_negative_and_unknown_amounts_are_the_adjustment(ready: Database) -> None:
    first, second = (datetime(2026, month, 5, tzinfo=UTC) for month in (1, 4))
    deals = [
        Sold(first, first + DAY, is_won=True, amount=Decimal(1000)),
        Sold(second, second + DAY, is_won=True, amount=Decimal(1000)),
        Sold(second, second + DAY, is_won=True, amount=None),
        Sold(second, second + DAY, is_won=True, amount=Decimal(-300)),
    ]
    found = await variance(await loaded(ready, deals))
    assert found.after == 700
    assert found.change == -300
    # Two wins of 1,000 would be 2,000; the unknown one counts 0, and 300 are taken off.
    assert parts(found)[RevenueDriver.ADJUSTMENT] == -1300
    assert sum(parts(found).values()) == -300


async def test_a_driver_that_a_period_lacks_has_no_part(ready: Database) -> None:
    deals = quarter(4, opened=4, won=2, lost=0, amount=500)
    found = await variance(await loaded(ready, deals), Q2)
    # In the first quarter nothing was opened or decided: all of the change is that of volume.
    assert found.before is None or found.before == 0
    if found.parts:
        assert {key: part for key, part in parts(found).items() if part} == {RevenueDriver.VOLUME: 1000}
    lost = await variance(await loaded(ready, [*deals, *quarter(1, opened=4, won=0, lost=2, amount=500)]))
    assert lost.change == 1000
    assert {part.driver: part.before for part in lost.parts}[RevenueDriver.SIZE] is None
    assert parts(lost) == dict.fromkeys(RevenueDriver, Decimal(0)) | {RevenueDriver.RATE: 1000}


async def test_the_target_of_the_accord_is_a_baseline_and_a_plan(ready: Database) -> None:
    agreed = read_accord("standard")
    months = [Target(kpi="revenue_won", period=f"2026-0{month}", value=Decimal(2000)) for month in (4, 5, 6)]
    past = [
        deal
        for start in (datetime(2025, 4, 5, tzinfo=UTC), datetime(2026, 1, 5, tzinfo=UTC))
        for deal in [Sold(start, start + 9 * DAY, place < 5, Decimal(1000)) for place in range(10)]
    ]
    database = await loaded(ready, [*past, *quarter(4, opened=10, won=4, lost=6, amount=1000)])
    try:
        async with database.write() as session:
            await replace_document(session, agreed.model_copy(update={"targets": tuple(months)}))
        found = await variance(database, Q2, TARGET)
        # The months sum to 6,000. At the rates of the year before, 12 deals were needed, of which one in two is won.
        assert [found.before, found.after, found.change] == [Decimal(6000), Decimal(4000), Decimal(-2000)]
        assert (found.baseline.starts_on, found.baseline.before) == (date(2025, 4, 1), date(2026, 4, 1))
        before = {part.driver: part.before for part in found.parts}
        assert before[RevenueDriver.VOLUME] == 12
        assert parts(found)[RevenueDriver.VOLUME] + parts(found)[RevenueDriver.RATE] == -2000
        with pytest.raises(AccordError) as refused:
            await variance(database, Q1, TARGET)
        assert refused.value.code is ErrorCode.BAD_INPUT
    finally:
        async with database.write() as session:
            await replace_document(session, agreed)


async def test_two_currencies_are_not_compared(ready: Database) -> None:
    agreed = read_accord("standard")
    deals = [
        *quarter(1, opened=2, won=1, lost=1, amount=10),
        *quarter(4, opened=2, won=1, lost=1, amount=10),
    ]
    database = await loaded(ready, deals)
    bare = agreed.model_copy(update={"reporting": agreed.reporting.model_copy(update={"currency": None})})
    try:
        async with database.write() as session:
            await replace_document(session, bare)
            await session.script(
                "set local accord.history_is_given = on;"
                "update deal set currency = 'USD' where closed_at >= '2026-04-01';"
                "update deal_version v set currency = 'USD' from deal d where d.id = v.deal_id and d.currency = 'USD'"
            )
        with pytest.raises(AccordError) as refused:
            await variance(database)
        assert refused.value.code is ErrorCode.MIXED_CURRENCIES
    finally:
        async with database.write() as session:
            await replace_document(session, agreed)


def made_up(choices: RandomChoices) -> list[Sold]:
    deals = []
    for _ in range(choices.integer(0, 25)):
        opened = datetime(2025, 12, 1, tzinfo=UTC) + choices.integer(0, 200) * DAY
        closed = None if choices.happens(6) else opened + choices.integer(0, 60) * DAY
        amount = None if choices.happens(9) else Decimal(choices.integer(-20_000, 900_000)) / 100
        deals.append(Sold(opened, closed, choices.happens(2), amount))
    return deals


@settings(QUICK, max_examples=examples(60))
@given(seed=st.integers(0, 10**9))
async def test_the_parts_sum_to_the_change_of_the_revenue_counted_by_hand(ready: Database, seed: int) -> None:
    choices = RandomChoices.of_seed(seed)
    deals = made_up(choices)
    first = date(2026, 3, 1) + choices.integer(0, 60) * DAY
    days = period(first, first + choices.integer(1, 40) * DAY)
    found = await variance(await loaded(ready, deals), days)
    if found.change is None:
        assert found.parts == ()
        return
    assert found.baseline.starts_on is not None
    assert found.baseline.before == days.starts_on
    assert days.before is not None
    before, after = (
        by_hand(deals, start, end) for start, end in ((found.baseline.starts_on, first), (first, days.before))
    )
    assert (found.before, found.after) == (before["revenue"], after["revenue"])
    assert sum(parts(found).values()) == found.change == (after["revenue"] or 0) - (before["revenue"] or 0)
    exact = average_over_orders(before, after)
    for part in found.parts:
        assert abs(Fraction(part.amount) - exact[part.driver.value]) < Fraction(1, 100)
    for part in found.parts[:4]:
        for value, counted in ((part.before, before), (part.after, after)):
            known = counted[part.driver.value]
            assert (value is None) == (known is None)
            assert value is None or known is None or abs(Fraction(value) - known) <= Fraction(1, 10**6)


def average_over_orders(before: Counted, after: Counted) -> dict[str, Fraction]:
    """What each driver changes, on average over the orders in which they change one after the other."""
    names = ("VOLUME", "SPEED", "RATE", "SIZE")
    old, new = filled(before, after), filled(after, before)
    orders = list(permutations(names))
    found = dict.fromkeys(names, Fraction(0))
    for order in orders:
        values = dict(old)
        for name in order:
            changed = values | {name: new[name]}
            one, other = (prod(known.values(), start=Fraction(1)) for known in (values, changed))
            found[name] += (other - one) / len(orders)
            values = changed
    rest = [known["revenue"] or Fraction(0) for known in (before, after)]
    products = [prod(values.values(), start=Fraction(1)) for values in (old, new)]
    return found | {"ADJUSTMENT": (rest[1] - products[1]) - (rest[0] - products[0])}


def filled(counted: Counted, other: Counted) -> dict[str, Fraction]:
    """The drivers, where there is none that of the other side, or else 0."""
    named = ("VOLUME", "SPEED", "RATE", "SIZE")
    known = {name: counted[name] if counted[name] is not None else other[name] for name in named}
    return {name: value or Fraction(0) for name, value in known.items()}


def by_hand(deals: list[Sold], start: date, end: date) -> Counted:
    def within(at: datetime) -> bool:
        return datetime.combine(start, time(), UTC) <= at < datetime.combine(end, time(), UTC)

    closed = [deal for deal in deals if deal.closed is not None and within(deal.closed)]
    fair = [deal for deal in closed if deal.amount is None or deal.amount >= 0]
    won = [deal for deal in fair if deal.is_won]
    amounts = [deal.amount for deal in won if deal.amount is not None]
    opened = sum(within(deal.opened) for deal in deals)
    revenue = sum((deal.amount for deal in closed if deal.is_won and deal.amount is not None), Decimal(0))
    return {
        "revenue": Fraction(revenue),
        "VOLUME": Fraction(opened),
        "SPEED": Fraction(len(fair), opened) if opened else None,
        "RATE": Fraction(len(won), len(fair)) if fair else None,
        "SIZE": Fraction(sum(amounts, Decimal(0))) / len(amounts) if amounts else None,
    }
