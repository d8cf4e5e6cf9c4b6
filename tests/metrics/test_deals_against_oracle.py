"""Every figure of the KPIs of deals equals that of an independent oracle, over generated history and exchange rates."""

from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database, ReadSession
from api.metrics import answer as shapes
from api.metrics.periods.calendar_units import midnight
from api.metrics.query import compute_kpi
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Period, Switches, Where
from api.metrics.resolved_request import MICROSECOND
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import CurrencyRule
from schema.vocab import Currency, Grain, RecordSide
from tests.metrics import deal_oracle as oracle
from tests.metrics.generated_contacts import ACCORD, MEMBERS, NOW, TEAMS
from tests.metrics.missing_periods import is_missing
from tests.metrics.oracle import _bucket, percentile
from tests.metrics.test_against_oracle import QUICK, periods
from tests.support.examples import examples

COUNTS = ("opportunities_created", "deals_won", "new_customers")
COUNTED_IN_A_WORLD = (*COUNTS, "sales_cycle", "win_rate", *oracle.MONEY)
WARNED: dict[WarningCode, Callable[[oracle.Figure], int]] = {
    WarningCode.UNDATED: lambda figure: figure.undated,
    WarningCode.UNKNOWN_AMOUNT: lambda figure: figure.unknown,
    WarningCode.UNKNOWN_PROBABILITY: lambda figure: figure.unweighted,
    WarningCode.HISTORY_ASSUMED: lambda figure: figure.assumed,
}


FILTERS = st.one_of(
    st.tuples(st.just(Dimension.DEAL_TYPE), st.sampled_from([("NEW",), ("RENEWAL", None)])),
    st.tuples(st.just(Dimension.CURRENCY), st.sampled_from([("EUR",), ("USD", None)])),
    st.tuples(st.just(Dimension.COMPANY_SIZE), st.sampled_from([("11-50",), (None,)])),
    st.tuples(st.just(Dimension.PRODUCT_FAMILY), st.sampled_from([("Platform",), (None,)])),
    st.tuples(st.just(oracle.LOST_REASON), st.sampled_from([("Price",), ("Timing", None)])),
    st.tuples(st.just(Dimension.CAMPAIGN_TYPE), st.sampled_from([("Fair",), (None,)])),
).map(lambda test: Where(tests=(test,)))


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    key = draw(st.sampled_from([*COUNTED_IN_A_WORLD, *oracle.STANDING]))
    rules = st.none() | st.sampled_from(CurrencyRule)
    return KpiRequest(
        key,
        period=draw(periods()),
        grain=draw(st.none() | st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.QUARTER])),
        by=tuple(draw(st.lists(st.sampled_from(oracle.DIMENSIONS), max_size=2, unique=True))),
        where=draw(st.just(Where()) | FILTERS),
        switches=Switches(
            as_of=draw(st.none() | oracle.TIMES),
            timezone=draw(st.none() | st.just("America/Sao_Paulo")),
            currency_rule=draw(rules) if CATALOGUE[key].switches.currency_rule else None,
        ),
    )


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, ACCORD)
        await session.copy("team", ["id", "name", "kind"], [(key, name, "SALES") for name, key in TEAMS.items()])
        members = [(key, name, TEAMS[team] if team else None) for name, (key, team) in MEMBERS.items()]
        await session.copy("member", ["id", "name", "team_id"], members)
        await oracle.prepare_deals(session)
    return module_database


@st.composite
def conversions_of_money(draw: st.DrawFn) -> KpiRequest:
    """Requests for amounts at the rate of another day than that of the deal, or at none."""
    return KpiRequest(
        draw(st.sampled_from([*oracle.MONEY, *oracle.STANDING])),
        period=draw(periods()),
        grain=draw(st.none() | st.just(Grain.QUARTER)),
        switches=Switches(as_of=draw(st.none() | oracle.TIMES), currency_rule=draw(st.sampled_from(CurrencyRule))),
    )


@settings(QUICK, max_examples=examples(40))
@given(
    world=st.lists(oracle.deals(), min_size=10, max_size=20),
    batch=st.lists(conversions_of_money(), min_size=12, max_size=16),
    reporting=st.sampled_from([Currency.EUR, Currency.SEK]),
)
async def test_amounts_at_the_rate_of_a_rule_equal_the_oracle(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency
) -> None:
    await _require_the_oracle(ready, world, batch, reporting)


@settings(QUICK, max_examples=examples(90))
@given(
    world=st.lists(oracle.deals(), max_size=14),
    batch=st.lists(requests(), min_size=6, max_size=12),
    reporting=st.sampled_from([Currency.EUR, Currency.EUR, Currency.SEK, None]),
)
async def test_kpis_of_deals_equal_the_oracle(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency | None
) -> None:
    await _require_the_oracle(ready, world, batch, reporting)


