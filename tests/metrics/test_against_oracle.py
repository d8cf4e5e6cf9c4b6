"""KPIs of stages and funnels equal an independent oracle, over generated contacts, switches, periods and filters."""

import json
from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.graph.contract import read_filter
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.funnels.funnel_answer import FunnelGroup
from api.metrics.periods.calendar_units import midnight
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, Period, StagePair, Switches, Where
from api.metrics.resolved_request import MICROSECOND
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import STAGE_DIMENSIONS
from schema.kpis.switch_words import Censoring, Exclusion, FilterScope
from schema.kpis.variants import VariantRule
from schema.vocab import Anchor, Grain, NotCountedReason, RecordSide, Reentry, Skip
from tests.metrics import oracle
from tests.metrics.generated_contacts import INSTANTS, NOW, STAGES, Person, load, people, worlds
from tests.metrics.missing_periods import MISSING, is_missing
from tests.support.examples import examples

# Without shrinking: every example is loaded into the database, and shrinking would load thousands.
QUICK = settings(
    deadline=None, suppress_health_check=list(HealthCheck), derandomize=True, phases=[Phase.explicit, Phase.generate]
)
DAYS = st.integers(0, 130).map(lambda day: date(2026, 1, 5) + timedelta(days=day))

RARE_DAYS = st.one_of(st.none(), st.just(None), DAYS)
RARE_INSTANTS = st.one_of(st.none(), st.just(None), INSTANTS)


@st.composite
def periods(draw: st.DrawFn) -> Period:
    starts_on, before = draw(RARE_DAYS), draw(RARE_DAYS)
    if starts_on is not None and before is not None and before <= starts_on:
        before = starts_on + timedelta(days=1)
    return Period(starts_on, before)


RECORD_FILTERS = st.sampled_from(
    [
        {"leadSource": {"isNull": True}},
        {"leadSource": {"in": ["web"]}, "not": {"country": {"eq": "DE"}}},
        {"owner": {"name": {"eq": "Ada"}}},
        {"company": {"industry": {"eq": "Toys"}}},
        {"touchpoints": {"some": {"channel": {"eq": "EMAIL"}}}},
    ]
).map(lambda given: read_filter(json.dumps({"contact": given})))


@st.composite
def filters(draw: st.DrawFn) -> Where:
    test = st.one_of(
        st.tuples(st.just(Dimension.LEAD_SOURCE), st.sampled_from([("web",), ("fair", None), (None,)])),
        st.tuples(st.just(Dimension.CHANNEL), st.sampled_from([("EMAIL",), ("EVENT", None)])),
        st.tuples(st.just(oracle.SOURCE_DETAIL), st.sampled_from([("booth",), ("page", None)])),
        st.tuples(st.just(Dimension.COMPANY_SIZE), st.sampled_from([("51-250",), ("1001+", None)])),
        st.tuples(st.just(Dimension.CAMPAIGN_TYPE), st.sampled_from([("Fair",), (None,)])),
        st.tuples(st.just(Dimension.PARENT_CAMPAIGN), st.sampled_from([("Autumn",), (None,)])),
        st.tuples(st.just(Dimension.MANAGER), st.sampled_from([("Cyd",), ("Ada", None)])),
        st.tuples(st.just(Dimension.OWNER), st.sampled_from([("Ada",), (f"member_{UUID(int=22)}", None)])),
        st.tuples(st.just(Dimension.CURRENT_OWNER), st.sampled_from([("Ben",), ("Ada", None)])),
    ).map(lambda test: Where(tests=(test,)))
    test |= RECORD_FILTERS
    parts = tuple(draw(st.just([]) | st.lists(test, max_size=2)))
    return draw(st.sampled_from([Where(all_of=parts), Where(any_of=parts), Where(none_of=parts)]))


NO_FILTERS = (Where(), Where(all_of=()))
BETWEEN_STAGES = ("stage_conversion", "time_to_convert")
COUNTED_IN_A_WORLD = (*oracle.COUNTS, *oracle.CONVERSIONS, *BETWEEN_STAGES)


