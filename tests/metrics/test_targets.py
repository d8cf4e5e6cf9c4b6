"""Targets of the accord beside a KPI: attainment, pace and forecast, by examples and against an independent count."""

import calendar
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from fractions import Fraction
from statistics import mean
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord, read_document
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import read_filter
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import ComparedTo, KpiRequest, Period, Switches, Where
from api.metrics.targets.agreed_targets import KpiTargets, part_of_filter
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import Reach
from schema.accord import FORMAT
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.comparisons import Comparand
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, TeamKind
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

NOW = datetime(2026, 4, 20, 12, tzinfo=UTC)
TARGET = ComparedTo(Comparand.TARGET)
ADA, BEN = UUID(int=21), UUID(int=22)
TARGETS: list[dict[str, object]] = [
    {"kpi": "deals_won", "period": "2026-04", "value": 50, "team": "SALES"},
    {"kpi": "deals_won", "period": "2026-04", "value": 40},
    {"kpi": "deals_won", "period": "2026-04", "value": 30, "only": {"dimension": "OWNER", "value": "Ada"}},
    {"kpi": "deals_won", "period": "2026-01", "value": 10},
    {"kpi": "deals_won", "period": "2026-02", "value": 11},
    {"kpi": "deals_won", "period": "2026-03", "value": 12},
    {"kpi": "win_rate", "period": "2026-01", "value": 0.2},
    {"kpi": "win_rate", "period": "2026-02", "value": 0.2},
    {"kpi": "win_rate", "period": "2026-03", "value": 0.25},
    {"kpi": "win_rate", "period": "2026-04", "value": 0.5},
    {"kpi": "sales_cycle", "period": "2026-04", "duration": "10 days"},
    {"kpi": "revenue_won", "period": "2026", "value": 1000},
]


def document(*targets: Mapping[str, object]) -> dict[str, object]:
    return read_accord("standard").model_dump(mode="json", exclude_none=True) | {"targets": list(targets)}


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await replace_document(session, document(*TARGETS))
        await session.copy("member", ["id", "name"], [(ADA, "Ada"), (BEN, "Ben")])
    return module_database


async def load(database: Database, days: list[date], owner: UUID | None = None, of_ben: tuple[date, ...] = ()) -> None:
    """Replace all deals by one that was won at noon of each day, by pencil of 10 EUR."""
    names = ["id", "outcome", "closed_at", "effective_at", "amount", "currency", "owner_id"]
    owned = [*((day, owner) for day in days), *((day, BEN) for day in of_ben)]
    instants = [(datetime(day.year, day.month, day.day, 12, tzinfo=UTC), whose) for day, whose in owned]
    rows = [
        (UUID(int=1000 + number), "WON", at, at, Decimal(10), "EUR", whose)
        for number, (at, whose) in enumerate(instants)
    ]
    async with database.write() as session:
        await session.script("delete from deal_version; delete from deal")
        await session.copy("deal", names, rows)


async def answer(
    database: Database, request: KpiRequest, principal: Principal = LOCAL_OPERATOR, now: datetime = NOW
) -> KpiAnswer:
    async with database.read() as session:
        [found] = await query_kpis(session, principal, [request], now=now)
    assert isinstance(found, KpiAnswer), found
    return found


def asked(key: str, period: str, **more: object) -> KpiRequest:
    return KpiRequest(key, named_period(period), compare_to=TARGET, **more)  # type: ignore[arg-type]


def codes(found: KpiAnswer) -> list[WarningCode]:
    assert found.comparison is not None
    return [warning.code for warning in found.comparison.warnings]


def each_month(*wins: tuple[int, int, tuple[int, ...]]) -> list[date]:
    return [date(year, month, day) for year, month, days in wins for day in days]


async def test_the_target_of_both_teams_comes_first_and_is_compared_with(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 10)
    found = await answer(ready, asked("deals_won", "2026-04"))
    assert [plain(target.value, target.team, target.attainment) for target in found.targets] == [
        (40, None, Decimal("0.25")),
        (50, TeamKind.SALES, Decimal("0.2")),
    ]
    assert found.comparison is not None
    assert plain(found.comparison.value, found.comparison.change) == (40, -30)
    assert found.comparison.relative_change == Decimal("-0.75")


