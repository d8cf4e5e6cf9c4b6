"""What marketing delivered of what it owes equals a plain count, over generated handoffs, entries and duties."""

import calendar
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from uuid import UUID
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.calendar_units import midnight
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import KpiRequest, Switches
from api.metrics.resolved_request import MICROSECOND
from schema.clauses.handoff_duties import HandoffDuties
from schema.kpis.answer_vocab import WarningCode
from schema.vocab import Grain
from tests.metrics import generated_activity
from tests.metrics.generated_activity import CLOSE, Handed, Known, survivors
from tests.metrics.generated_contacts import ACCORD, NOW, START
from tests.metrics.missing_periods import is_missing
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

COUNTED_IN_A_WORLD = ("marketing_delivery", "default_accept_share")
ZONE = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
Duty = tuple[str, int, Grain, bool]  # the stage, how many people, per what, and whether only the accepted count
DUTIES = st.tuples(
    st.sampled_from(["inquiry", "mql", "sal"]),
    st.integers(1, 9),
    st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]),
    st.booleans(),
)


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    first = START.date() + timedelta(days=draw(st.integers(-3, 12)))
    return KpiRequest(
        draw(st.sampled_from([*COUNTED_IN_A_WORLD, "marketing_delivery"])),
        period(first, first + timedelta(days=draw(st.integers(1, 70)))),
        draw(st.none() | st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH])),
        switches=Switches(as_of=draw(st.none() | CLOSE)),
    )


@settings(QUICK, max_examples=examples(60))
@given(
    found=generated_activity.busy_worlds(),
    batch=st.lists(requests(), min_size=5, max_size=8),
    duties=st.lists(DUTIES, min_size=1, max_size=2),
)
async def test_what_is_delivered_and_owed_equals_the_count(
    ready: tuple[Database, UUID], found: list[Known], batch: list[KpiRequest], duties: list[Duty]
) -> None:
    database, version = ready
    volume = [
        {"stage": stage, "at_least": people, "per": per, "count": "ACCEPTED" if is_accepted else "HANDED_OVER"}
        for stage, people, per, is_accepted in duties
    ]
    agreed = HandoffDuties.model_validate({"marketing": {"volume": volume}})
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await replace_document(session, ACCORD.model_copy(update={"handoff": agreed}))
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW)
    for request, answer in zip(batch, answers, strict=True):
        assert isinstance(answer, KpiAnswer), answer
        if request.key == "default_accept_share":  # no handoff says how it came to be accepted
            assert (answer.value, answer.n) == (None, 0)
            assert answer.warnings
            continue
        check(request, answer, survivors(found), duties)


def check(request: KpiRequest, answer: KpiAnswer, people: list[Known], duties: list[Duty]) -> None:
    until = (request.switches.as_of or NOW) + MICROSECOND
    first, before = request.period.starts_on, request.period.before
    assert first is not None
    assert before is not None
    start, end = midnight(first, ZONE), midnight(before, ZONE)
    ever = delivered(people, duties, datetime.min.replace(tzinfo=ZONE), end, until)
    if is_missing(answer, start, until, ever):
        assert delivered(people, duties, start, end, until) == 0
        return
    if any(warning.code is WarningCode.NO_CONTACTS for warning in answer.warnings):
        assert not people
        return
    same(answer, delivered(people, duties, start, end, until), owed(duties, first, before))
    for bucket in answer.series:
        days = (bucket.starts_at.astimezone(ZONE).date(), bucket.before.astimezone(ZONE).date())
        count = delivered(people, duties, bucket.starts_at, bucket.before, until)
        same(bucket, count, owed(duties, *days))


def same(figure: KpiFigure, count: int, people_owed: Fraction) -> None:
    exact = Decimal(people_owed.numerator) / people_owed.denominator
    assert figure.n == count
    assert figure.numerator == count
    assert figure.denominator is not None
    assert abs(figure.denominator - exact) <= Decimal("0.000001")
    assert figure.value is not None
    assert abs(figure.value - count / exact) <= Decimal("0.0001")


def delivered(people: list[Known], duties: list[Duty], start: datetime, end: datetime, until: datetime) -> int:
    """The people who were delivered in the time, once for every duty."""
    return sum(
        any(start <= at < min(end, until) for handed in known.handoffs if (at := moment(known, handed, duty)))
        for known in people
        for duty in duties
    )


def moment(known: Known, handed: Handed, duty: Duty) -> datetime | None:
    """When a handoff counts as the delivery that a duty asks for; None if it does not."""
    stage, _, _, is_accepted = duty
    if not any(entry.entered <= handed.handed for entry in known.person.entries.get(stage, ())):
        return None
    if not is_accepted:
        return handed.handed
    return handed.decided if handed.status == "ACCEPTED" else None


def owed(duties: list[Duty], first: date, before: date) -> Fraction:
    """How many people are owed, day by day."""
    days = [first + place * DAY for place in range((before - first).days)]

    def length(per: Grain, day: date) -> int:
        return {Grain.DAY: 1, Grain.WEEK: 7}.get(per, calendar.monthrange(day.year, day.month)[1])

    return sum((Fraction(people, length(per, day)) for _, people, per, _ in duties for day in days), Fraction(0))