def _censorings(key: str, *, is_cohort: bool) -> st.SearchStrategy[Censoring | None]:
    """The choices of censoring of a KPI. Of durations, all that count are decided."""
    if key == "time_to_convert":
        return st.sampled_from([None, Censoring.ALL_OPEN, Censoring.MATURE_ONLY])
    return st.none() | st.sampled_from(Censoring) if is_cohort else st.none()


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    key = draw(st.sampled_from(COUNTED_IN_A_WORLD))
    is_count, has_anchor = key in oracle.COUNTS, key != "time_to_convert" and key not in oracle.COUNTS
    skips = [Skip.EXCLUDE, Skip.IMPLIED] if is_count else list(Skip)
    pairs = [StagePair(low, high) for place, low in enumerate(STAGES) for high in STAGES[place + 1 :]]
    anchor = draw(st.sampled_from(list(Anchor))) if has_anchor else None
    window = draw(st.sampled_from([None, timedelta(days=10)])) if not is_count and anchor is not Anchor.PERIOD else None
    is_cohort = anchor is Anchor.COHORT
    where = draw(filters())
    scopes = st.none() | st.sampled_from(FilterScope)
    dimensions = [*oracle.CARRIED, oracle.SOURCE_DETAIL, *(STAGE_DIMENSIONS if key == "stage_volume" else [])]
    return KpiRequest(
        key,
        period=draw(periods()),
        grain=draw(st.none() | st.sampled_from(list(Grain))),
        by=tuple(draw(st.lists(st.sampled_from(dimensions), max_size=2, unique=True))),
        stages=draw(st.sampled_from(pairs)) if key in BETWEEN_STAGES else None,
        where=where,
        switches=Switches(
            anchor=anchor,
            censoring=draw(_censorings(key, is_cohort=is_cohort)),
            exclusions=draw(st.none() | st.none() | st.frozensets(st.sampled_from(Exclusion))),
            filter_scope=draw(scopes) if not is_count and where not in NO_FILTERS else None,
            reentry=draw(st.sampled_from(list(Reentry))),
            skip=draw(st.sampled_from(skips if key != "time_to_convert" else [None, *skips])),
            window=window,
            has_no_window=not is_count and window is None and draw(st.booleans()),
            as_of=draw(RARE_INSTANTS),
            timezone=draw(st.none() | st.just("America/Sao_Paulo")),
        ),
    )


@st.composite
def conversions(draw: st.DrawFn) -> KpiRequest:
    """Requests for conversions or their times whose filter applies to one end, or whose open rows are left out."""
    key = draw(st.sampled_from(BETWEEN_STAGES))
    is_share = key == "stage_conversion"
    anchor = draw(st.sampled_from([Anchor.COHORT, Anchor.COHORT, Anchor.PERIOD])) if is_share else None
    test = Where(tests=(draw(st.sampled_from(CHANGING)),))
    where = draw(st.sampled_from([test, Where(none_of=(test,)), Where()]))
    return KpiRequest(
        key,
        grain=draw(st.none() | st.just(Grain.MONTH)),
        by=draw(st.sampled_from([(), (), (Dimension.LEAD_SOURCE,)])),
        stages=draw(st.sampled_from([StagePair("inquiry", "mql"), StagePair("mql", "customer")])),
        where=where,
        switches=Switches(
            anchor=anchor,
            reentry=draw(st.sampled_from(list(Reentry))),
            skip=Skip.IMPLIED if is_share else draw(st.sampled_from([None, Skip.IMPLIED])),
            has_no_window=anchor is Anchor.PERIOD or draw(st.booleans()),
            as_of=draw(RARE_INSTANTS),
            censoring=draw(_censorings(key, is_cohort=anchor is Anchor.COHORT)),
            filter_scope=draw(st.sampled_from(FilterScope)) if where != Where() else None,
        ),
    )


# Values of dimensions that change, so that they are often others at the conversion than at the base.
CHANGING: tuple[tuple[Dimension, tuple[str | None, ...]], ...] = (
    (Dimension.LEAD_SOURCE, ("web",)),
    (Dimension.COUNTRY, ("DE", None)),
    (Dimension.CHANNEL, (None,)),
    (Dimension.OWNER, ("Ada", "Ben")),
    (Dimension.INDUSTRY, ("Toys",)),
)