async def test_a_name_that_means_the_same_days_has_the_same_target(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)])
    found = await answer(ready, asked("deals_won", "this-month"))
    assert [target.value for target in found.targets] == [40, 50]
    to_date = await answer(ready, asked("deals_won", "month-to-date"))
    assert (to_date.targets, codes(to_date)) == ((), [WarningCode.NO_TARGET])


async def test_targets_of_counts_add_up_over_months_and_those_of_rates_do_not(ready: Database) -> None:
    await load(ready, [date(2026, 1, 2)] * 11)
    quarter = await answer(ready, asked("deals_won", "2026-Q1"))
    [target] = quarter.targets
    assert plain(target.value, target.summed_from) == (33, ("2026-01", "2026-02", "2026-03"))
    assert target.attainment == Decimal("0.333333")
    rate = await answer(ready, asked("win_rate", "2026-Q1"))
    assert (rate.targets, codes(rate)) == ((), [WarningCode.NO_TARGET])
    half = await answer(ready, asked("deals_won", "2026"))  # not every month has one
    assert half.targets == ()


async def test_a_target_for_a_part_is_that_of_the_filter_and_of_the_group(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 3, ADA)
    for value in ("Ada", f"member_{ADA}"):
        where = Where(tests=((Dimension.OWNER, (value,)),))
        found = await answer(ready, asked("deals_won", "2026-04", where=where))
        assert [plain(target.value, target.attainment) for target in found.targets] == [(30, Decimal("0.1"))]
    other = await answer(ready, asked("deals_won", "2026-04", where=Where(tests=((Dimension.OWNER, ("Ben",)),))))
    assert (other.targets, codes(other)) == ((), [WarningCode.NO_TARGET])
    both = Where(tests=((Dimension.OWNER, ("Ada", "Ben")),))
    assert (await answer(ready, asked("deals_won", "2026-04", where=both))).targets == ()
    not_ada = Where(none_of=(Where(tests=((Dimension.OWNER, ("Ada",)),)),))
    assert (await answer(ready, asked("deals_won", "2026-04", where=not_ada))).targets == ()
    grouped = await answer(ready, asked("deals_won", "2026-04", by=(Dimension.OWNER,)))
    assert grouped.comparison is not None
    [ada] = grouped.comparison.breakdown
    assert plain(ada.keys[0].label, ada.value, ada.change) == ("Ada", 30, -27)


async def test_buckets_have_the_targets_of_their_months(ready: Database) -> None:
    await load(ready, [date(2026, 1, 2)] * 11)
    found = await answer(ready, asked("deals_won", "2026-Q1", grain=Grain.MONTH))
    assert found.comparison is not None
    assert [plain(bucket.value, bucket.change) for bucket in found.comparison.series] == [(10, 1), (11, -11), (12, -12)]
    weekly = await answer(ready, asked("deals_won", "2026-04", grain=Grain.WEEK))
    assert weekly.comparison is not None
    assert {bucket.value for bucket in weekly.comparison.series} == {None}


async def test_pace_and_forecast_by_pencil(ready: Database) -> None:
    # By noon of the 20th, January had 1 of 4 deals, February 3 of 4, March 2 of 4. The half of the day counts, too.
    wins = each_month((2025, 12, (1,)), (2026, 1, (2, 25, 26, 27)), (2026, 2, (2, 3, 4, 25)), (2026, 3, (2, 3, 25, 26)))
    await load(ready, [*wins, *[date(2026, 4, 3)] * 15])
    found = await answer(ready, asked("deals_won", "2026-04"))
    pace, forecast = found.targets[0].pace, found.targets[0].forecast
    assert pace is not None
    assert [plain(past.starts_on, past.value, past.share) for past in pace.based_on] == [
        (date(2026, 3, 1), 4, Decimal("0.5")),
        (date(2026, 2, 1), 4, Decimal("0.75")),
        (date(2026, 1, 1), 4, Decimal("0.25")),
    ]
    assert plain(pace.share, pace.expected, pace.ahead, pace.at) == (Decimal("0.5"), 20, -5, NOW)
    assert forecast is not None
    assert plain(forecast.value, forecast.low, forecast.high) == (30, 20, 60)
    assert forecast.attainment == Decimal("0.75")
    # March from February and January: 2 / 0.5 = 4, right. February from January: 3 / 0.25 = 12 for 4, wrong by 2.
    assert plain(forecast.error, forecast.tests) == (1, 2)
    assert codes(found) == [WarningCode.LOW_SAMPLE]


