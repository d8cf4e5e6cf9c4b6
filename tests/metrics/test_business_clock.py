"""Business time in SQL equals that of the document's own arithmetic, on both sides of daylight saving and holidays."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.db import Database
from api.metrics.kinds.business_clock import BusinessClock
from api.sql import Sql
from schema.clauses.business_time import add_business_time, business_time_between, offsets
from tests.accord.test_business_time import CHANGES, generated_calendar
from tests.metrics.test_against_oracle import QUICK
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices

MICROSECOND, WEEK = timedelta(microseconds=1), timedelta(days=7)


@settings(QUICK, max_examples=examples(60))
@given(data=st.data())
async def test_sql_and_document_agree_on_business_time(module_database: Database, data: st.DataObject) -> None:
    choices = RandomChoices.of_hypothesis(data)
    zone_name, day = choices.one(CHANGES)
    zone, calendar = ZoneInfo(zone_name), generated_calendar(choices, day)
    middle = datetime(day.year, day.month, day.day, tzinfo=UTC)
    until = middle + timedelta(days=9)
    seconds = st.integers(-600_000, 600_000)
    starts = [middle + timedelta(seconds=offset, microseconds=7) for offset in data.draw(st.lists(seconds, min_size=4))]
    length = timedelta(seconds=choices.integer(1, 150_000))
    # Some ends are exactly when the time is over, others an hour later.
    ends = [
        add_business_time(calendar, zone, at, length) + timedelta(hours=place % 2) for place, at in enumerate(starts)
    ]
    clock = BusinessClock(calendar, zone)
    rows = Sql(
        "select v.place, {} as passed, {} as over_at from unnest({}::timestamptz[], {}::timestamptz[])"
        " with ordinality v (start, upto, place){} order by v.place",
        clock.seconds_between(Sql("v.start"), Sql("least(v.upto, {}::timestamptz)", until)),
        clock.after(Sql("v.start"), length),
        starts,
        ends,
        clock.joined,
    )
    async with module_database.read() as session:
        found = await session.rows(clock.within(rows, Sql("select {}::timestamptz", min(starts)), until))
    for row, start, end in zip(found, starts, ends, strict=True):
        upto = min(end, until)
        passed = business_time_between(calendar, zone, start, upto) if upto > start else timedelta(0)
        assert upto < start or row["passed"] * 1_000_000 == passed // MICROSECOND
        over = add_business_time(calendar, zone, start, length)
        if over <= until:
            assert row["over_at"] == over


async def test_a_time_that_is_not_over_by_the_end_is_over_never(module_database: Database) -> None:
    calendar = generated_calendar(RandomChoices.of_seed(1), CHANGES[0][1])
    start = datetime(2026, 3, 2, tzinfo=UTC)
    clock = BusinessClock(calendar, ZoneInfo("UTC"))
    rows = Sql(
        "select {} = 'infinity' as is_never from (select 1) v{}",
        clock.after(Sql("{}::timestamptz", start), timedelta(days=300)),
        clock.joined,
    )
    async with module_database.read() as session:
        assert await session.value(clock.within(rows, Sql("select {}::timestamptz", start), start + timedelta(days=9)))
        none = Sql("select null::timestamptz")
        assert await session.value(clock.within(rows, none, start))  # no row, so no instant to begin at


@pytest.mark.parametrize("year", [1000, 1988, 1989, 1990, 2199])
async def test_the_clock_runs_up_to_any_year_that_facts_have(module_database: Database, year: int) -> None:
    until = datetime(year, 7, 1, tzinfo=UTC)
    clock = BusinessClock(generated_calendar(RandomChoices.of_seed(1), CHANGES[0][1]), ZoneInfo("Europe/Berlin"))
    passed = clock.seconds_between(Sql("v.start"), Sql("{}::timestamptz", until))
    rows = Sql(
        "select {} > 0 as is_open from (select {}::timestamptz as start) v{}", passed, until - WEEK, clock.joined
    )
    async with module_database.read() as session:
        assert await session.value(clock.within(rows, Sql("select {}::timestamptz", until - WEEK), until))


async def test_without_a_calendar_all_time_counts(module_database: Database) -> None:
    start = datetime(2026, 3, 28, 23, tzinfo=UTC)
    clock = BusinessClock(None, ZoneInfo("Europe/Berlin"))
    at = Sql("{}::timestamptz", start)
    end = clock.after(at, timedelta(days=1))
    rows = Sql("select {} as over_at, {} as passed{}", end, clock.seconds_between(at, end), clock.joined)
    async with module_database.read() as session:
        [row] = await session.rows(clock.within(rows, Sql("select null::timestamptz"), start))
    assert (row["over_at"], row["passed"]) == (start + timedelta(days=1), 86_400)


def test_the_offsets_of_a_zone_change_when_its_clocks_do() -> None:
    found = [*offsets(ZoneInfo("Europe/Berlin"), datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))]
    assert [(start.month, start.day, start.hour, ahead // timedelta(hours=1)) for start, _, ahead in found] == [
        (1, 1, 0, 1),
        (3, 29, 1, 2),
        (10, 25, 1, 1),
    ]
    assert [start for start, _, _ in found[1:]] == [end for _, end, _ in found[:-1]]
    assert found[-1][1] == datetime(2027, 1, 1, tzinfo=UTC)
