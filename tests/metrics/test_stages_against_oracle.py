"""KPIs of people who stand still, leave, come back or have no owner equal an independent count over made-up people."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.vocab import Grain, NotCountedReason
from tests.metrics import stage_worlds
from tests.metrics.stage_worlds import DAY, MOMENT, NOW, RECYCLED, START, Counted, Somebody, Stay, made_up, rows
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices

COUNTED_IN_A_WORLD = ("stalled_rate", "recycle_rate", "recycled_reconversion", "orphan_hours")


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> tuple[Database, UUID]:
    async with module_database.write() as session:
        version = await adopt_accord(session, read_accord("standard"))
        await stage_worlds.prepare(session, version.id)
    return module_database, version.id


def requests(choices: RandomChoices) -> list[KpiRequest]:
    first = START.date() + timedelta(days=choices.integer(0, 25))
    days = period(first, first + timedelta(days=choices.integer(1, 200)))
    as_of = choices.one((None, START + timedelta(hours=12 * choices.integer(1, 80)), NOW + timedelta(days=90)))
    request = KpiRequest("", choices.one((days, ALL_HISTORY)), choices.one((None, Grain.WEEK, Grain.MONTH)))
    request = replace(request, switches=Switches(as_of=as_of))
    found = [replace(request, key=key) for key in COUNTED_IN_A_WORLD]
    return [*found, KpiRequest("stalled_rate", request.period, by=(Dimension.STAGE,), switches=request.switches)]


@settings(QUICK, max_examples=examples(60))
@given(seed=st.integers(0, 10**9))
async def test_they_equal_the_oracle(ready: tuple[Database, UUID], seed: int) -> None:
    database, version = ready
    choices = RandomChoices.of_seed(seed)
    people, batch = made_up(choices), requests(choices)
    async with database.write() as session:
        await stage_worlds.load(session, people, version)
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW)
    for request, answer in zip(batch, answers, strict=True):
        assert isinstance(answer, KpiAnswer), answer
        if {warning.code for warning in answer.warnings} & MISSING:
            continue
        check(request, answer, people)


MISSING = {WarningCode.PERIOD_NOT_BEGUN, WarningCode.PERIOD_BEFORE_DATA}


def check(request: KpiRequest, answer: KpiAnswer, people: list[Somebody]) -> None:
    start, before = (midnight(day) for day in (request.period.starts_on, request.period.before))
    until = (request.switches.as_of or NOW) + MOMENT
    counted = rows_of(request.key, people, start, before, until)
    same(answer, request.key, counted)
    warned = {warning.code: warning.count for warning in answer.warnings}
    assert warned.get(WarningCode.OPEN_COHORT, 0) == sum(row.is_waiting for row in counted)
    for bucket in answer.series:
        same(bucket, request.key, rows_of(request.key, people, bucket.starts_at, bucket.before, until))
    for group in answer.breakdown:
        same(group, request.key, [row for row in counted if row.stage == group.keys[0].value])
    left_out = rows_of(request.key, people, start, before, until, is_test=True)
    assert answer.excluded.count == len(left_out)
    assert {part.reason for part in answer.excluded.reasons} <= {NotCountedReason.TEST}


def midnight(day: date | None) -> datetime | None:
    return None if day is None else datetime(day.year, day.month, day.day, tzinfo=UTC)


def rows_of(
    key: str,
    people: list[Somebody],
    start: datetime | None,
    before: datetime | None,
    until: datetime,
    *,
    is_test: bool = False,
) -> list[Counted]:
    known = min(until, NOW + MOMENT)
    # A state is read at `asOf`, even if that lies in the future; times that last end now, or at `asOf`.
    end = {"stalled_rate": until, "orphan_hours": known - MOMENT}.get(key, known)
    end = min(before or end, end)
    return [row for person in people if person.is_test is is_test for row in rows(key, person, start, end, known)]


def same(figure: KpiFigure, key: str, counted: list[Counted]) -> None:
    assert figure.n == len(counted)
    if key == "orphan_hours":
        assert float(figure.value or 0) == pytest.approx(sum(row.hours for row in counted), abs=1e-4)
        return
    assert figure.denominator == len(counted)
    assert figure.numerator == sum(row.is_part for row in counted)


def recycled(*entries: datetime, at: tuple[datetime, ...] = (START,)) -> Somebody:
    """A person recycled from mql at some instants, with entries into sql at others."""
    stays = [Stay("mql", end - timedelta(days=1), end, "HANDOFF_REJECTED") for end in at]
    stays += [Stay("sql", entered, None, None) for entered in entries]
    return Somebody(tuple(stays), tuple((end, "NO_TIMING") for end in at), ((START, None),), is_test=False)


@pytest.mark.parametrize(
    ("somebody", "expected"),
    [
        (recycled(START + RECYCLED), (1, 1)),
        (recycled(START + RECYCLED + MOMENT), (0, 1)),
        (recycled(START), (0, 1)),  # an entry at that very instant was before
        (recycled(START + MOMENT), (1, 1)),
        (recycled(START + 9 * DAY, at=(START, START + 5 * DAY)), (1, 2)),  # it belongs to the later recycling
    ],
)
async def test_a_recycled_person_comes_back_within_180_days(
    ready: tuple[Database, UUID], somebody: Somebody, expected: tuple[int, int]
) -> None:
    database, version = ready
    async with database.write() as session:
        await stage_worlds.load(session, [somebody], version)
    async with database.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest("recycled_reconversion")], now=NOW)
    assert isinstance(answer, KpiAnswer)
    found: tuple[object, object] = (answer.numerator, answer.denominator)
    assert found == expected


@pytest.mark.parametrize(("late", "expected"), [(timedelta(0), 1), (MOMENT, 0)])
async def test_a_request_may_name_another_time_to_come_back(
    ready: tuple[Database, UUID], late: timedelta, expected: int
) -> None:
    database, version = ready
    window = 60 * DAY
    request = KpiRequest("recycled_reconversion", switches=Switches(window=window))
    async with database.write() as session:
        await stage_worlds.load(session, [recycled(START + window + late)], version)
    async with database.read() as session:
        own, chosen = await query_kpis(session, LOCAL_OPERATOR, [KpiRequest(request.key), request], now=NOW)
    assert isinstance(own, KpiAnswer)
    assert isinstance(chosen, KpiAnswer)
    assert own.numerator == 1
    assert own.is_canonical
    assert chosen.numerator == expected
    assert chosen.overrides == ("window=P60D",)
    assert not chosen.is_canonical