# Hypothesis warns of the text of a request whose filters have whole declarations.
@pytest.mark.filterwarnings("ignore:Generating overly large repr")
@settings(QUICK, max_examples=examples(50))
@given(world=worlds(), batch=st.lists(requests(), min_size=6, max_size=12))
async def test_kpis_of_stages_equal_the_oracle(
    ready: tuple[Database, UUID], world: list[Person], batch: list[KpiRequest]
) -> None:
    await _require_the_oracle(ready, world, batch)


@settings(QUICK, max_examples=examples(40))
@given(world=st.lists(people(), min_size=14, max_size=20), batch=st.lists(conversions(), min_size=12, max_size=16))
async def test_conversions_under_their_own_switches_equal_the_oracle(
    ready: tuple[Database, UUID], world: list[Person], batch: list[KpiRequest]
) -> None:
    await _require_the_oracle(ready, [replace(world[0], why_not=None), *world[1:]], batch)


async def _require_the_oracle(ready: tuple[Database, UUID], world: list[Person], batch: list[KpiRequest]) -> None:
    database, version = ready
    async with database.write() as session:
        await load(session, world, version)
    async with database.read() as session:
        for request, answer in zip(batch, await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW), strict=True):
            assert isinstance(answer, KpiAnswer), answer
            if not any(oracle.counts(person, request) for person in world):
                assert [warning.code for warning in answer.warnings] == [WarningCode.NO_CONTACTS]
                assert (answer.value, answer.breakdown, answer.series) == (None, (), ())
                continue
            counted = oracle.count(world, request)
            if _is_missing(world, request, answer):
                assert not counted.total.n
                continue
            _compare(request, answer, counted)
            await _compare_records(session, answer, counted)


def _is_missing(world: list[Person], request: KpiRequest, answer: KpiAnswer) -> bool:
    """Whether the period has no value: it does not if no entry lies before its end."""
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    days = (request.period.starts_on, request.period.before)
    start, end = (None if day is None else midnight(day, zone) for day in days)
    until = (request.switches.as_of or NOW) + MICROSECOND
    entries = [entry.entered for person in world for stage in STAGES for entry in person.entries[stage]]
    missing = is_missing(answer, start, until, sum(end is None or at < end for at in entries))
    last = until if end is None else min(end, until)
    is_begun, is_before_all = start is None or start < until, bool(entries) and last <= min(entries)
    is_before_all &= end is not None or request.switches.as_of is not None
    assert missing == (not is_begun or is_before_all)
    return missing


async def _compare_records(session: ReadSession, answer: KpiAnswer, counted: oracle.Counted) -> None:
    """The records of the total, or of the last group, are those that the oracle counts, at the same instants."""
    figure: KpiFigure = answer.breakdown[-1] if answer.breakdown else answer
    key = tuple(part.value for part in answer.breakdown[-1].keys) if answer.breakdown else None
    for side in RecordSide if answer.numerator is not None else (RecordSide.BASE,):
        assert figure.drill_down is not None
        page = await read_page(session, figure.drill_down, side, size=500)
        assert sorted((record.at, record.id) for record in page.records) == counted.records(side, key)


def _compare(request: KpiRequest, answer: KpiAnswer, counted: oracle.Counted) -> None:
    zone = ZoneInfo(request.switches.timezone or "Europe/Berlin")
    _same(request, answer, counted.total)
    assert {part.reason: part.count for part in answer.excluded.reasons} == +counted.excluded
    assert answer.excluded.count == counted.excluded.total()
    shown = {tuple(key.value for key in group.keys): group for group in answer.breakdown}
    assert len(shown) == len(answer.breakdown)
    if request.by:
        assert not counted.groups.keys() - shown.keys()
        for key, group in shown.items():
            _same(request, group, counted.groups.get(key, oracle.Figure()))
    if request.grain is not None:
        starts = [oracle._bucket(bucket.starts_at, request.grain, zone) for bucket in answer.series]
        # Buckets have no gaps and no duplicates, and every counted row is in one.
        assert starts == sorted(set(starts))
        assert all(one.before == other.starts_at for one, other in zip(answer.series, answer.series[1:], strict=False))
        assert not {bucket for bucket, figure in counted.buckets.items() if figure.n or figure.numerator} - set(starts)
        for start, bucket in zip(starts, answer.series, strict=True):
            _same(request, bucket, counted.buckets.get(start, oracle.Figure()))
        for key, group in shown.items():
            for start, bucket in zip(starts, group.series, strict=True):
                _same(request, bucket, counted.cells.get((key, start), oracle.Figure()))
    open_cohort = next((warning.count for warning in answer.warnings if warning.code is WarningCode.OPEN_COHORT), 0)
    assert open_cohort == counted.waiting
    skipped = next((warning.count for warning in answer.warnings if warning.code is WarningCode.SKIPPED_STAGE), 0)
    assert skipped == counted.skipped


