"""Contact pressure by examples: a cap that rolls, what has gone out of it, and what is exempt."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from api.access.principal import EVERYONE
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods import named_period, period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.accord import ContactPolicy
from schema.vocab import Grain

PERSON = UUID(int=1)
EVENING = datetime(2026, 3, 9, 22, tzinfo=UTC)
# Three calls before midnight and three after it: 22:00, 22:20, 22:40, 01:00, 01:20, 01:40.
CALLS = [EVENING + timedelta(minutes=minutes) for minutes in (0, 20, 40, 180, 200, 220)]


async def asked(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [answer] = await query_kpis(session, EVERYONE, [request], now=EVENING + timedelta(days=30))
    assert isinstance(answer, KpiAnswer), answer
    return answer


def made_of(answer: KpiAnswer) -> tuple[object, object]:
    return answer.numerator, answer.denominator


async def call(database: Database, policy: dict[str, object], touches: Sequence[tuple[datetime, str, bool]]) -> None:
    """Adopt a policy, and have one person touched."""
    async with database.write() as session:
        agreed = ContactPolicy.model_validate(policy)
        await adopt_accord(session, read_accord("standard").model_copy(update={"contact_policy": agreed}))
        await session.copy("contact", ["id", "effective_at"], [(PERSON, EVENING - timedelta(days=90))])
        rows = [
            (PERSON, UUID(int=place), at, "CALL", direction, is_automated)
            for place, (at, direction, is_automated) in enumerate(touches)
        ]
        await session.copy("touchpoint", ["contact_id", "id", "occurred_at", "kind", "direction", "is_automated"], rows)
        await evaluate(session)


def ours(*calls: datetime) -> list[tuple[datetime, str, bool]]:
    return [(at, "OUTBOUND", False) for at in calls]


async def test_a_cap_that_rolls_sees_what_a_calendar_lets_through(database: Database) -> None:
    await call(database, {"at_most": 3, "within": "24 hours"}, ours(*CALLS))
    on = {at.date(): period(at.date(), at.date() + timedelta(days=1)) for at in (CALLS[0], CALLS[3])}
    evening, night = [await asked(database, KpiRequest("over_pressure_rate", period=each)) for each in on.values()]
    assert [evening.value, night.value] == [Decimal(0), Decimal(1)]
    days = await asked(database, KpiRequest("over_pressure_rate", period=named_period("2026-03"), grain=Grain.DAY))
    assert [each.value for each in days.series[8:10]] == [0, 1]
    assert (days.series[7].value, days.series[10].value) == (None, None)
    assert made_of(days) == (1, 1)


async def test_what_is_as_old_as_the_stretch_is_long_has_gone_out(database: Database) -> None:
    first = CALLS[0]
    await call(database, {"at_most": 1, "within": "24 hours"}, ours(first, first + timedelta(hours=24)))
    assert (await asked(database, KpiRequest("over_pressure_rate"))).value == 0
    trailing = [
        (await asked(database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=first + age)))).value
        for age in (timedelta(0), timedelta(seconds=1), timedelta(hours=24, seconds=1), timedelta(days=7))
    ]
    assert trailing == [None, 1, 2, 1]


async def test_who_is_over_when_a_period_begins_is_over_in_it(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    before = [midnight - timedelta(hours=hours) for hours in (3, 2)]
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    await call(database, {"at_most": 1, "within": "24 hours"}, ours(*before, midnight + timedelta(hours=23)))
    # Two in the evening weigh until 21:00; the third comes when one of them has gone out, and both have at 22:00.
    answer = await asked(database, KpiRequest("over_pressure_rate", period=within))
    assert made_of(answer) == (1, 1)


async def test_who_ceases_to_be_over_as_a_period_begins_is_not_over_in_it(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    before = [midnight - timedelta(hours=hours) for hours in (24, 23)]
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    await call(database, {"at_most": 1, "within": "24 hours"}, ours(*before, midnight + timedelta(hours=20)))
    assert made_of(await asked(database, KpiRequest("over_pressure_rate", period=within))) == (0, 1)
    day_before = period(midnight.date() - timedelta(days=1), midnight.date())
    assert made_of(await asked(database, KpiRequest("over_pressure_rate", period=day_before))) == (1, 1)


async def test_who_is_over_twice_is_over_each_time(database: Database) -> None:
    calls = [CALLS[0], CALLS[1], CALLS[0] + timedelta(days=2), CALLS[1] + timedelta(days=2)]
    await call(database, {"at_most": 1, "within": "1 hour"}, ours(*calls))
    days = await asked(database, KpiRequest("over_pressure_rate", period=named_period("2026-03"), grain=Grain.DAY))
    assert [each.value for each in days.series[8:11]] == [1, None, 1]


async def test_an_answer_from_before_a_period_is_an_answer_in_it(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    theirs, answered, called = (midnight + timedelta(minutes=minutes) for minutes in (-150, -50, 5))
    policy = {"at_most": 1, "within": "1 hour", "exempt": {"reply_within": "2 hours"}}
    await call(database, policy, [(theirs, "INBOUND", False), *ours(answered, called)])
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    assert made_of(await asked(database, KpiRequest("over_pressure_rate", period=within))) == (0, 1)


async def test_a_machine_and_an_answer_are_exempt_if_agreed(database: Database) -> None:
    at = CALLS[0]
    touches = [
        (at, "OUTBOUND", True),
        (at + timedelta(hours=1), "INBOUND", False),
        (at + timedelta(hours=2), "OUTBOUND", False),
        (at + timedelta(hours=3), "OUTBOUND", False),
    ]
    exempt = {"automated": True, "reply_within": "2 hours"}
    await call(database, {"at_most": 1, "within": "1 day", "exempt": exempt}, touches)
    # One hour after theirs is an answer, two hours after it is none any more: one touch counts.
    assert made_of(await asked(database, KpiRequest("over_pressure_rate"))) == (0, 1)
    touched = await asked(
        database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=at + timedelta(days=1)))
    )
    assert touched.value == 3  # the pressure that a person feels knows no exemption
    assert touched.distribution is not None
    assert touched.distribution.max == 3


async def test_one_email_to_many_people_is_a_touch_of_each(database: Database) -> None:
    await call(database, {"at_most": 1, "within": "1 day"}, [])
    async with database.write() as session:
        people = [UUID(int=place) for place in range(10, 15)]
        await session.copy("contact", ["id"], [(each,) for each in people])
        rows = [(each, each, CALLS[0], "EMAIL_SENT", "OUTBOUND", True) for each in people]
        rows += [(people[0], UUID(int=20), CALLS[1], "CALL", "OUTBOUND", False)]
        await session.copy("touchpoint", ["contact_id", "id", "occurred_at", "kind", "direction", "is_automated"], rows)
    answer = await asked(
        database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=CALLS[0] + timedelta(days=1)))
    )
    assert (answer.n, answer.value) == (5, Decimal("1.2"))
    assert made_of(await asked(database, KpiRequest("over_pressure_rate"))) == (1, 5)


async def test_touches_of_a_merged_contact_are_those_of_the_survivor(database: Database) -> None:
    hour = timedelta(hours=1)
    asking = [(CALLS[0] - hour, "INBOUND", False)]
    await call(database, {"at_most": 1, "within": "1 day"}, [*asking, *ours(CALLS[0] + 3 * hour)])
    other, last = UUID(int=2), UUID(int=3)
    async with database.write() as session:
        # Merged by way of another, who is no more either.
        await session.copy("contact", ["id", "merged_into_id"], [(other, PERSON), (last, other)])
        touched = ["contact_id", "id", "occurred_at", "kind", "direction"]
        await session.copy("touchpoint", touched, [(last, UUID(int=30), CALLS[0] + hour, "CALL", "OUTBOUND")])
        await evaluate(session)
    assert made_of(await asked(database, KpiRequest("over_pressure_rate"))) == (1, 1)
    waited = await asked(database, KpiRequest("speed_to_lead"))
    assert (waited.n, waited.value) == (1, Decimal(2 * 3600))