async def test_the_present_day_stands_with_the_part_of_it_that_has_passed(ready: Database) -> None:
    await load(ready, each_month((2026, 2, (1,)), (2026, 3, (20, 20, 20, 20, 21, 21, 21, 21)), (2026, 4, (1, 2))))
    morning = datetime(2026, 4, 20, 6, tzinfo=UTC)
    found = await answer(ready, asked("deals_won", "2026-04"), now=morning)
    assert found.targets[0].pace is not None
    assert found.targets[0].pace.share == Decimal("0.125")  # a quarter of four, of eight


async def test_the_pace_of_a_part_follows_from_the_part_alone(ready: Database) -> None:
    ada = each_month((2026, 2, (1,)), (2026, 3, (2, 25)), (2026, 4, (1, 2, 3)))
    await load(ready, ada, ADA, of_ben=(date(2026, 3, 26), date(2026, 3, 27)))
    of_ada = Where(tests=((Dimension.OWNER, ("Ada",)),))
    [target] = (await answer(ready, asked("deals_won", "2026-04", where=of_ada))).targets
    assert target.pace is not None
    assert plain(target.pace.share, target.pace.expected, target.pace.ahead) == (Decimal("0.5"), 15, -12)


async def test_there_is_no_pace_without_earlier_periods_and_of_no_rate(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 4)
    first = await answer(ready, asked("deals_won", "2026-04"))
    assert (first.targets[0].attainment, first.targets[0].pace, first.targets[0].forecast) == (
        Decimal("0.1"),
        None,
        None,
    )
    assert codes(first) == [WarningCode.NO_PACE]
    rate = await answer(ready, asked("win_rate", "2026-04"))
    assert plain(rate.targets[0].attainment, rate.targets[0].pace) == (2, None)
    assert codes(rate) == [WarningCode.NO_PACE]
    # Where nothing stood by then in any earlier month, a pace of 0 follows, and no forecast.
    await load(ready, each_month((2026, 2, (1,)), (2026, 3, (30,)), (2026, 4, (1,))))
    late = await answer(ready, asked("deals_won", "2026-04"))
    pace = late.targets[0].pace
    assert pace is not None
    assert plain(pace.expected, pace.ahead, late.targets[0].forecast) == (0, 1, None)
    assert WarningCode.NO_PACE in codes(late)


async def test_a_period_that_is_over_or_has_not_begun_has_no_pace(ready: Database) -> None:
    await load(ready, [date(2026, 1, 2), date(2026, 2, 3), date(2026, 3, 3)])
    over = await answer(ready, asked("deals_won", "2026-03"))
    assert (over.targets[0].pace, over.targets[0].forecast, codes(over)) == (None, None, [])
    early = datetime(2026, 3, 20, tzinfo=UTC)
    later = await answer(ready, asked("deals_won", "2026-04", switches=Switches(as_of=early)))
    assert (later.value, later.targets[0].attainment, later.targets[0].pace, codes(later)) == (None, None, None, [])


async def test_a_target_of_a_duration_is_in_seconds(ready: Database) -> None:
    await load(ready, [])
    found = await answer(ready, asked("sales_cycle", "2026-04"))
    assert [plain(target.value, target.attainment) for target in found.targets] == [(864_000, None)]


async def test_a_part_of_the_records_is_not_compared_with_the_target_of_all(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 3, ADA)
    own = Principal(Reach.OWN, ADA)
    found = await answer(ready, asked("deals_won", "2026-04", by=(Dimension.OWNER,)), own)
    assert plain(found.value, found.targets[0].value, found.targets[0].attainment, found.targets[0].pace) == (
        3,
        40,
        None,
        None,
    )
    assert found.comparison is not None
    assert plain(found.comparison.value, found.comparison.change) == (40, None)
    assert [group.change for group in found.comparison.breakdown] == [None]
    assert codes(found) == [WarningCode.PARTIAL_REACH]


