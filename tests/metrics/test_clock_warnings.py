"""What answers say of clocks: deals and handoffs dated ahead, and a server and a database that disagree."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from unittest import mock
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR, Principal
from api.accord.documents import read_accord
from api.db import Database
from api.metrics import context
from api.metrics.answer import AnswerWarning, KpiAnswer
from api.metrics.clocks.clock_warnings import Clocks, clock_warnings
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import Reach
from schema.base import now as clock
from schema.kpis.answer_vocab import WarningCode

NOW = datetime(2026, 7, 1, tzinfo=UTC)
CLOCKS = {WarningCode.DATED_AHEAD, WarningCode.CLOCK_SKEW}


@pytest.fixture
async def world(database: Database) -> Database:
    """A deal won today, one won a minute ahead, one won an hour ahead, and one opened a year ahead."""
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        closed = [NOW, NOW + timedelta(minutes=1), NOW + timedelta(hours=1)]
        await session.copy(
            "deal",
            ["id", "outcome", "closed_at", "opened_at"],
            [(UUID(int=number), "WON", at, NOW - timedelta(days=9)) for number, at in enumerate(closed)],
        )
        await session.copy("deal", ["id", "outcome", "opened_at"], [(UUID(int=9), "OPEN", NOW + timedelta(days=365))])
    return database


async def warnings(
    database: Database, key: str = "deals_won", who: Principal = LOCAL_OPERATOR, as_of: datetime | None = None
) -> list[AnswerWarning]:
    async with database.read() as session:
        [found] = await query_kpis(session, who, [KpiRequest(key, switches=Switches(as_of=as_of))], now=NOW)
    assert isinstance(found, KpiAnswer), found
    return [warning for warning in found.warnings if warning.code in CLOCKS]


@contextmanager
def skewed(**difference: float) -> Iterator[None]:
    """Let the clock of the server be behind that of the database."""
    with mock.patch.object(context, "clock", return_value=clock() - timedelta(**difference)):
        yield


async def test_records_that_are_dated_ahead_are_counted_in_a_warning(world: Database) -> None:
    [warning] = await warnings(world)
    assert (warning.code, warning.count) == (WarningCode.DATED_AHEAD, 2)
    assert warning.message == "2 records are dated after `asOf`, and do not count yet."


async def test_whoever_does_not_reach_every_record_is_not_told_how_many(world: Database) -> None:
    [warning] = await warnings(world, who=Principal(Reach.OWN, UUID(int=1)))
    assert warning.count is None
    assert not any(character.isdigit() for character in warning.message)


async def test_a_figure_that_reads_no_deals_says_nothing_of_them(world: Database) -> None:
    assert await warnings(world, "opt_out_rate") == []


async def test_as_of_an_earlier_instant_what_came_later_is_no_surprise(world: Database) -> None:
    assert await warnings(world, as_of=NOW - timedelta(days=1)) == []
    assert len(await warnings(world, as_of=NOW + timedelta(days=1))) == 1  # it is as of now


@pytest.mark.parametrize(("seconds", "order"), [(90, "90 seconds ahead of"), (-90, "90 seconds behind")])
async def test_clocks_that_differ_by_more_than_a_minute_are_said(world: Database, seconds: float, order: str) -> None:
    with skewed(seconds=seconds):
        found = [warning for warning in await warnings(world) if warning.code is WarningCode.CLOCK_SKEW]
    [warning] = found
    assert order in warning.message


async def test_clocks_that_differ_by_less_are_not(world: Database) -> None:
    with skewed(seconds=50):
        assert [warning.code for warning in await warnings(world)] == [WarningCode.DATED_AHEAD]


async def test_a_funnel_says_the_same(world: Database) -> None:
    with skewed(minutes=5):
        async with world.read() as session:
            answer = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(), now=NOW)
    assert {warning.code for warning in answer.warnings} >= CLOCKS


@pytest.mark.parametrize(
    ("count", "shown", "message"),
    [
        (1, 1, "1 record is dated after `asOf`, and does not count yet."),
        (1_001, 1_000, "More than 1,000 records are dated after `asOf`, and do not count yet."),
    ],
)
def test_of_many_the_number_is_a_lower_bound(count: int, shown: int, message: str) -> None:
    [warning] = clock_warnings(Clocks({"deal": count}), ("deal",), read_accord("standard"))
    assert (warning.count, warning.message) == (shown, message)
