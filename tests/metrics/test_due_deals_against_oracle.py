"""Push rate and forecast accuracy equal an independent oracle, over generated histories of expected close dates."""

from datetime import date, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.calendar_units import midnight
from api.metrics.query import compute_kpi
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Period, Switches
from api.metrics.resolved_request import MICROSECOND
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.switch_words import CurrencyRule
from schema.vocab import Currency, Grain, RecordSide
from tests.metrics import deal_oracle, due_oracle
from tests.metrics.generated_contacts import ACCORD, NOW
from tests.metrics.missing_periods import MISSING
from tests.metrics.oracle import Key
from tests.metrics.test_against_oracle import QUICK, periods
from tests.metrics.test_deals_against_oracle import ready
from tests.support.examples import examples

__all__ = ["ready"]

COUNTED_IN_A_WORLD = ("push_rate", "forecast_accuracy")


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    key = draw(st.sampled_from(COUNTED_IN_A_WORLD))
    rules = st.none() | st.sampled_from(CurrencyRule)
    return KpiRequest(
        key,
        period=draw(periods()),
        grain=draw(st.none() | st.sampled_from([Grain.WEEK, Grain.MONTH, Grain.QUARTER])),
        by=tuple(draw(st.lists(st.sampled_from(deal_oracle.DIMENSIONS), max_size=2, unique=True))),
        switches=Switches(
            as_of=draw(st.none() | deal_oracle.TIMES),
            timezone=draw(st.none() | st.just("America/Sao_Paulo")),
            currency_rule=draw(rules) if CATALOGUE[key].switches.currency_rule else None,
        ),
    )


@st.composite
def converted_forecasts(draw: st.DrawFn) -> KpiRequest:
    """Requests for forecasts at the rates of a rule, over periods in which most deals are due and won."""
    start = date(2026, 2, 1) + timedelta(days=draw(st.integers(0, 45)))
    period = Period(start, start + timedelta(days=draw(st.integers(45, 100))))
    return KpiRequest("forecast_accuracy", period, switches=Switches(currency_rule=draw(st.sampled_from(CurrencyRule))))


@settings(QUICK, max_examples=examples(20))
@given(
    world=st.lists(deal_oracle.deals(), min_size=12, max_size=20),
    batch=st.lists(converted_forecasts(), min_size=8, max_size=10),
)
async def test_a_forecast_at_the_rates_of_a_rule_equals_the_oracle(
    ready: Database, world: list[deal_oracle.MadeDeal], batch: list[KpiRequest]
) -> None:
    await _require_the_oracle(ready, world, batch, Currency.EUR)


@settings(QUICK, max_examples=examples(60))
@given(
    world=st.lists(deal_oracle.deals(), max_size=14),
    batch=st.lists(requests(), min_size=6, max_size=12),
    reporting=st.sampled_from([Currency.EUR, Currency.EUR, Currency.SEK]),
)
async def test_deals_due_equal_the_oracle(
    ready: Database, world: list[deal_oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency
) -> None:
    await _require_the_oracle(ready, world, batch, reporting)


async def _require_the_oracle(
    ready: Database, world: list[deal_oracle.MadeDeal], batch: list[KpiRequest], reporting: Currency
) -> None:
    async with ready.write() as session:
        await deal_oracle.load_deals(session, world)
    async with ready.read() as session:
        context = await deal_oracle.reporting_in(session, ACCORD, reporting)
        for request in batch:
            answer = await compute_kpi(session, CATALOGUE[request.key], request, context)
            _compare(world, request, answer, reporting.value)
            if answer.drill_down is not None and answer.denominator is not None:
                for side, total in ((RecordSide.BASE, answer.denominator), (RecordSide.CONVERTED, answer.numerator)):
                    page = await read_page(session, answer.drill_down, side, size=100)
                    assert sum(record.value or Decimal(0) for record in page.records) == total


def _compare(world: list[deal_oracle.MadeDeal], request: KpiRequest, answer: KpiAnswer, reporting: str) -> None:
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    until = (request.switches.as_of or NOW) + MICROSECOND
    starts_on, before = request.period.starts_on, request.period.before

    def counted(span: due_oracle.Span) -> dict[Key, due_oracle.Part]:
        if request.key == "push_rate":
            return due_oracle.pushes(world, request, span)
        is_asked = request.switches.as_of is not None
        return due_oracle.forecasts(world, request, span, reporting, is_asked=is_asked)

    if {warning.code for warning in answer.warnings} & MISSING:
        assert answer.value is None
        return
    if starts_on is None or before is None:
        assert (answer.value, answer.n, answer.breakdown) == (None, 0, ())
        assert WarningCode.ZERO_DENOMINATOR in {warning.code for warning in answer.warnings}
    else:
        groups = counted(due_oracle.Span(midnight(starts_on, zone), midnight(before, zone), until, zone))
        whole = due_oracle.together(groups)
        _same(request, answer, whole)
        found = {tuple(key.value for key in group.keys): group for group in answer.breakdown}
        if request.by:
            shown = {key for key, part in groups.items() if part.n or part.converted or part.unknown or part.unweighted}
            assert {*found} == shown
            for key, group in found.items():
                _same(request, group, groups[key])
        codes = {warning.code: warning.count for warning in answer.warnings if "(empty)" not in warning.message}
        assert codes.get(WarningCode.UNDATED, 0) == whole.undated
        if request.grain is None:
            assert codes.get(WarningCode.UNKNOWN_AMOUNT, 0) == whole.unknown
            assert codes.get(WarningCode.UNKNOWN_PROBABILITY, 0) == whole.unweighted
    for bucket in answer.series:
        span = due_oracle.Span(bucket.starts_at, bucket.before, until, zone)
        _same(request, bucket, due_oracle.together(counted(span)))


def _same(request: KpiRequest, found: KpiFigure, part: due_oracle.Part) -> None:
    assert found.n == part.n
    if request.key == "push_rate":
        assert [found.numerator, found.denominator] == [part.converted, part.n]
        assert found.value == (pytest.approx(Decimal(part.converted) / part.n, abs=Decimal("1e-6")) if part.n else None)
        return
    assert (found.numerator, found.denominator) == (sum(part.forecast), sum(part.won))
    value = part.value()
    assert found.value == (None if value is None else pytest.approx(value, abs=Decimal("1e-6")))
    won_apart = {amount.currency.value if amount.currency else "": amount.n for amount in found.apart if amount.n}
    assert won_apart == {currency: len(amounts) for currency, amounts in part.apart.items()}
