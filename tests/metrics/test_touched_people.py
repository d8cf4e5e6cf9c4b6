"""KPIs that divide by the people touched, by examples: the ends of their times, and what does not count."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import ALL_HISTORY, KpiRequest, Period, Switches
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import RecordSide

ANNA, BEN = UUID(int=1), UUID(int=2)
NOON = datetime(2026, 3, 9, 12, tzinfo=UTC)
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
# A touch: who, when, its direction, its team, whether a machine caused it.
Touch = tuple[UUID, datetime, str, str | None, bool]


def ours(at: datetime, team: str | None = "SALES", *, who: UUID = ANNA, automated: bool = False) -> Touch:
    return who, at, "OUTBOUND", team, automated


def theirs(at: datetime, *, automated: bool = False) -> Touch:
    return ANNA, at, "INBOUND", None, automated


async def write(database: Database, touches: Sequence[Touch]) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
        await session.copy("contact", ["id", "effective_at"], [(who, NOON - 90 * DAY) for who in (ANNA, BEN)])
        columns = ["contact_id", "id", "occurred_at", "direction", "team_kind", "is_automated", "kind"]
        rows = [(touch[0], UUID(int=place), *touch[1:], "CALL") for place, touch in enumerate(touches)]
        await session.copy("touchpoint", columns, rows)
        await evaluate(session)


async def query(database: Database, key: str, within: Period = ALL_HISTORY, as_of: datetime | None = None) -> KpiAnswer:
    async with database.read() as session:
        request = KpiRequest(key, within, switches=Switches(as_of=as_of))
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=NOON + 200 * DAY)
    assert isinstance(answer, KpiAnswer), answer
    return answer


def fraction(answer: KpiAnswer) -> tuple[object, object]:
    return answer.numerator, answer.denominator


async def part_of(database: Database, key: str, touches: Sequence[Touch]) -> tuple[object, object]:
    await write(database, touches)
    answer = await query(database, key)
    return fraction(answer)


@pytest.mark.parametrize(
    ("reply", "part"),
    [
        (theirs(NOON), 0),  # at the same instant is not after
        (theirs(NOON + MOMENT), 1),
        (theirs(NOON + 14 * DAY), 1),
        (theirs(NOON + 14 * DAY + MOMENT), 0),
        (theirs(NOON + DAY, automated=True), 0),
        (theirs(NOON - DAY), 0),
    ],
)
async def test_a_response_is_an_inbound_touch_within_14_days_after_a_touch(
    database: Database, reply: Touch, part: int
) -> None:
    assert await part_of(database, "response_rate", [ours(NOON), reply, ours(NOON, who=BEN)]) == (part, 2)


async def test_a_reply_to_a_touch_of_the_period_may_lie_after_it(database: Database) -> None:
    await write(database, [ours(NOON), theirs(NOON + 13 * DAY)])
    day = period(date(2026, 3, 9), date(2026, 3, 10))
    assert (await query(database, "response_rate", day)).value == 1
    before = await query(database, "response_rate", day, NOON + 12 * DAY)
    assert before.value == 0
    assert {warning.code: warning.count for warning in before.warnings}[WarningCode.OPEN_COHORT] == 1
    after = period(date(2026, 3, 10), date(2026, 4, 10))
    assert (await query(database, "response_rate", after)).value is None


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (ours(NOON + 24 * HOUR, "MARKETING"), (1, 1)),
        (ours(NOON - 24 * HOUR, "MARKETING"), (1, 1)),
        (ours(NOON + 24 * HOUR + MOMENT, "MARKETING"), (0, 1)),
        (ours(NOON + HOUR, "MARKETING", automated=True), (1, 1)),
        (ours(NOON + HOUR, None), (0, 0)),
        (ours(NOON + HOUR, "MARKETING", who=BEN), (0, 0)),
    ],
)
async def test_a_collision_is_a_touch_by_either_team_within_24_hours(
    database: Database, other: Touch, expected: tuple[int, int]
) -> None:
    assert await part_of(database, "cross_team_collision", [ours(NOON), other]) == expected


async def test_a_person_touched_by_both_counts_when_the_second_team_touched_them(database: Database) -> None:
    await write(database, [ours(NOON), ours(NOON + HOUR, "MARKETING"), ours(NOON + 2 * HOUR)])
    answer = await query(database, "cross_team_collision")
    assert answer.drill_down is not None
    async with database.read() as session:
        page = await read_page(session, answer.drill_down, RecordSide.BASE, size=10)
    assert [record.at for record in page.records] == [NOON + HOUR]


async def opt_out(database: Database, at: datetime, *, who: UUID = ANNA, flag: str = "email_opt_out") -> None:
    async with database.write() as session:
        await session.run(
            Sql.from_parts((f"update contact set {flag} = true, effective_at = ",)) + Sql("{} where id = {}", at, who)
        )


@pytest.mark.parametrize("flag", ["email_opt_out", "do_not_call"])
@pytest.mark.parametrize(
    ("touches", "after", "part"),
    [
        ((0,), 30 * DAY, 1),
        ((0,), 30 * DAY + MOMENT, 0),
        ((0,), timedelta(0), 1),
        ((1,), timedelta(0), 0),  # opted out before the touch
    ],
)
async def test_an_opt_out_counts_within_30_days_after_the_last_touch(
    database: Database, touches: tuple[int, ...], after: timedelta, part: int, flag: str
) -> None:
    await write(database, [*(ours(NOON + day * DAY) for day in touches), ours(NOON, who=BEN)])
    await opt_out(database, NOON + after, flag=flag)
    answer = await query(database, "opt_out_rate")
    assert fraction(answer) == (part, 2)
    assert WarningCode.HISTORY_ASSUMED not in {warning.code for warning in answer.warnings}  # it is known when


async def test_an_opt_out_counts_in_the_period_of_the_last_touch_before_it(database: Database) -> None:
    await write(database, [ours(NOON), ours(NOON + DAY)])
    await opt_out(database, NOON + 2 * DAY)
    first, second = (period(date(2026, 3, day), date(2026, 3, day + 1)) for day in (9, 10))
    assert [(await query(database, "opt_out_rate", day)).value for day in (first, second)] == [0, 1]


async def test_who_was_opted_out_in_an_assumed_history_is_counted_in_a_warning(database: Database) -> None:
    await write(database, [ours(NOON), ours(NOON, who=BEN)])
    async with database.write() as session:
        await session.run(
            Sql("update contact_version set is_assumed = true, email_opt_out = true where contact_id = {}", ANNA)
        )
        await session.run(Sql("update contact_version set is_assumed = true where contact_id = {}", BEN))
    answer = await query(database, "opt_out_rate")
    assert fraction(answer) == (0, 2)
    assert {warning.code: warning.count for warning in answer.warnings}[WarningCode.HISTORY_ASSUMED] == 1
