"""Conversions and funnels of the golden example: every combination of switches has the rate worked out by hand."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readings.reading_contexts import prepare_requests
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Switches, Where
from api.metrics.resolved_request import MICROSECOND
from api.sql import Sql
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Censoring, CycleStart
from schema.vocab import Anchor, Grain, RecordSide, Reentry, Skip
from tests.golden.world import AFTER_ALL, day, load

APRIL = datetime(2026, 4, 1, tzinfo=UTC)
PAIR = StagePair("mql", "sql")
ROWS = (
    ("cohort so far", Anchor.COHORT, Reentry.FIRST, Skip.EXCLUDE, None, APRIL, 2, 6),
    ("cohort, 30 days", Anchor.COHORT, Reentry.FIRST, Skip.EXCLUDE, timedelta(days=30), AFTER_ALL, 3, 6),
    ("period, every entry", Anchor.PERIOD, Reentry.EACH, Skip.EXCLUDE, None, APRIL, 4, 7),
    ("cohort, later", Anchor.COHORT, Reentry.FIRST, Skip.EXCLUDE, None, AFTER_ALL, 4, 6),
    ("period, first entries", Anchor.PERIOD, Reentry.FIRST, Skip.EXCLUDE, None, APRIL, 4, 6),
    ("cohort, later, skips", Anchor.COHORT, Reentry.FIRST, Skip.IMPLIED, None, AFTER_ALL, 5, 7),
)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await load(session)
        await evaluate(session, as_of=AFTER_ALL)
    return module_database


async def query(world: Database, request: KpiRequest, now: datetime = AFTER_ALL) -> KpiAnswer:
    async with world.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=now)
    assert isinstance(answer, KpiAnswer), answer
    return answer


def made_of(answer: KpiAnswer) -> tuple[object, object]:
    return answer.numerator, answer.denominator


async def query_the_funnel(world: Database, request: FunnelRequest) -> FunnelAnswer:
    async with world.read() as session:
        return await query_funnel(session, LOCAL_OPERATOR, request, now=AFTER_ALL)


@pytest.mark.parametrize(("anchor", "reentry", "skip", "window", "as_of", "part", "whole"), [row[1:] for row in ROWS])
async def test_every_set_of_switches_has_its_rate(
    world: Database,
    *,
    anchor: Anchor,
    reentry: Reentry,
    skip: Skip,
    window: timedelta | None,
    as_of: datetime,
    part: int,
    whole: int,
) -> None:
    switches = Switches(anchor, reentry, skip, window, has_no_window=window is None, as_of=as_of)
    request = KpiRequest("stage_conversion", period=named_period("2026-Q1"), stages=PAIR, switches=switches)
    answer = await query(world, request)
    assert made_of(answer) == (part, whole)
    assert answer.n == whole
    assert answer.value is not None
    assert Fraction(answer.value).limit_denominator(1000) == Fraction(part, whole)
    assert not answer.is_canonical


async def test_default_switches_are_canonical_and_use_the_windows_of_the_accord(world: Database) -> None:
    answer = await query(world, KpiRequest("stage_conversion", period=named_period("2026-Q1"), stages=PAIR))
    # 14 days from mql to sal and 14 from sal to sql: c1 (10 d), c2 (18 d), c4 (0 d), c6 (12 d) of c1 c2 c3 c4 c5 c6 c8.
    assert made_of(answer) == (4, 7)
    assert answer.implied == 1
    assert answer.is_canonical
    assert answer.overrides == ()


async def test_no_window_in_place_of_the_one_of_the_accord_is_an_override(world: Database) -> None:
    request = KpiRequest("stage_conversion", stages=PAIR, switches=Switches(has_no_window=True))
    answer = await query(world, request)
    assert (answer.is_canonical, answer.overrides) == (False, ("window=none",))


async def test_a_window_includes_its_last_instant(world: Database) -> None:
    for length, part in ((timedelta(days=10), 1), (timedelta(days=10) - timedelta(seconds=1), 0)):
        switches = Switches(skip=Skip.EXCLUDE, window=length)
        request = KpiRequest("stage_conversion", period=named_period("2026-01"), stages=PAIR, switches=switches)
        assert (await query(world, request)).numerator == part


async def test_with_reentry_each_no_conversion_counts_for_two_entries(world: Database) -> None:
    switches = Switches(reentry=Reentry.EACH, has_no_window=True)
    answer = await query(world, KpiRequest("stage_conversion", stages=PAIR, switches=switches))
    # Nine entries; c3's first was rejected, and its qualification belongs to the second; c5 and c8 did not convert.
    assert made_of(answer) == (6, 9)


async def test_reached_or_beyond_counts_implied_targets_but_only_own_bases(world: Database) -> None:
    pair = StagePair("inquiry", "mql")
    numerators = {}
    for skip in Skip:
        switches = Switches(skip=skip, has_no_window=True)
        numerators[skip] = (
            await query(world, KpiRequest("stage_conversion", stages=pair, switches=switches))
        ).numerator
    assert numerators == {Skip.EXCLUDE: 7, Skip.IMPLIED: 8, Skip.REACHED_OR_BEYOND: 8}


async def test_an_open_cohort_has_a_warning_with_how_many_can_still_convert(world: Database) -> None:
    switches = Switches(skip=Skip.EXCLUDE, window=timedelta(days=30), as_of=APRIL)
    request = KpiRequest("stage_conversion", period=named_period("2026-Q1"), stages=PAIR, switches=switches)
    answer = await query(world, request)
    [warning] = [warning for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert warning.count == 2  # c6 of 03-28 and c8 of 03-10; c3's and c5's thirty days are over
    assert "30 days" in warning.message


@pytest.mark.parametrize(
    ("censoring", "as_of", "part", "whole", "left_out"),
    [
        # In 30 days c1 (of 01-10) converts after 10 days, c2 (of 01-15) after 18, and c3 (of 01-20) does not.
        (Censoring.ALL_OPEN, "02-12", 2, 3, 1),
        (Censoring.DECIDED_ONLY, "02-12", 2, 2, 1),
        (Censoring.MATURE_ONLY, "02-12", 1, 1, 2),
        # c3's window ends on 02-19; c5 (of 02-14) can still convert.
        (Censoring.DECIDED_ONLY, "02-20", 2, 3, 1),
        (Censoring.MATURE_ONLY, "02-20", 2, 3, 1),
    ],
)
async def test_a_young_cohort_has_the_rate_of_its_censoring(
    world: Database, censoring: Censoring, as_of: str, part: int, whole: int, left_out: int
) -> None:
    switches = Switches(skip=Skip.EXCLUDE, window=timedelta(days=30), as_of=day(as_of), censoring=censoring)
    period = named_period("2026-01" if as_of == "02-12" else "2026-Q1")
    answer = await query(world, KpiRequest("stage_conversion", period=period, stages=PAIR, switches=switches))
    assert made_of(answer) == (part, whole)
    warned = {warning.code: warning for warning in answer.warnings}
    assert warned[WarningCode.OPEN_COHORT].count == left_out
    assert ("not in the value" in warned[WarningCode.OPEN_COHORT].message) == (censoring is not Censoring.ALL_OPEN)
    assert (f"censoring={censoring.value}" in answer.overrides) == (censoring is not Censoring.ALL_OPEN)
    # Beside everybody the answer has the mature: the same as by the switch.
    mature = {"02-12": (Decimal(1), Decimal(1)), "02-20": (Decimal(2), Decimal(3))}[as_of]
    assert [(variant.rule.value, variant.numerator, variant.denominator) for variant in answer.variants] == (
        [("ALL_OPEN", Decimal(2), Decimal(3)), ("MATURE_ONLY", *mature)] if censoring is Censoring.ALL_OPEN else []
    )


async def test_a_window_is_open_until_its_last_instant(world: Database) -> None:
    counts = []
    for as_of in (day("03-20") - MICROSECOND, day("03-20")):
        switches = Switches(skip=Skip.EXCLUDE, window=timedelta(days=10), as_of=as_of)
        request = KpiRequest("stage_conversion", period=named_period("2026-03"), stages=PAIR, switches=switches)
        answer = await query(world, request)
        found = {warning.code: warning.count for warning in answer.warnings}
        counts.append(found.get(WarningCode.OPEN_COHORT))
    assert counts == [1, None]  # c8, of 03-10


async def test_the_last_entry_is_the_last_by_as_of(world: Database) -> None:
    months = []
    for as_of in (day("03-05") - MICROSECOND, day("03-05")):
        switches = Switches(reentry=Reentry.LAST, as_of=as_of)
        answer = await query(world, KpiRequest("mqls", period=named_period("2026-01"), switches=switches))
        months.append(answer.value)
    assert months == [3, 2]  # c3 qualified in January, and again on 03-05


async def test_as_of_after_now_is_now(world: Database) -> None:
    request = KpiRequest("stage_conversion", period=named_period("2026-Q2"), stages=PAIR)
    now = await query(world, request, now=APRIL)
    for ahead, codes in ((timedelta(seconds=50), []), (timedelta(days=900), [WarningCode.AS_OF_AHEAD])):
        later = replace(request, switches=Switches(as_of=APRIL + ahead))
        found = await query(world, later, now=APRIL)
        assert (found.as_of, found.value, found.n, found.period) == (now.as_of, now.value, now.n, now.period)
        assert [warning.code for warning in found.warnings] == [*codes, *(warning.code for warning in now.warnings)]
        assert WarningCode.PERIOD_OPEN in {warning.code for warning in found.warnings}
        assert found.overrides == (f"asOf={(APRIL + ahead).isoformat().replace('+00:00', 'Z')}",)


async def test_without_a_window_the_90th_percentile_decides_who_can_still_convert(world: Database) -> None:
    switches = Switches(skip=Skip.EXCLUDE, has_no_window=True, as_of=APRIL)
    answer = await query(world, KpiRequest("stage_conversion", stages=PAIR, switches=switches))
    # Took 10, 18 and 23 days: the 90th percentile is 22. c6 is 3.5 days old, c8 21.5, c3 and c5 are older.
    [warning] = [warning for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT]
    assert warning.count == 2
    assert "22 days" in warning.message


async def test_the_records_of_a_bucket_are_judged_by_the_pace_of_the_whole_period(world: Database) -> None:
    switches = Switches(skip=Skip.EXCLUDE, has_no_window=True, as_of=day("04-02"), censoring=Censoring.DECIDED_ONLY)
    request = KpiRequest("stage_conversion", named_period("2026-Q1"), grain=Grain.MONTH, stages=PAIR, switches=switches)
    answer = await query(world, request)
    # c1 and c2 took 10 and 18 days. c8, who entered 23 days ago, counts; c6, who entered 5 days ago, does not.
    assert [bucket.n for bucket in answer.series] == [3, 1, 1]
    async with world.read() as session:
        for bucket in answer.series:
            assert bucket.drill_down is not None
            page = await read_page(session, bucket.drill_down, RecordSide.BASE, size=9)
            assert len(page.records) == bucket.n


async def test_time_to_convert_has_the_distribution_of_the_converted(world: Database) -> None:
    answer = await query(world, KpiRequest("time_to_convert", stages=PAIR, switches=Switches(has_no_window=True)))
    days = Decimal(86_400)  # 10, 18, 73, 12 and 23 days
    assert answer.n == 5
    assert answer.value == 18 * days
    assert answer.distribution is not None
    spread = answer.distribution
    assert (spread.median, spread.p75, spread.p90, spread.mean) == (
        18 * days,
        23 * days,
        53 * days,
        Decimal("27.2") * days,
    )


async def test_the_funnel_follows_the_cohort_and_counts_entries_of_the_period_separately(world: Database) -> None:
    answer = await query_the_funnel(world, FunnelRequest(named_period("2026-Q1"), switches=Switches(as_of=APRIL)))
    shown = [
        (step.key, step.reached, step.implied, step.open, step.entered, step.entered_implied) for step in answer.stages
    ]
    assert shown == [
        ("inquiry", 7, 0, 0, 7, 0),
        ("mql", 7, 1, 0, 7, 1),  # c5 was rejected: closed, not open
        ("sal", 6, 1, 3, 7, 1),  # c3, c6 and c8 are in it; c7 entered it in January, and the first stage last year
        ("sql", 3, 0, 1, 4, 0),
        ("opportunity", 2, 0, 1, 3, 0),
        ("customer", 1, 0, 0, 1, 0),
    ]


async def test_a_person_back_in_a_lower_stage_still_counts_in_the_highest_one_reached(world: Database) -> None:
    early = Switches(as_of=datetime(2026, 2, 1, tzinfo=UTC))
    answer = await query_the_funnel(world, FunnelRequest(named_period("2026-01"), switches=early))
    assert [(step.reached, step.open) for step in answer.stages] == [(3, 0), (3, 0), (2, 1), (1, 0), (1, 1), (0, 0)]


async def test_an_entry_that_ends_at_as_of_has_ended(world: Database) -> None:
    waiting = []
    for as_of in (day("02-15") - MICROSECOND, day("02-15")):
        request = FunnelRequest(named_period("2026-Q1"), switches=Switches(as_of=as_of))
        waiting.append((await query_the_funnel(world, request)).stages[1].open)
    assert waiting == [1, 0]  # c5, rejected on 02-15


async def test_a_filter_by_stage_shows_only_its_stages(world: Database) -> None:
    stages = Where(all_of=(Where(tests=((Dimension.STAGE, ("sql", "customer")),)),))
    request = KpiRequest("stage_volume", period=named_period("2026-Q1"), by=(Dimension.STAGE,), where=stages)
    answer = await query(world, request)
    assert [(group.keys[0].value, group.n) for group in answer.breakdown] == [("sql", 4), ("customer", 1)]


async def test_stage_volume_by_stage_has_a_group_per_stage(world: Database) -> None:
    answer = await query(world, KpiRequest("stage_volume", period=named_period("2026-04"), by=(Dimension.STAGE,)))
    assert [(group.keys[0].value, group.n) for group in answer.breakdown] == [
        ("inquiry", 0),
        ("mql", 0),
        ("sal", 0),
        ("sql", 2),
        ("opportunity", 1),
        ("customer", 1),
    ]
    assert answer.value == 4


async def test_a_cycle_from_the_stage_sql_is_evaluated_for_the_facts_that_were_known(world: Database) -> None:
    async with world.read() as session:
        at = await session.value(Sql("select clock_timestamp()"))
    assert isinstance(at, datetime)
    switches = Switches(cycle_start=CycleStart.SQL, as_of=AFTER_ALL)
    present, known = (
        KpiRequest("sales_cycle", switches=chosen) for chosen in (switches, replace(switches, known_at=at))
    )
    await prepare_requests(world, [known], wait=None)
    found = await query(world, known)
    assert (found.value, found.n) == ((await query(world, present)).value, 2)


async def test_an_invalid_request_does_not_affect_the_others(world: Database) -> None:
    async with world.read() as session:
        answers = await query_kpis(
            session, LOCAL_OPERATOR, [KpiRequest("mqls"), KpiRequest("nothing"), KpiRequest("deals_won")], now=AFTER_ALL
        )
    assert [type(answer) for answer in answers] == [KpiAnswer, AccordError, KpiAnswer]
    assert [answer.value for answer in answers if isinstance(answer, KpiAnswer)] == [8, 2]


async def test_the_statement_in_an_answer_can_be_run_as_it_is(world: Database) -> None:
    request = KpiRequest("mqls", period=named_period("2026-Q1"), by=(Dimension.CHANNEL,))
    answer = await query(world, request)
    async with world.read() as session:
        rows = await session.connection.fetch(answer.sql)
    assert [(row["key_1"], row["n"], row["implied"]) for row in rows] == [("WEBSITE", 7, 1)]
