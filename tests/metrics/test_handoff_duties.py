"""KPIs of the duties at the handoff, by examples with the standard accord: its office is open from 9 to 17 in UTC."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.db import Database
from api.funnel.evaluate import evaluate
from api.metrics.answer import KpiAnswer
from api.metrics.periods.period_names import named_period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from api.workflows.adopt_accord import adopt_accord
from schema.clauses.handoff_duties import HandoffDuties
from schema.kpis.answer_vocab import WarningCode
from tests.golden import world
from tests.support.accords import activate_document

ANNA = UUID(int=1)
FRIDAY = datetime(2026, 3, 6, 15, tzinfo=UTC)  # two hours before the office closes
HOUR, DAY, MOMENT = timedelta(hours=1), timedelta(days=1), timedelta(microseconds=1)
MONDAY = FRIDAY + 3 * DAY - 6 * HOUR  # as it opens
# A touch: when, its direction, kind, team and outcome, and whether a machine caused it.
Touch = tuple[datetime, str, str, str | None, str | None, bool]
Handoff = dict[str, object]


def call(at: datetime, outcome: str | None = None, *, team: str | None = "SALES", automated: bool = False) -> Touch:
    return at, "OUTBOUND", "CALL", team, outcome, automated


def handed(
    status: str = "ACCEPTED", *, at: datetime = FRIDAY, decided: datetime | None = MONDAY, **more: object
) -> Handoff:
    reason = {"reject_reason": "NO_FIT"} if status == "REJECTED" else {}
    return {"handed_at": at, "decided_at": decided, "status": status, **reason, **more}


async def write(
    database: Database,
    handoffs: Sequence[Handoff],
    touches: Sequence[Touch] = (),
    duties: HandoffDuties | None = None,
    *,
    has_duties: bool = True,
) -> None:
    accord = read_accord("standard")
    if duties is not None or not has_duties:
        accord = accord.model_copy(update={"handoff": duties})
    async with database.write() as session:
        await adopt_accord(session, accord)
        await session.copy("contact", ["id", "effective_at"], [(ANNA, FRIDAY - 90 * DAY)])
        columns = ["handed_at", "decided_at", "status", "reject_reason", "due_at", "note"]
        rows = [(ANNA, UUID(int=place), *map(handoff.get, columns)) for place, handoff in enumerate(handoffs, 50)]
        await session.copy("handoff", ["contact_id", "id", *columns], rows)
        touched = ["occurred_at", "direction", "kind", "team_kind", "outcome", "is_automated"]
        made = [(ANNA, UUID(int=place), *touch) for place, touch in enumerate(touches)]
        await session.copy("touchpoint", ["contact_id", "id", *touched], made)
        await evaluate(session)


async def ask(database: Database, key: str, as_of: datetime | None = None) -> KpiAnswer:
    async with database.read() as session:
        request = KpiRequest(key, switches=Switches(as_of=as_of))
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=FRIDAY + 200 * DAY)
    assert isinstance(answer, KpiAnswer), answer
    return answer


def fraction(answer: KpiAnswer) -> tuple[object, object]:
    return answer.numerator, answer.denominator


def warned(answer: KpiAnswer) -> dict[WarningCode, int | None]:
    return {warning.code: warning.count for warning in answer.warnings}


@pytest.mark.parametrize(
    ("touch", "hours"),
    [
        (FRIDAY + HOUR, 1),
        (FRIDAY + 20 * HOUR, 2),  # on Saturday: until the office closed
        (MONDAY + HOUR, 3),
        (FRIDAY, 0),
    ],
)
async def test_the_owner_responds_in_working_time(database: Database, touch: datetime, hours: int) -> None:
    await write(database, [handed()], [call(touch - 5 * DAY), call(touch)])
    assert (await ask(database, "owner_response_time")).value == hours * 3600


@pytest.mark.parametrize(
    "touch",
    [call(MONDAY, automated=True), call(MONDAY, team="MARKETING"), (MONDAY, "INBOUND", "CALL", "SALES", None, False)],
)
async def test_only_sales_by_hand_responds(database: Database, touch: Touch) -> None:
    await write(database, [handed()], [touch])
    answer = await ask(database, "owner_response_time")
    assert (answer.value, warned(answer)[WarningCode.NEVER_TOUCHED]) == (None, 1)


@pytest.mark.parametrize(("touch", "n"), [(call(MONDAY), 1), (call(MONDAY + MOMENT), 0)])
async def test_a_touch_up_to_the_rejection_responds(database: Database, touch: Touch, n: int) -> None:
    await write(database, [handed("REJECTED", decided=MONDAY)], [touch])
    assert (await ask(database, "owner_response_time")).n == n


async def test_the_clock_starts_anew_after_a_handoff_was_returned(database: Database) -> None:
    again = handed(at=MONDAY + HOUR, decided=None, status="PROPOSED")
    await write(database, [handed("RETURNED"), again], [call(MONDAY + 3 * HOUR)])
    answer = await ask(database, "owner_response_time")
    assert answer.value == 2 * 3600
    assert answer.n == 1
    assert WarningCode.NEVER_TOUCHED not in warned(answer)


async def test_without_a_calendar_all_time_counts(database: Database) -> None:
    sales = HandoffDuties.model_validate({"sales": {"decide_within": "2 days"}})
    accord = read_accord("standard").model_copy(update={"handoff": sales, "calendars": ()})
    async with database.write() as session:
        await adopt_accord(session, accord)
        await session.copy("contact", ["id", "effective_at"], [(ANNA, FRIDAY - 90 * DAY)])
        await session.copy("handoff", ["contact_id", "id", "handed_at", "status"], [(ANNA, ANNA, FRIDAY, "PROPOSED")])
        columns = ["contact_id", "id", "occurred_at", "direction", "kind"]
        await session.copy("touchpoint", columns, [(ANNA, ANNA, FRIDAY + DAY, "OUTBOUND", "CALL")])
        await evaluate(session)
    assert (await ask(database, "owner_response_time")).value == 24 * 3600


@pytest.mark.parametrize(
    ("handoff", "expected"),
    [
        # 16 hours of the office after Friday, 15 o'clock, are over on Tuesday at 15 o'clock.
        (handed(decided=MONDAY + DAY + 6 * HOUR), (1, 1)),
        (handed(decided=MONDAY + DAY + 6 * HOUR + MOMENT), (0, 1)),
        (handed("REJECTED"), (1, 1)),
        (handed("RETURNED"), (0, 0)),
        (handed("RETURNED", decided=MONDAY + 2 * DAY), (0, 1)),
        (handed("PROPOSED", decided=None), (0, 1)),
        (handed(due_at=MONDAY - MOMENT), (0, 1)),  # a deadline of its own
        (handed(due_at=MONDAY), (1, 1)),
    ],
)
async def test_a_decision_is_in_time_up_to_the_instant_at_which_it_is_due(
    database: Database, handoff: Handoff, expected: tuple[int, int]
) -> None:
    await write(database, [handoff])
    assert fraction(await ask(database, "sla_decided_in_time")) == expected


async def test_a_decision_counts_when_it_is_due_and_not_before(database: Database) -> None:
    await write(database, [handed("PROPOSED", decided=None)])
    due = MONDAY + DAY + 6 * HOUR
    assert fraction(await ask(database, "sla_decided_in_time", due - MOMENT)) == (0, 0)
    assert fraction(await ask(database, "sla_decided_in_time", due)) == (0, 1)


async def test_without_a_duty_the_reason_names_the_clause(database: Database) -> None:
    await write(database, [handed()], has_duties=False)
    for key, clause in (("sla_decided_in_time", "decide_within"), ("sla_followed_up", "attempts")):
        answer = await ask(database, key)
        assert (answer.value, answer.warnings[0].code) == (None, WarningCode.ZERO_DENOMINATOR)
        assert clause in answer.warnings[0].message


FOUR = [call(MONDAY + hours * HOUR, "NO_ANSWER") for hours in range(4)]


@pytest.mark.parametrize(
    ("touches", "part"),
    [
        (FOUR, 0),
        ([*FOUR, call(MONDAY + 14 * DAY)], 1),
        ([*FOUR, call(MONDAY + 14 * DAY + MOMENT)], 0),
        ([*FOUR, call(MONDAY - MOMENT)], 0),  # before the acceptance
        ([*FOUR, call(MONDAY, automated=True)], 0),
        ([*FOUR, call(MONDAY, team="MARKETING")], 0),
        ([call(FRIDAY, "CONNECTED")], 1),  # reached before it was accepted
        ([(MONDAY, "INBOUND", "EMAIL_REPLY", "SALES", None, False)], 1),
        ([(MONDAY, "INBOUND", "FORM", "MARKETING", None, False)], 0),
    ],
)
async def test_sales_follows_up_with_enough_attempts_or_by_reaching_the_person(
    database: Database, touches: list[Touch], part: int
) -> None:
    await write(database, [handed()], touches)
    assert fraction(await ask(database, "sla_followed_up")) == (part, 1)


async def test_time_for_attempts_that_is_not_over_is_reported(database: Database) -> None:
    await write(database, [handed()], FOUR)
    early, late = [await ask(database, "sla_followed_up", MONDAY + after) for after in (13 * DAY, 15 * DAY)]
    assert (warned(early).get(WarningCode.OPEN_COHORT), warned(late).get(WarningCode.OPEN_COHORT)) == (1, None)


@pytest.mark.parametrize(
    ("touch", "part"),
    [
        # 72 hours of the office after Monday, 9 o'clock, are over on the second Thursday as the office closes.
        (call(MONDAY + 10 * DAY + 8 * HOUR), 0),
        (call(MONDAY + 10 * DAY + 8 * HOUR + MOMENT), 1),
        (call(FRIDAY), 0),
        (call(FRIDAY - MOMENT), 1),
        (call(MONDAY, automated=True), 1),
    ],
)
async def test_a_person_untouched_for_72_working_hours_was_never_contacted(
    database: Database, touch: Touch, part: int
) -> None:
    await write(database, [handed()], [touch])
    assert fraction(await ask(database, "never_contacted_rate")) == (part, 1)


async def test_an_untouched_person_whose_time_is_not_over_is_reported(database: Database) -> None:
    await write(database, [handed()])
    over = MONDAY + 10 * DAY + 8 * HOUR
    waiting, untouched = [await ask(database, "never_contacted_rate", at) for at in (over - MOMENT, over)]
    assert (fraction(waiting), warned(waiting)[WarningCode.OPEN_COHORT]) == ((0, 1), 1)
    assert (fraction(untouched), WarningCode.OPEN_COHORT in warned(untouched)) == ((1, 1), False)


@pytest.mark.parametrize(
    ("more", "part"),
    [
        ({"note": "Too small."}, 1),
        ({"note": " \n"}, 0),
        ({}, 0),
        ({"note": "Too small.", "reject_reason": "BECAUSE"}, 0),
    ],
)
async def test_feedback_has_a_reason_of_the_accord_and_a_note(
    database: Database, more: dict[str, object], part: int
) -> None:
    await write(database, [handed("REJECTED") | more, handed()])
    assert fraction(await ask(database, "reject_feedback_complete")) == (part, 1)


async def test_a_reason_of_a_former_version_is_one_of_the_accord(database: Database) -> None:
    await write(database, [handed("REJECTED", note="Too small.")])
    accord = read_accord("standard")
    reasons = tuple(reason for reason in accord.reject_reasons if reason.code != "NO_FIT")
    async with database.write() as session:
        await activate_document(session, accord.model_copy(update={"reject_reasons": reasons}), MONDAY + DAY)
        await evaluate(session)
    assert fraction(await ask(database, "reject_feedback_complete")) == (1, 1)


async def test_a_reason_recycles_by_the_version_that_was_in_force_at_the_decision(database: Database) -> None:
    accord = world.accord()
    without = tuple(reason for reason in accord.reject_reasons if reason.code != "NO_TIMING")
    async with database.write() as session:
        await world.load(session)
        await activate_document(session, accord.model_copy(update={"reject_reasons": without}), world.day("06-01"))
        await evaluate(session, as_of=world.AFTER_ALL)
    # Of those who left in the first quarter, c3 was recycled for that reason, and c5 rejected for good.
    async with database.read() as session:
        request = KpiRequest("recycle_rate", named_period("2026-Q1"))
        [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=world.AFTER_ALL)
    assert isinstance(answer, KpiAnswer), answer
    assert answer.numerator == 1


async def test_nothing_says_what_was_accepted_by_default(database: Database) -> None:
    await write(database, [handed()])
    answer = await ask(database, "default_accept_share")
    assert (answer.value, answer.n) == (None, 0)
    assert warned(answer) == {WarningCode.NOT_RECORDED: 0}
