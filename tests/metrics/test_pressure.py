"""KPIs of contact pressure, by examples: the rolling time, its boundaries, and exemptions."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.contact_policy import ContactPolicy
from schema.vocab import Grain

PERSON = UUID(int=1)
EVENING = datetime(2026, 3, 9, 22, tzinfo=UTC)
# Three calls before midnight and three after it, in UTC: 22:00, 22:20, 22:40, 01:00, 01:20, 01:40.
CALLS = [EVENING + timedelta(minutes=minutes) for minutes in (0, 20, 40, 180, 200, 220)]


async def query(database: Database, request: KpiRequest) -> KpiAnswer:
    async with database.read() as session:
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=EVENING + timedelta(days=30))
    assert isinstance(answer, KpiAnswer), answer
    return answer


def made_of(answer: KpiAnswer) -> tuple[object, object]:
    return answer.numerator, answer.denominator


async def call(database: Database, policy: dict[str, object], touches: Sequence[tuple[datetime, str, bool]]) -> None:
    """Adopt a contact policy, and write the touches of one person."""
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


def outbound(*calls: datetime) -> list[tuple[datetime, str, bool]]:
    return [(at, "OUTBOUND", False) for at in calls]


async def test_a_rolling_cap_finds_six_calls_around_midnight(database: Database) -> None:
    await call(database, {"at_most": 3, "within": "24 hours"}, outbound(*CALLS))
    on = {at.date(): period(at.date(), at.date() + timedelta(days=1)) for at in (CALLS[0], CALLS[3])}
    evening, night = [await query(database, KpiRequest("over_pressure_rate", period=day)) for day in on.values()]
    assert [evening.value, night.value] == [Decimal(0), Decimal(1)]
    days = await query(database, KpiRequest("over_pressure_rate", period=named_period("2026-03"), grain=Grain.DAY))
    assert [bucket.value for bucket in days.series[8:10]] == [0, 1]
    assert (days.series[7].value, days.series[10].value) == (None, None)
    assert made_of(days) == (1, 1)


async def test_a_touch_exactly_as_old_as_the_rolling_time_does_not_count(database: Database) -> None:
    first = CALLS[0]
    await call(database, {"at_most": 1, "within": "24 hours"}, outbound(first, first + timedelta(hours=24)))
    assert (await query(database, KpiRequest("over_pressure_rate"))).value == 0
    trailing = [
        (await query(database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=first + age)))).value
        for age in (timedelta(0), timedelta(seconds=1), timedelta(hours=24, seconds=1), timedelta(days=7))
    ]
    assert trailing == [1, 1, 2, 1]


async def test_a_person_over_the_policy_when_a_period_begins_is_over_it_in_the_period(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    before = [midnight - timedelta(hours=hours) for hours in (3, 2)]
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    await call(database, {"at_most": 1, "within": "24 hours"}, outbound(*before, midnight + timedelta(hours=23)))
    # The two of the evening count until 21:00 and 22:00; the third touch comes after that.
    answer = await query(database, KpiRequest("over_pressure_rate", period=within))
    assert made_of(answer) == (1, 1)


async def test_a_person_no_longer_over_the_policy_when_a_period_begins_is_not_over_it(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    before = [midnight - timedelta(hours=hours) for hours in (24, 23)]
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    await call(database, {"at_most": 1, "within": "24 hours"}, outbound(*before, midnight + timedelta(hours=20)))
    assert made_of(await query(database, KpiRequest("over_pressure_rate", period=within))) == (0, 1)
    day_before = period(midnight.date() - timedelta(days=1), midnight.date())
    assert made_of(await query(database, KpiRequest("over_pressure_rate", period=day_before))) == (1, 1)


async def test_a_person_over_the_policy_twice_is_over_it_in_both_buckets(database: Database) -> None:
    calls = [CALLS[0], CALLS[1], CALLS[0] + timedelta(days=2), CALLS[1] + timedelta(days=2)]
    await call(database, {"at_most": 1, "within": "1 hour"}, outbound(*calls))
    days = await query(database, KpiRequest("over_pressure_rate", period=named_period("2026-03"), grain=Grain.DAY))
    assert [bucket.value for bucket in days.series[8:11]] == [1, None, 1]


async def test_a_reply_to_a_touch_before_the_period_is_exempt(database: Database) -> None:
    midnight = EVENING.replace(hour=0) + timedelta(days=1)
    inbound, reply, called = (midnight + timedelta(minutes=minutes) for minutes in (-150, -50, 5))
    policy = {"at_most": 1, "within": "1 hour", "exempt": {"reply_within": "2 hours"}}
    await call(database, policy, [(inbound, "INBOUND", False), *outbound(reply, called)])
    within = period(midnight.date(), midnight.date() + timedelta(days=1))
    assert made_of(await query(database, KpiRequest("over_pressure_rate", period=within))) == (0, 1)


async def test_automated_touches_and_replies_are_exempt_if_the_policy_says_so(database: Database) -> None:
    at = CALLS[0]
    touches = [
        (at, "OUTBOUND", True),
        (at + timedelta(hours=1), "INBOUND", False),
        (at + timedelta(hours=2), "OUTBOUND", False),
        (at + timedelta(hours=3), "OUTBOUND", False),
    ]
    exempt = {"automated": True, "reply_within": "2 hours"}
    await call(database, {"at_most": 1, "within": "1 day", "exempt": exempt}, touches)
    # One hour after the inbound touch is a reply, two hours after it is not: one touch counts.
    assert made_of(await query(database, KpiRequest("over_pressure_rate"))) == (0, 1)
    touched = await query(
        database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=at + timedelta(days=1)))
    )
    assert touched.value == 3  # trailing touches have no exemptions
    assert touched.distribution is not None
    assert touched.distribution.max == 3


async def test_one_email_to_many_people_is_one_touch_of_every_person(database: Database) -> None:
    await call(database, {"at_most": 1, "within": "1 day"}, [])
    async with database.write() as session:
        people = [UUID(int=place) for place in range(10, 15)]
        await session.copy("contact", ["id"], [(person,) for person in people])
        rows = [(person, person, CALLS[0], "EMAIL_SENT", "OUTBOUND", True) for person in people]
        rows += [(people[0], UUID(int=20), CALLS[1], "CALL", "OUTBOUND", False)]
        await session.copy("touchpoint", ["contact_id", "id", "occurred_at", "kind", "direction", "is_automated"], rows)
    answer = await query(
        database, KpiRequest("touches_per_contact_7d", switches=Switches(as_of=CALLS[0] + timedelta(days=1)))
    )
    assert (answer.n, answer.value) == (5, Decimal("1.2"))
    assert made_of(await query(database, KpiRequest("over_pressure_rate"))) == (1, 5)


async def test_touches_of_a_merged_contact_are_those_of_the_survivor(database: Database) -> None:
    hour = timedelta(hours=1)
    inbound = [(CALLS[0] - hour, "INBOUND", False)]
    await call(database, {"at_most": 1, "within": "1 day"}, [*inbound, *outbound(CALLS[0] + 3 * hour)])
    other, last = UUID(int=2), UUID(int=3)
    async with database.write() as session:
        # Merged into a contact that is merged itself.
        await session.copy("contact", ["id", "merged_into_id"], [(other, PERSON), (last, other)])
        touched = ["contact_id", "id", "occurred_at", "kind", "direction"]
        await session.copy("touchpoint", touched, [(last, UUID(int=30), CALLS[0] + hour, "CALL", "OUTBOUND")])
        await evaluate(session)
    assert made_of(await query(database, KpiRequest("over_pressure_rate"))) == (1, 1)
    waited = await query(database, KpiRequest("speed_to_lead"))
    assert (waited.n, waited.value) == (1, Decimal(2 * 3600))
