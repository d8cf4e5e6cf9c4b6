"""The sales cycle from sql and from the first touch equals a count in plain Python, over made-up touches and roles."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from statistics import median
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.context import read_context
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import KpiRequest, Period, Switches
from api.metrics.resolve import resolve
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom, WarningCode
from schema.kpis.switch_words import CycleStart
from schema.vocab import Grain, RecordSide
from tests.metrics.missing_periods import MISSING
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples
from tests.support.journeys import derive_journeys

NOW, START = datetime(2026, 6, 1, tzinfo=UTC), datetime(2026, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PERIOD = Period(date(2026, 2, 1), date(2026, 4, 1))
FIRST, AFTER = datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
PEOPLE = 3
# Few different days, so that a start is often at the win itself, and often after it.
DAYS = st.integers(2, 8).map(lambda step: START + timedelta(days=12 * step))


@dataclass(frozen=True)
class Fact:
    """A touch, or an entry into a stage."""

    at: datetime
    person: int
    is_void: bool = False
    stage: str = "sql"


@dataclass(frozen=True)
class Role:
    person: int
    since: datetime | None = None
    is_void: bool = False


@dataclass(frozen=True)
class Won:
    opened_at: datetime | None
    closed_at: datetime
    roles: tuple[Role, ...]


@dataclass(frozen=True)
class World:
    touches: tuple[Fact, ...]
    entries: tuple[Fact, ...]
    deals: tuple[Won, ...]
    is_merged: bool  # person 0 into person 1


@st.composite
def worlds(draw: st.DrawFn) -> World:
    person, is_void = st.integers(0, PEOPLE - 1), st.integers(0, 4).map(lambda one: one == 0)
    role = st.builds(Role, person, st.sampled_from([None, None, START, NOW + DAY]), is_void)
    roles = st.lists(role, max_size=3, unique_by=lambda one: one.person).map(tuple)
    deal = st.builds(Won, st.none() | DAYS, DAYS, roles)
    is_merged = draw(st.booleans())
    # A merged person has no entries: those are of the survivor.
    entered = st.builds(
        Fact, DAYS, st.integers(int(is_merged), PEOPLE - 1), st.just(value=False), st.sampled_from(["sql", "mql"])
    )
    return World(
        tuple(draw(st.lists(st.builds(Fact, DAYS, person, is_void), max_size=8))),
        tuple(draw(st.lists(entered, max_size=8, unique_by=lambda one: (one.person, one.stage, one.at)))),
        tuple(draw(st.lists(deal, min_size=4, max_size=9))),
        is_merged,
    )


def started(world: World, deal: Won, start: CycleStart | None, until: datetime) -> datetime | None:
    """The start of a cycle, by the definition of the switch."""
    if start in (None, CycleStart.OPENED):
        known = [] if deal.opened_at is None else [deal.opened_at]
    else:
        facts = world.touches if start is CycleStart.FIRST_TOUCH else world.entries
        roles = [role for role in deal.roles if not role.is_void and (role.since is None or role.since <= until)]
        people = {_survivor(world, role.person) for role in roles}
        known = [
            fact.at
            for fact in facts
            if not fact.is_void and fact.stage == "sql" and _survivor(world, fact.person) in people
        ]
    return min((at for at in known if at <= deal.closed_at), default=None)


def _survivor(world: World, number: int) -> int:
    return 1 if world.is_merged and number == 0 else number


def _person(number: int) -> UUID:
    return UUID(int=100 + number)


@pytest.fixture(scope="module")
async def ready(module_database: Database) -> Database:
    async with module_database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await evaluate(session)
    return module_database


async def write(session: WriteSession, world: World) -> None:
    tables = ("stage_entry", "deal_contact", "touchpoint", "deal_version", "deal", "contact_version", "contact")
    await session.script("; ".join(["update contact set merged_into_id = null", *(f"delete from {t}" for t in tables)]))
    people = [(_person(one), _person(1) if world.is_merged and one == 0 else None) for one in range(PEOPLE)]
    await session.copy("contact", ["id", "merged_into_id"], people[::-1])
    deals = [(UUID(int=500 + place), "WON", deal.opened_at, deal.closed_at) for place, deal in enumerate(world.deals)]
    await session.copy("deal", ["id", "outcome", "opened_at", "closed_at"], deals)
    roles = [
        (_person(role.person), UUID(int=500 + place), role.since, NOW if role.is_void else None)
        for place, deal in enumerate(world.deals)
        for role in deal.roles
    ]
    await session.copy("deal_contact", ["contact_id", "deal_id", "since", "voided_at"], roles)
    touches = [
        (_person(one.person), UUID(int=900 + place), one.at, NOW if one.is_void else None, "FORM", "INBOUND")
        for place, one in enumerate(world.touches)
    ]
    names = ["contact_id", "id", "occurred_at", "voided_at", "kind", "direction"]
    await session.copy("touchpoint", names, touches)
    await _write_entries(session, world)
    await derive_journeys(session)


async def _write_entries(session: WriteSession, world: World) -> None:
    """Write the entries that the switch reads, in the evaluation of the accord."""
    [row] = await session.rows(Sql("select id, accord_version_id from evaluation order by started_at desc limit 1"))
    by_place: dict[tuple[int, str], int] = {}
    rows = []
    for entry in sorted(world.entries, key=lambda one: one.at):
        place = by_place[entry.person, entry.stage] = by_place.get((entry.person, entry.stage), 0) + 1
        rank = 3 if entry.stage == "mql" else 5
        rows.append(
            (
                _person(entry.person),
                row["id"],
                row["accord_version_id"],
                entry.stage,
                rank,
                place,
                entry.at,
                entry.at,
                False,
            )
        )
    names = ["contact_id", "evaluation_id", "accord_version_id", "stage", "rank", "occurrence", "entered_at", "own_at"]
    await session.copy("stage_entry", [*names, "is_implied"], rows)


@settings(QUICK, max_examples=examples(60))
@given(world=worlds(), as_of=st.none() | DAYS)
async def test_a_sales_cycle_from_its_start_equals_the_count(
    ready: Database, world: World, as_of: datetime | None
) -> None:
    async with ready.write() as session:
        await write(session, world)
    until = as_of or NOW
    won = [deal for deal in world.deals if FIRST <= deal.closed_at < AFTER and deal.closed_at <= until]
    for start in (None, *CycleStart):
        found, values = await measure(ready, start, as_of)
        starts = [(deal, started(world, deal, start, until)) for deal in won]
        took = [Decimal((deal.closed_at - at).total_seconds()) for deal, at in starts if at is not None]
        assert found.n == len(took)
        assert found.value == (pytest.approx(median(took)) if took else None)
        assert sum(bucket.n for bucket in found.series) == len(took)
        assert sorted(values) == sorted(took)
        codes = {warning.code: warning.count for warning in found.warnings}
        if not codes.keys() & MISSING:
            assert codes.get(WarningCode.UNDATED, 0) == len(won) - len(took)
        is_default = start in (None, CycleStart.OPENED)
        overridden = [text for text in found.overrides if "cycleStart" in text]
        assert overridden == ([] if is_default or start is None else [f"cycleStart={start.value}"])
        assert found.is_canonical is (is_default and as_of is None)
        is_quick = is_default and as_of is None
        assert found.answered_from is (AnsweredFrom.JOURNEYS if is_quick else AnsweredFrom.FACTS)


async def measure(ready: Database, start: CycleStart | None, as_of: datetime | None) -> tuple[KpiAnswer, list[Decimal]]:
    request = KpiRequest("sales_cycle", PERIOD, Grain.MONTH, switches=Switches(cycle_start=start, as_of=as_of))
    async with ready.read() as session:
        [found] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOW)
        assert isinstance(found, KpiAnswer), found
        page = (
            None if found.drill_down is None else await read_page(session, found.drill_down, RecordSide.BASE, size=50)
        )
    return found, [record.value or Decimal(0) for record in (page.records if page else ())]


async def test_a_start_at_the_win_counts_and_one_after_it_does_not(ready: Database) -> None:
    win = START + 45 * DAY
    facts = (Fact(win, 0), Fact(win + DAY, 1), Fact(win - 2 * DAY, 2))
    deals = tuple(Won(win - 9 * DAY, win, roles) for roles in ((Role(0),), (Role(1),), (Role(1), Role(2))))
    async with ready.write() as session:
        await write(session, World(facts, facts, deals, is_merged=False))
    for start in (CycleStart.SQL, CycleStart.FIRST_TOUCH):
        found, values = await measure(ready, start, None)
        assert sorted(values) == [0, 2 * 86_400]
        undated = [warning for warning in found.warnings if warning.code is WarningCode.UNDATED]
        assert [warning.count for warning in undated] == [1]
        assert "no known opening" not in undated[0].message
        assert "1 deal has no" in undated[0].message


async def test_without_the_stage_sql_no_cycle_can_begin_there(ready: Database) -> None:
    accord = read_accord("standard")
    stages = tuple(stage for stage in accord.stages if stage.key != "sql")
    request = KpiRequest("sales_cycle", PERIOD, switches=Switches(cycle_start=CycleStart.SQL))
    async with ready.read() as session:
        context = await read_context(session, LOCAL_OPERATOR, NOW)
        without = accord.model_copy(update={"stages": stages})
        context = replace(context, in_force=replace(context.in_force, accord=without))
        with pytest.raises(AccordError) as raised:
            resolve(CATALOGUE["sales_cycle"], request, context)
    assert raised.value.code is ErrorCode.UNKNOWN_STAGE
    assert "OPENED or FIRST_TOUCH" in raised.value.remedy