async def _require_the_oracle(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency | None
) -> None:
    if reporting is None:  # then nothing is converted, and the switch is refused
        batch = [replace(request, switches=replace(request.switches, currency_rule=None)) for request in batch]
    async with ready.write() as session:
        await oracle.load_deals(session, world)
    async with ready.read() as session:
        context = await oracle.reporting_in(session, ACCORD, reporting)
        answers = [await compute_kpi(session, CATALOGUE[request.key], request, context) for request in batch]
        values_of = [await _given(session, found) for found in answers]
    for request, found, values in zip(batch, answers, values_of, strict=True):
        ends = [bucket.before for bucket in found.series]
        counted = oracle.count(world, request, reporting and reporting.value, ends)
        if _is_missing(world, request, found):
            continue
        _compare(request, found, counted)
        if request.key in oracle.MONEY:
            # What is kept apart gives nothing to the number, whether or not the accord has a currency.
            assert sorted(value for value in values if value is not None) == sorted(counted.total.values)
            assert values.count(None) == sum(map(len, counted.total.apart.values()))
            only = next(iter(counted.currencies), "") if len(counted.currencies) == 1 else ""
            assert found.currency == (reporting or (Currency[only] if only else None))


def _is_missing(world: list[oracle.MadeDeal], request: KpiRequest, found: shapes.KpiAnswer) -> bool:
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    start, before = request.period.starts_on, request.period.before
    until_end = oracle.count(world, replace(request, period=Period(None, before)), "EUR").total.n
    until = (request.switches.as_of or NOW) + MICROSECOND
    return is_missing(found, None if start is None else midnight(start, zone), until, until_end)


async def _given(session: ReadSession, found: shapes.KpiAnswer) -> list[Decimal | None]:
    """What each record gives to the number."""
    assert found.drill_down is not None
    page = await read_page(session, found.drill_down, RecordSide.BASE, size=100)
    return [record.value for record in page.records]


def _compare(request: KpiRequest, found: shapes.KpiAnswer, counted: oracle.Counted) -> None:
    _same(request, found, counted.total)
    assert {part.reason: part.count for part in found.excluded.reasons} == +counted.excluded
    groups = {tuple(key.value for key in group.keys): group for group in found.breakdown}
    if request.by:
        assert groups.keys() == counted.groups.keys()
        for key, group in groups.items():
            _same(request, group, counted.groups[key])
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    if request.grain is not None:
        starts = [_bucket(bucket.starts_at, request.grain, zone) for bucket in found.series]
        if request.key not in oracle.STANDING:
            assert not counted.buckets.keys() - set(starts)
        for start, bucket in zip(starts, found.series, strict=True):
            _same(request, bucket, counted.buckets[start])
    codes = {warning.code: warning.count for warning in found.warnings if "(empty)" not in warning.message}
    # Of a series they may concern an earlier bucket than the total.
    buckets = [*counted.buckets.values()] if request.grain is not None else []
    for code, count in WARNED.items():
        assert codes.get(code, 0) == (count(counted.total) or max(map(count, buckets), default=0)), code
    apart = sum(len(amounts) for amounts in counted.total.apart.values())
    assert (codes.get(WarningCode.MISSING_RATE, 0) == apart) or not apart


def _same(request: KpiRequest, found: shapes.KpiFigure, counted: oracle.Figure) -> None:
    values = counted.values
    assert found.n == counted.n
    if request.key in COUNTS:
        assert found.value == counted.n
    elif request.key == "sales_cycle":
        assert (found.distribution is None) == (not values)
        if found.distribution is not None:
            assert float(found.distribution.median) == pytest.approx(percentile([*map(float, values)], 0.5))
            assert float(found.distribution.mean) == pytest.approx(float(sum(values)) / len(values))
    elif request.key == "win_rate":
        assert [found.numerator, found.denominator] == [counted.part, counted.n]
    elif request.key == "win_rate_value":
        whole = sum(values, Decimal(0))
        assert (found.numerator, found.denominator) == (sum(counted.won), whole)
        assert found.value == (pytest.approx(sum(counted.won) / whole, abs=Decimal("1e-6")) if whole else None)
    elif request.key == "avg_deal_size":
        assert found.value == (round(sum(values) / len(values), 2) if values else None)
        assert found.denominator == (len(values) or None)
        if found.distribution is not None:
            for value, share in ((found.distribution.median, 0.5), (found.distribution.p90, 0.9)):
                assert float(value) == pytest.approx(percentile([float(amount) for amount in values], share), abs=0.006)
        assert (found.distribution is None) == (not values)
    else:
        is_nothing = not counted.unknown and not counted.unweighted and not counted.apart
        assert found.value == (sum(values) if values else Decimal(0) if is_nothing else None)
    if request.key != "avg_deal_size":
        shown = {amount.currency.value if amount.currency else "": (amount.value, amount.n) for amount in found.apart}
        assert shown == {kept: (sum(amounts), len(amounts)) for kept, amounts in counted.apart.items()}
