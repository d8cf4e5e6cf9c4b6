"""Every figure of the KPIs of touches, handoffs and reported stages equals that of an independent oracle."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer, KpiFigure
from api.metrics.periods.calendar_units import midnight
from api.metrics.periods.period_days import period
from api.metrics.query import query_kpis
from api.metrics.request import ALL_HISTORY, KpiRequest, Switches
from api.metrics.resolved_request import MICROSECOND
from schema.accord import Accord
from schema.clauses.contact_policy import ContactPolicy
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.switch_words import Censoring
from schema.vocab import Anchor, Grain, NotCountedReason, Skip
from tests.metrics import generated_activity, handoff_oracle, touch_oracle
from tests.metrics.generated_activity import (
    CLOSE,
    POLICIES,
    Known,
    OracleRequest,
    Row,
    busy_worlds,
    survivors,
    worlds,
)
from tests.metrics.generated_contacts import ACCORD, NOW, START
from tests.metrics.missing_periods import is_missing
from tests.metrics.oracle import percentile
from tests.metrics.test_against_oracle import QUICK, periods
from tests.support.accords import replace_document
from tests.support.examples import examples

COUNTED_IN_A_WORLD = (
    "speed_to_lead",
    "time_in_stage",
    "mql_acceptance",
    "rejection_rate",
    "touches_per_contact_7d",
    "over_pressure_rate",
    "stage_integrity",
    *touch_oracle.KEYS,
    *handoff_oracle.KEYS,
)
TIMES = ("speed_to_lead", "time_in_stage")
DURATIONS = (*TIMES, "owner_response_time")
WAITED_FOR = (*touch_oracle.KEYS, *handoff_oracle.KEYS)
WINDOWS = st.none() | st.sampled_from([timedelta(hours=6), timedelta(days=3), timedelta(days=90)])
ZONE = ZoneInfo("Europe/Berlin")


@st.composite
def requests(draw: st.DrawFn, key: str) -> KpiRequest:
    words = {
        "speed_to_lead": [Dimension.RESPONDER],
        "mql_acceptance": [Dimension.RESPONDER],
        "rejection_rate": [Dimension.REJECT_REASON, Dimension.RESPONDER],
        "time_in_stage": [Dimension.STAGE],
        "owner_response_time": [Dimension.RESPONDER],
        "sla_decided_in_time": [Dimension.RESPONDER],
        "reject_feedback_complete": [Dimension.RESPONDER],
    }
    by = draw(st.sampled_from([None, Dimension.LEAD_SOURCE, *words.get(key, [])]))
    is_handed = key in ("mql_acceptance", "rejection_rate")
    return KpiRequest(
        key,
        period=draw(periods()),
        grain=draw(st.none() | st.sampled_from([Grain.DAY, Grain.WEEK, Grain.MONTH])),
        by=(by,) if by else (),
        switches=Switches(
            as_of=draw(st.none() | CLOSE),
            window=draw(WINDOWS) if key in ("response_rate", "opt_out_rate") else None,
            anchor=draw(st.sampled_from([None, Anchor.COHORT])) if is_handed else None,
            skip=draw(st.sampled_from([None, None, Skip.EXCLUDE, Skip.IMPLIED])) if key in TIMES else None,
            censoring=draw(st.sampled_from([None, Censoring.MATURE_ONLY])) if key == "speed_to_lead" else None,
        ),
    )


@st.composite
def busy_requests(draw: st.DrawFn, key: str) -> KpiRequest:
    """A request for the days in which much happens, or for some of them."""
    request = draw(requests(key))
    first = START.date() + timedelta(days=draw(st.integers(0, 4)))
    days = period(first, first + timedelta(days=draw(st.integers(1, 20))))
    as_of = draw(st.none() | st.integers(4, 60).map(lambda step: START + timedelta(hours=6 * step)))
    return replace(
        request, period=draw(st.sampled_from([ALL_HISTORY, days])), switches=replace(request.switches, as_of=as_of)
    )


@settings(QUICK, max_examples=examples(40))
@given(
    found=worlds(),
    batch=st.tuples(*(requests(key) for key in (*COUNTED_IN_A_WORLD, "over_pressure_rate"))),
    policy=st.sampled_from(POLICIES),
    duties=st.sampled_from(handoff_oracle.DUTIES),
    has_calendar=st.booleans(),
)
async def test_kpis_of_activity_equal_the_oracle(
    ready: tuple[Database, UUID],
    found: list[Known],
    batch: tuple[KpiRequest, ...],
    policy: dict[str, object],
    duties: dict[str, object],
    has_calendar: bool,
) -> None:
    await compare(ready, found, batch, policy, handoff_oracle.with_duties(ACCORD, duties, has_calendar=has_calendar))


@settings(QUICK, max_examples=examples(60))
@given(
    found=busy_worlds(),
    batch=st.tuples(*(busy_requests(key) for key in WAITED_FOR)),
    duties=st.sampled_from(handoff_oracle.DUTIES),
    has_calendar=st.booleans(),
)
async def test_kpis_of_touches_and_duties_equal_the_oracle_where_much_happens(
    ready: tuple[Database, UUID],
    found: list[Known],
    batch: tuple[KpiRequest, ...],
    duties: dict[str, object],
    has_calendar: bool,
) -> None:
    accord = handoff_oracle.with_duties(ACCORD, duties, has_calendar=has_calendar)
    await compare(ready, found, batch, POLICIES[0], accord)


async def compare(
    ready: tuple[Database, UUID],
    found: list[Known],
    batch: tuple[KpiRequest, ...],
    policy: dict[str, object],
    agreed: Accord,
) -> None:
    database, version = ready
    accord = agreed.model_copy(update={"contact_policy": ContactPolicy.model_validate(policy)})
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await replace_document(session, accord)
    async with database.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, batch, now=NOW)
    for request, answer in zip(batch, answers, strict=True):
        assert isinstance(answer, KpiAnswer), answer
        check(request, answer, survivors(found), accord)
        check_excluded(request, answer, generated_activity.excluded(found), survivors(found), accord)


def oracle_request_of(request: KpiRequest, accord: Accord) -> OracleRequest:
    start, end = (midnight(day, ZONE) if day else None for day in (request.period.starts_on, request.period.before))
    until = (request.switches.as_of or NOW) + MICROSECOND
    is_cohort, skip = request.switches.anchor is Anchor.COHORT, request.switches.skip
    return OracleRequest(request.key, start, end, until, accord, is_cohort, skip, request.switches.window)


def check(request: KpiRequest, answer: KpiAnswer, found: list[Known], accord: Accord) -> None:
    oracle_request = oracle_request_of(request, accord)
    whole = counted(found, oracle_request)
    rows = judged(request, whole, whole)
    until_end = counted(found, replace(oracle_request, start=None))
    if is_missing(answer, oracle_request.start, oracle_request.until, len(until_end)):
        assert not whole
        return
    same(answer, request, rows, rows)
    warned = {warning.code: warning.count for warning in answer.warnings}
    waiting = sum(row.amount is None and not row.is_skipped for row in rows)
    assert warned.get(WarningCode.SKIPPED_STAGE, 0) == sum(row.is_skipped for row in rows)
    if request.key in ("speed_to_lead", "owner_response_time"):
        assert warned.get(WarningCode.NEVER_TOUCHED, 0) == waiting
        if request.switches.censoring is not None:
            left_out = sum(not row.is_skipped for row in whole) - sum(not row.is_skipped for row in rows)
            assert warned.get(WarningCode.OPEN_COHORT, 0) == left_out
    elif request.key == "time_in_stage" or oracle_request.is_cohort:
        assert warned.get(WarningCode.OPEN_COHORT, 0) == waiting
    elif request.key in WAITED_FOR:
        assert warned.get(WarningCode.OPEN_COHORT, 0) == sum(row.is_waiting for row in rows)
    groups(answer, request, rows)
    for bucket in answer.series:
        inside = counted(found, replace(oracle_request, start=bucket.starts_at, end=bucket.before))
        inside = judged(request, inside, whole)
        same(bucket, request, inside, inside)
    # The teams may have touched a person in two buckets, in neither of which both did.
    if request.grain is not None and request.key != "cross_team_collision":
        # Rows without a duration are not counted, so they need no bucket.
        assert_whole(
            answer,
            [row for row in rows if request.key not in DURATIONS or row.amount is not None],
            oracle_request.until,
        )


def check_excluded(
    request: KpiRequest,
    answer: KpiAnswer,
    found: list[tuple[NotCountedReason, Known]],
    people: list[Known],
    accord: Accord,
) -> None:
    oracle_request = oracle_request_of(request, accord)
    whole = counted(people, oracle_request)
    expected = Counter(
        reason
        for reason, known in found
        for row in judged(request, counted([known], oracle_request), whole)
        if request.key not in DURATIONS or row.amount is not None
    )
    lacks_people = any(warning.code is WarningCode.NO_CONTACTS for warning in answer.warnings)
    assert {part.reason: part.count for part in answer.excluded.reasons} == ({} if lacks_people else expected)


def groups(answer: KpiAnswer, request: KpiRequest, rows: list[Row]) -> None:
    if not request.by:
        assert answer.breakdown == ()
        return
    is_reason = request.by[0] is Dimension.REJECT_REASON
    shown = {group.keys[0].value: group for group in answer.breakdown}
    assert len(shown) == len(answer.breakdown)
    expected = {key(row, request) for row in rows}
    assert shown.keys() >= (expected - {None} if is_reason else expected)
    for value, group in shown.items():
        mine = [row for row in rows if key(row, request) == value]
        same(group, request, mine, rows if is_reason else mine)
    if is_reason:
        assert None not in shown
        assert sum((group.numerator or Decimal(0)) for group in shown.values()) == answer.numerator
        for group in shown.values():
            for bucket, whole in zip(group.series, answer.series, strict=True):
                assert bucket.n in (0, whole.n)


def assert_whole(answer: KpiAnswer, rows: list[Row], until: datetime) -> None:
    """Every counted row lies in exactly one bucket."""
    for row in rows:
        assert sum(bucket.starts_at <= row.at < bucket.before for bucket in answer.series) == 1
    assert all(bucket.starts_at < until for bucket in answer.series)


def key(row: Row, request: KpiRequest) -> str | None:
    if request.by[0] is Dimension.RESPONDER:
        return row.responder
    return row.lead_source if request.by[0] is Dimension.LEAD_SOURCE else row.word


def counted(found: list[Known], request: OracleRequest) -> list[Row]:
    oracles = {key: oracle.rows for oracle in (touch_oracle, handoff_oracle) for key in oracle.KEYS}
    rows = oracles.get(request.key, generated_activity.rows)
    return [row for known in found for row in rows(known, request)]


def judged(request: KpiRequest, rows: list[Row], whole: list[Row]) -> list[Row]:
    """With MATURE_ONLY, those of the rows older than 90 % of the durations of the whole request."""
    if request.switches.censoring is not Censoring.MATURE_ONLY:
        return rows
    took = [row.amount for row in whole if row.amount is not None]
    if not took:
        return []
    pace = timedelta(seconds=percentile(took, 0.9))
    horizon = min(request.switches.as_of or NOW, NOW)
    return [row for row in rows if row.at + pace <= horizon]


def same(figure: KpiFigure, request: KpiRequest, mine: list[Row], of: list[Row]) -> None:
    amounts = [row.amount for row in mine if row.amount is not None]
    if request.key in DURATIONS or request.key == "touches_per_contact_7d":
        assert figure.n == len(amounts)
        assert figure.implied == sum(row.is_implied for row in mine if row.amount is not None)
        assert (figure.distribution is None) == (not amounts)
        if figure.distribution is None:
            assert figure.value is None
            return
        spread = figure.distribution
        for value, part in ((spread.median, 0.5), (spread.p75, 0.75), (spread.p90, 0.9)):
            assert float(value) == pytest.approx(percentile(amounts, part), abs=1e-5)
        assert float(spread.mean) == pytest.approx(sum(amounts) / len(amounts), abs=1e-5)
        assert figure.value == (spread.median if request.key in DURATIONS else spread.mean)
        assert spread.max == (None if request.key in DURATIONS else max(amounts))
        return
    parts = sum(row.is_part for row in mine)
    assert (figure.numerator, figure.denominator, figure.n) == (Decimal(parts), Decimal(len(of)), len(of))
    assert figure.value == (round(Decimal(parts) / len(of), 6) if of else None)