def _same(request: KpiRequest, figure: KpiFigure, counted: oracle.Figure) -> None:
    assert (figure.n, figure.implied) == (counted.n, counted.implied)
    if request.key == "time_to_convert":
        assert (figure.distribution is None) == (not counted.took)
        if figure.distribution is not None:
            spread = figure.distribution
            for value, share in ((spread.median, 0.5), (spread.p75, 0.75), (spread.p90, 0.9)):
                assert float(value) == pytest.approx(oracle.percentile(counted.took, share), abs=1e-5)
            assert float(spread.mean) == pytest.approx(sum(counted.took) / len(counted.took), abs=1e-5)
            assert figure.value == spread.median
    elif request.key in oracle.COUNTS:
        assert figure.value == counted.n
    else:
        assert figure.numerator == counted.numerator
        assert figure.denominator == counted.n
        assert figure.value == (round(Decimal(counted.numerator) / counted.n, 6) if counted.n else None)
    _has_variants(request, figure, counted)


def _has_variants(request: KpiRequest, figure: KpiFigure, counted: oracle.Figure) -> None:
    is_share = request.key not in ("time_to_convert", *oracle.COUNTS)
    switches = request.switches
    if not is_share or switches.anchor is Anchor.PERIOD or switches.censoring not in (None, Censoring.ALL_OPEN):
        assert figure.variants == ()
        return
    everybody, mature = figure.variants
    assert (everybody.rule, everybody.is_canonical) == (VariantRule.ALL_OPEN, True)
    assert (everybody.value, everybody.numerator, everybody.denominator) == (
        *(figure.value, figure.numerator, figure.denominator),
    )
    assert (mature.rule, mature.is_canonical) == (VariantRule.MATURE_ONLY, False)
    assert (mature.numerator, mature.denominator) == (Decimal(counted.mature_numerator), Decimal(counted.mature))
    share = round(Decimal(counted.mature_numerator) / counted.mature, 6) if counted.mature else None
    assert (mature.value, mature.reason is None) == (share, share is not None)


@st.composite
def funnels(draw: st.DrawFn) -> FunnelRequest:
    switches = Switches(as_of=draw(RARE_INSTANTS))
    by = tuple(draw(st.lists(st.sampled_from([*oracle.CARRIED, oracle.SOURCE_DETAIL]), max_size=2, unique=True)))
    top = draw(st.none() | st.integers(1, 3)) if by else None
    return FunnelRequest(draw(periods()), by, draw(filters()), switches, top)


@settings(QUICK, max_examples=examples(25))
@given(world=worlds(), batch=st.lists(funnels(), min_size=3, max_size=6))
async def test_funnels_equal_the_oracle(
    ready: tuple[Database, UUID], world: list[Person], batch: list[FunnelRequest]
) -> None:
    database, version = ready
    async with database.write() as session:
        await load(session, world, version)
    async with database.read() as session:
        for request in batch:
            answer = await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)
            if answer.stages[0].reached is None:
                found = {warning.code for warning in answer.warnings}
                assert found & {*MISSING, WarningCode.NO_CONTACTS}
                assert answer.breakdown == ()
                assert not any(map(any, _funnel(world, request)))
            elif any(person.why_not is None for person in world):
                assert [
                    (step.reached, step.implied, step.open, step.entered, step.entered_implied)
                    for step in answer.stages
                ] == _funnel(world, request)
                assert {part.reason: part.count for part in answer.excluded.reasons} == +_left_out(world, request)
            for groups in zip(*(group.stages for group in answer.breakdown), strict=True):
                whole = next(step for step in answer.stages if step.key == groups[0].key)
                assert sum(step.reached for step in groups) == whole.reached
                assert sum(step.entered for step in groups) == whole.entered
            if request.top is not None and answer.breakdown:
                _check_top(world, request, answer.breakdown)