def test_no_target_is_for_what_a_filter_over_records_or_a_negation_selects() -> None:
    only = Where(tests=((Dimension.OWNER, ("Ada",)),))
    assert part_of_filter(Where()) == ()
    assert part_of_filter(only) == ((Dimension.OWNER, "Ada"),)
    assert part_of_filter(Where(all_of=(only, only))) == ((Dimension.OWNER, "Ada"),)
    over_records = read_filter('{"deal": {"amountConverted": {"gt": "20000"}}}')
    for where in (over_records, Where(all_of=(only, over_records)), Where(none_of=(only,)), Where(any_of=(only,))):
        assert part_of_filter(where) is None


async def test_a_filter_over_records_and_what_it_selects_have_no_target(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 3, ADA)
    where = read_filter('{"deal": {"closedAt": {"gt": "2026-01-01T00:00:00Z"}}}')
    found = await answer(ready, replace(asked("deals_won", "2026-04"), where=where))
    assert found.value == 3
    assert not found.targets
    assert WarningCode.NO_TARGET in codes(found)


async def test_a_filter_and_a_group_with_the_same_value_have_its_target(ready: Database) -> None:
    await load(ready, [date(2026, 4, 2)] * 3, ADA)
    where = Where(tests=((Dimension.OWNER, ("Ada",)),))
    found = await answer(ready, replace(asked("deals_won", "2026-04", by=(Dimension.OWNER,)), where=where))
    assert found.comparison is not None
    assert [group.value for group in found.comparison.breakdown] == [30]


async def test_a_stored_target_for_a_kpi_of_a_newer_release_is_said_and_left_out(ready: Database) -> None:
    newer = {"kpi": "quantum_leads", "period": "2026-04", "value": 1}
    async with ready.write() as session:
        await replace_document(session, document(newer, *TARGETS))
    await load(ready, [date(2026, 4, 2)])
    found = await answer(ready, asked("deals_won", "2026-04"))
    async with ready.write() as session:
        await replace_document(session, document(*TARGETS))
    assert [target.value for target in found.targets] == [40, 50]
    assert WarningCode.UNKNOWN_KPI in codes(found)
    assert found.comparison is not None
    assert any("quantum_leads" in warning.message for warning in found.comparison.warnings)


def test_a_stored_target_of_a_team_of_a_newer_release_leaves_no_team_the_only_one() -> None:
    sales = {"kpi": "deals_won", "period": "2026-04", "value": 50, "team": "SALES"}
    newer = {"kpi": "deals_won", "period": "2026-04", "value": 60, "team": "PARTNERS"}
    whole = {"kpi": "deals_won", "period": "2026-04", "value": 90}
    month = (date(2026, 4, 1), date(2026, 5, 1), ())

    def targets(*stated: Mapping[str, object]) -> KpiTargets:
        accord = read_document(json.dumps(document(*stated)), FORMAT)
        return KpiTargets.of(CATALOGUE["deals_won"], accord, ZoneInfo("UTC"), NOW)

    for stated, only, each, periods in (
        ((sales,), 50, [50], ("2026-04",)),
        ((sales, newer), None, [50], ("2026-04",)),
        ((newer,), None, [], ()),
        ((newer, sales, whole), 90, [90, 50], ("2026-04", "2026-04")),
    ):
        found = targets(*stated)
        agreed = found.only_agreed(*month)
        assert (None if agreed is None else agreed.value) == only
        assert [target.value for target in found.agreed(*month)] == each
        assert found.periods == periods


