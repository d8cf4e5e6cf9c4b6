"""What marketing delivered of what it owes equals a plain count, over generated handoffs, entries and duties."""

import calendar
from dataclasses import dataclass
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
from schema.vocab import Currency, Grain
from tests.metrics import generated_activity
from tests.metrics.generated_activity import CLOSE, Handed, Known, survivors
from tests.metrics.generated_contacts import ACCORD, NOW, START
from tests.metrics.missing_periods import is_missing
from tests.metrics.test_against_oracle import QUICK
from tests.support.accords import replace_document
from tests.support.examples import examples

VALUE = "marketing_delivery_value"
COUNTED_IN_A_WORLD = ("marketing_delivery", VALUE, "default_accept_share")
ZONE = ZoneInfo("Europe/Berlin")
DAY = timedelta(days=1)
# The stage, how many people, per what, whether only the accepted count, and what one is worth.
Duty = tuple[str, int, Grain, bool, Decimal | None]
DUTIES = st.tuples(
    st.sampled_from(["inquiry", "mql", "sal"]),
    st.integers(1, 9),
    st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH]),
    st.booleans(),
    st.sampled_from([None, Decimal("0.5"), Decimal(90)]),
)
LIMITS = st.sampled_from([None, timedelta(hours=6), timedelta(hours=36)])


@st.composite
def requests(draw: st.DrawFn) -> KpiRequest:
    first = START.date() + timedelta(days=draw(st.integers(-3, 12)))
    return KpiRequest(
        draw(st.sampled_from([*COUNTED_IN_A_WORLD, "marketing_delivery", VALUE])),
        period(first, first + timedelta(days=draw(st.integers(1, 70)))),
        draw(st.none() | st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH])),
        switches=Switches(as_of=draw(st.none() | CLOSE)),
    )


@settings(QUICK, max_examples=examples(60))
@given(
    found=generated_activity.busy_worlds(),
    batch=st.lists(requests(), min_size=5, max_size=8),
    duties=st.lists(DUTIES, min_size=1, max_size=2),
    limit=LIMITS,
)
async def test_what_is_delivered_and_owed_equals_the_count(
    ready: tuple[Database, UUID],
    found: list[Known],
    batch: list[KpiRequest],
    duties: list[Duty],
    limit: timedelta | None,
) -> None:
    database, version = ready
    volume = [
        {"stage": stage, "at_least": people, "per": per, "count": "ACCEPTED" if is_accepted else "HANDED_OVER"}
        | ({} if worth is None else {"lead_value": worth})
        for stage, people, per, is_accepted, worth in duties
    ]
    within = None if limit is None else f"{limit // timedelta(hours=1)} hours"
    agreed = HandoffDuties.model_validate({"marketing": {"volume": volume}, "sales": {"decide_within": within}})
    reporting = ACCORD.reporting.model_copy(update={"currency": Currency.EUR})
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await replace_document(session, ACCORD.model_copy(update={"handoff": agreed, "reporting": reporting}))
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW)
    for request, answer in zip(batch, answers, strict=True):
        assert isinstance(answer, KpiAnswer), answer
        if request.key == "default_accept_share":  # no handoff says how it came to be accepted
            assert (answer.value, answer.n) == (None, 0)
            assert answer.warnings
            continue
        check(request, answer, survivors(found), made(request.key, duties, limit))


@dataclass(frozen=True)
class Made:
    """A duty as a KPI reads it: what a person is worth, and the time in which sales may dispute."""

    duty: Duty
    worth: Decimal
    is_value: bool
    limit: timedelta | None


def made(key: str, duties: list[Duty], limit: timedelta | None) -> list[Made]:
    if key != VALUE:
        return [Made(duty, Decimal(1), is_value=False, limit=limit) for duty in duties]
    return [Made(duty, duty[4], is_value=True, limit=limit) for duty in duties if duty[4] is not None]


def check(request: KpiRequest, answer: KpiAnswer, people: list[Known], duties: list[Made]) -> None:
    until = (request.switches.as_of or NOW) + MICROSECOND
    first, before = request.period.starts_on, request.period.before
    assert first is not None
    assert before is not None
    start, end = midnight(first, ZONE), midnight(before, ZONE)
    ever, _ = delivered(people, duties, datetime.min.replace(tzinfo=ZONE), end, until)
    if is_missing(answer, start, until, ever):
        assert delivered(people, duties, start, end, until) == (0, Decimal(0))
        return
    if not duties:
        assert (answer.value, answer.n) == (None, 0)
        assert any("lead_value" in warning.message for warning in answer.warnings)
        return
    if any(warning.code is WarningCode.NO_CONTACTS for warning in answer.warnings):
        assert not people
        return
    same(answer, delivered(people, duties, start, end, until), owed(duties, first, before))
    for bucket in answer.series:
        days = (bucket.starts_at.astimezone(ZONE).date(), bucket.before.astimezone(ZONE).date())
        count = delivered(people, duties, bucket.starts_at, bucket.before, until)
        same(bucket, count, owed(duties, *days))


def same(figure: KpiFigure, count: tuple[int, Decimal], everything_owed: Fraction) -> None:
    exact = Decimal(everything_owed.numerator) / everything_owed.denominator
    n, worth = count
    assert figure.n == n
    assert figure.numerator == worth
    assert figure.denominator is not None
    assert abs(figure.denominator - exact) <= Decimal("0.000001")
    assert figure.value is not None
    # A small denominator differs by its rounding.
    assert abs(figure.value - worth / figure.denominator) <= Decimal("0.000001")


def delivered(
    people: list[Known], duties: list[Made], start: datetime, end: datetime, until: datetime
) -> tuple[int, Decimal]:
    """The people who were delivered in the time, once for every duty, and what they are worth."""
    found = [
        made.worth
        for known in people
        for made in duties
        if any(start <= at < min(end, until) for handed in known.handoffs if (at := moment(known, handed, made)))
    ]
    return len(found), sum(found, Decimal(0))


def moment(known: Known, handed: Handed, made: Made) -> datetime | None:
    """When a handoff counts as the delivery that a duty asks for; None if it does not."""
    stage, _, _, is_accepted, _ = made.duty
    if not any(entry.entered <= handed.handed for entry in known.person.entries.get(stage, ())):
        return None
    if made.is_value:
        return undisputed(handed, made.limit)
    if not is_accepted:
        return handed.handed
    return handed.decided if handed.status == "ACCEPTED" else None


def undisputed(handed: Handed, limit: timedelta | None) -> datetime | None:
    """When sales accepted a handoff, or its time to dispute it was over; None if neither."""
    due = handed.due or (None if limit is None else handed.handed + limit)
    if handed.decided is not None and (due is None or handed.decided <= due):
        return handed.decided if handed.status == "ACCEPTED" else None
    return due


def owed(duties: list[Made], first: date, before: date) -> Fraction:
    """What is owed, day by day."""
    days = [first + place * DAY for place in range((before - first).days)]

    def length(per: Grain, day: date) -> int:
        return {Grain.DAY: 1, Grain.WEEK: 7}.get(per, calendar.monthrange(day.year, day.month)[1])

    per_day = (
        Fraction(made.worth) * Fraction(made.duty[1], length(made.duty[2], day)) for made in duties for day in days
    )
    return sum(per_day, Fraction(0))
