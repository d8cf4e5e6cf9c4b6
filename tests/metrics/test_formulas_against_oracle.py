"""Every figure of a formula equals the formula over an independent oracle's counts of its parts."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database, ReadSession
from api.metrics import answer as shapes
from api.metrics.query import compute_kpi
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.switch_words import CurrencyRule
from schema.vocab import Currency, Grain, RecordSide, Unit
from tests.metrics import deal_oracle as oracle
from tests.metrics.generated_contacts import ACCORD, MEMBERS, TEAMS
from tests.metrics.oracle import Key, _bucket
from tests.metrics.test_against_oracle import QUICK, periods
from tests.support.examples import examples

COUNTED_IN_A_WORLD = ("sales_velocity",)
RULES = st.none() | st.sampled_from([rule for rule in CurrencyRule if rule is not CurrencyRule.UNCONVERTED])
ABSENT = (WarningCode.PERIOD_NOT_BEGUN, WarningCode.PERIOD_BEFORE_DATA)


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    return KpiRequest(
        draw(st.sampled_from(COUNTED_IN_A_WORLD)),
        period=draw(periods()),
        grain=draw(st.none() | st.sampled_from([Grain.MONTH, Grain.QUARTER])),
        by=tuple(draw(st.lists(st.sampled_from(oracle.DIMENSIONS), max_size=2, unique=True))),
        switches=Switches(as_of=draw(st.none() | oracle.TIMES), currency_rule=draw(RULES)),
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


@settings(QUICK, max_examples=examples(40))
@given(
    world=st.lists(oracle.deals(), max_size=14),
    batch=st.lists(requests(), min_size=4, max_size=8),
    reporting=st.sampled_from([Currency.EUR, Currency.EUR, Currency.SEK]),
)
async def test_a_formula_equals_that_of_the_parts_counted_by_hand(
    ready: Database, world: list[oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency
) -> None:
    async with ready.write() as session:
        await oracle.load_deals(session, world)
    async with ready.read() as session:
        context = await oracle.reporting_in(session, ACCORD, reporting)
        for request in batch:
            found = await compute_kpi(session, CATALOGUE[request.key], request, context)
            if {warning.code for warning in found.warnings} & {*ABSENT}:
                assert (found.value, found.parts) == (None, ())
                continue
            _compare(world, request, found, reporting)
            await _records_add_up(session, found)


def _compare(world: list[oracle.MadeDeal], request: KpiRequest, found: shapes.KpiAnswer, reporting: Currency) -> None:
    ends = [bucket.before for bucket in found.series]
    counted = {
        key: oracle.count(world, replace(request, key=key), reporting.value, ends)
        for key in ("open_deals", "win_rate", "avg_deal_size", "sales_cycle")
    }
    won = oracle.count(world, replace(request, key="deals_won"), reporting.value)

    def at(which: Callable[[oracle.Counted], oracle.Figure]) -> Mapping[str, Fraction | None]:
        closed, wins = which(counted["win_rate"]).n, which(won).n
        sizes, times = which(counted["avg_deal_size"]).values, which(counted["sales_cycle"]).values
        return {
            "open_deals": Fraction(which(counted["open_deals"]).n),
            "win_rate": Fraction(wins, closed) if closed else None,
            "avg_deal_size": Fraction(sum(sizes, Decimal(0))) / len(sizes) if sizes else None,
            "sales_cycle": Fraction(sum(times, Decimal(0))) / len(times) if times else None,
        }

    def of_group(keys: Key) -> Callable[[oracle.Counted], oracle.Figure]:
        return lambda one: one.groups[keys]

    def of_bucket(start: date) -> Callable[[oracle.Counted], oracle.Figure]:
        return lambda one: one.buckets[start]

    _same(found, at(lambda one: one.total))
    for group in found.breakdown:
        _same(group, at(of_group(tuple(key.value for key in group.keys))))
    zone = ZoneInfo(ACCORD.reporting.timezone)
    for bucket in found.series:
        _same(bucket, at(of_bucket(_bucket(bucket.starts_at, request.grain, zone))))


def _same(found: shapes.KpiFigure, parts: Mapping[str, Fraction | None]) -> None:
    shown = {part.name: part for part in found.parts}
    assert list(shown) == list(parts)
    for name, exact in parts.items():
        value = shown[name].value
        places = 2 if shown[name].unit is Unit.MONEY else 6
        assert value == (None if exact is None else pytest.approx(Decimal(str(round(float(exact), places))))), name
    cycle = parts["sales_cycle"]
    factors = [parts[name] for name in ("open_deals", "win_rate", "avg_deal_size")]
    known = [factor for factor in factors if factor is not None]
    if len(known) < 3 or not cycle:
        assert (found.value, found.numerator) == (None, None)
        return
    exact = known[0] * known[1] * known[2] / (cycle / 86_400)
    assert found.value is not None
    assert abs(Fraction(found.value) - exact) <= Fraction(1, 200)


async def _records_add_up(session: ReadSession, found: shapes.KpiAnswer) -> None:
    for part in found.parts:
        assert part.drill_down is not None
        page = await read_page(session, part.drill_down, RecordSide.BASE, size=100, needs_total=True)
        given_ = [record.value for record in page.records if record.value is not None]
        if part.name == "win_rate":
            converted = await read_page(session, part.drill_down, RecordSide.CONVERTED, size=100, needs_total=True)
            assert converted.total == part.numerator
            assert page.total == part.denominator
        else:
            assert page.total == part.n
            total = part.value if part.denominator is None else part.numerator
            assert sum(given_, Decimal(0)) == (total or 0)