async def test_years_are_too_long_to_take_a_pace_from_many_of_them(ready: Database) -> None:
    years = [{"kpi": "deals_won", "period": str(year), "value": 10} for year in range(2020, 2027)]
    async with ready.write() as session:
        await replace_document(session, document(*years))
    await load(ready, each_month((2022, 5, (1,)), (2023, 6, (1,)), (2024, 6, (1, 2)), (2025, 1, (1,)), (2026, 1, (1,))))
    one = await answer(ready, asked("deals_won", "2026"))
    seven = await answer(ready, KpiRequest("deals_won", Period(date(2020, 1, 1), date(2027, 1, 1)), compare_to=TARGET))
    async with ready.write() as session:
        await replace_document(session, document(*TARGETS))
    assert one.targets[0].pace is not None
    assert [past.starts_on.year for past in one.targets[0].pace.based_on] == [2025, 2024, 2023]
    assert plain(seven.targets[0].value, len(seven.targets[0].summed_from)) == (70, 7)
    assert (seven.targets[0].pace, codes(seven)) == (None, [WarningCode.NO_PACE])


async def test_a_target_that_is_an_amount_needs_a_currency(ready: Database) -> None:
    without = document(*TARGETS)
    reporting = without["reporting"]
    assert isinstance(reporting, dict)
    async with ready.write() as session:
        await replace_document(session, without | {"reporting": reporting | {"currency": None}})
    await load(ready, [date(2026, 4, 2)])
    request = asked("revenue_won", "2026")
    async with ready.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
    async with ready.write() as session:
        await replace_document(session, document(*TARGETS))
    assert isinstance(found, AccordError)
    assert found.code is ErrorCode.NO_REPORTING_CURRENCY
    assert plain((await answer(ready, request)).targets[0].attainment) == (Decimal("0.01"),)


WINS = st.lists(st.dates(date(2025, 5, 20), date(2026, 4, 20)), max_size=60)


@settings(QUICK, max_examples=examples(45))
@given(wins=WINS, hour=st.integers(13, 23), today=st.integers(1, 30))
async def test_pace_and_forecast_equal_the_oracle(ready: Database, wins: list[date], hour: int, today: int) -> None:
    now = datetime(2026, 4, today, hour, tzinfo=UTC)
    await load(ready, wins)
    found = await answer(ready, asked("deals_won", "2026-04"), now=now)
    shares = oracle_shares(wins, today, Fraction(hour, 24))
    [target, _] = found.targets
    if not shares:
        assert (target.pace, target.forecast) == (None, None)
        return
    assert target.pace is not None
    expected = mean(share for _, share, _ in shares)
    assert abs(Fraction(target.pace.share) - expected) < Fraction(1, 1_000_000)
    assert [plain(past.starts_on, past.value) for past in target.pace.based_on] == [
        (month, n) for month, _, n in shares
    ]
    so_far = sum(date(2026, 4, 1) <= day <= date(2026, 4, today) for day in wins)
    if not expected:
        assert target.forecast is None
        return
    assert target.forecast is not None
    assert abs(Fraction(target.forecast.value) - so_far / expected) <= Fraction(1, 200)
    errors = []
    for place, (_, share, final) in enumerate(shares):
        older = [share for _, share, _ in shares[place + 1 :]]
        if older and any(older):
            errors.append(abs(share * final / mean(older) - final) / final)
    assert target.forecast.tests == len(errors)
    if errors:
        assert target.forecast.error is not None
        assert abs(Fraction(target.forecast.error) - mean(errors)) <= Fraction(1, 1_000_000)


def oracle_shares(wins: list[date], today: int, part: Fraction) -> list[tuple[date, Fraction, int]]:
    """By month from March back: its first day, the share that stood, and how many deals were won in it."""
    found = []
    in_window = [day for day in wins if date(2025, 7, 1) <= day < date(2026, 4, 1)]
    for number in range(8):
        month = date(2026, 3 - number, 1) if number < 3 else date(2025, 15 - number, 1)
        length = calendar.monthrange(month.year, month.month)[1]
        within = [day for day in wins if (day.year, day.month) == (month.year, month.month)]
        if not within or min(in_window) >= month:
            continue
        stood = Fraction(sum(day.day < today for day in within))
        if today <= length:
            stood += part * sum(day.day == today for day in within)
        found.append((month, stood / len(within), len(within)))
    return found


def plain(*values: object) -> tuple[object, ...]:
    """The values as a tuple, in which a decimal equals a whole number."""
    return values