def _check_top(world: list[Person], request: FunnelRequest, groups: tuple[FunnelGroup, ...]) -> None:
    """The groups of `top` are those with the most people in the first stage; Other is everybody else."""
    switches = Switches(reentry=Reentry.FIRST, skip=Skip.IMPLIED, as_of=request.switches.as_of)
    entered = KpiRequest("stage_volume", request.period, by=request.by, where=request.where, switches=switches)
    every = oracle.count(world, entered).groups
    first = [
        replace(person, entries={**dict.fromkeys(STAGES, ()), STAGES[0]: person.entries[STAGES[0]]}) for person in world
    ]
    people = {key: figure.n for key, figure in oracle.count(first, entered).groups.items()}
    kept = [tuple(part.value for part in group.keys) for group in groups if not group.keys[0].is_other]
    assert len(kept) == min(request.top or 0, len(every))
    place = {key: (-people.get(key, 0), -figure.n) for key, figure in every.items()}
    rest = [place[key] for key in every.keys() - {*kept}]
    assert [place[key] for key in kept] == sorted(place.values())[: len(kept)]
    assert [group.keys[0].is_other for group in groups] == [*[False] * len(kept), *[True] * bool(rest)]
    own = [
        Where(tests=tuple((dimension, (value,)) for dimension, value in zip(request.by, key, strict=True)))
        for key in kept
    ]
    for group, where in zip(groups, [*own, Where(none_of=tuple(own))], strict=False):
        assert [
            (step.reached, step.implied, step.open, step.entered, step.entered_implied) for step in group.stages
        ] == _funnel(world, replace(request, where=Where(all_of=(request.where, where))))


def _left_out(world: list[Person], request: FunnelRequest) -> Counter[NotCountedReason]:
    first = [
        replace(person, entries={**dict.fromkeys(STAGES, ()), STAGES[0]: person.entries[STAGES[0]]}) for person in world
    ]
    switches = Switches(reentry=Reentry.FIRST, skip=Skip.IMPLIED, as_of=request.switches.as_of)
    return oracle.count(
        first, KpiRequest("stage_volume", request.period, where=request.where, switches=switches)
    ).excluded


def _funnel(world: list[Person], request: FunnelRequest) -> list[tuple[int, ...]]:
    until: datetime = (request.switches.as_of or NOW) + MICROSECOND
    switches = Switches(reentry=Reentry.FIRST, skip=Skip.IMPLIED, as_of=request.switches.as_of)
    people = [person for person in world if person.why_not is None]
    steps: list[tuple[int, ...]] = []
    for place, stage in enumerate(STAGES):
        above = STAGES[place + 1] if place + 1 < len(STAGES) else None
        reached = implied = standing = 0
        for person in people:
            # Whether this person, counted alone with those merged into them, entered the first stage in the period.
            alone = [person, *(other for other in world if other.why_not and person is world[0])]
            came = KpiRequest("stage_volume", request.period, where=request.where, switches=switches)
            first = {**dict.fromkeys(STAGES, ()), STAGES[0]: person.entries[STAGES[0]]}
            only_first = replace(person, entries=first)
            if not oracle.count([only_first, *alone[1:]], came).total.n:
                continue
            here = [entry for entry in person.entries[stage] if entry.entered < until]
            gone_on = above is not None and any(entry.entered < until for entry in person.entries[above])
            reached += bool(here)
            implied += bool(here) and here[0].is_implied
            is_open = any(entry.exited is None or entry.exited >= until for entry in here)
            standing += bool(above and is_open and not gone_on)
        entered = KpiRequest(
            "stage_volume", request.period, by=(Dimension.STAGE,), where=request.where, switches=switches
        )
        beside = oracle.count(world, entered).groups[stage,]
        steps.append((reached, implied, standing, beside.n, beside.implied))
    return steps
