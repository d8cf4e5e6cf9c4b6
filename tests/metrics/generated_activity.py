"""Generated touches, handoffs and reported stages of generated contacts, and an independent oracle that counts them.

The oracle takes an interval and walks over all people, instant by instant; it is independent of any statement.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from api.db import WriteSession
from api.sql import Sql
from schema.accord import Accord
from schema.vocab import NotCountedReason, Skip
from tests.metrics import generated_contacts
from tests.metrics.generated_contacts import INSTANTS, MEMBERS, STAGES, START, Person
from tests.metrics.oracle import REASONS

WEEK = timedelta(days=7)
MOMENT = timedelta(microseconds=1)
# Few instants, so that some touches are simultaneous, and windows end exactly at others.
CLOSE = st.one_of(
    st.integers(0, 44).map(lambda step: START + timedelta(hours=6 * step)),
    # Midnights in Berlin, where days and weeks begin.
    st.integers(0, 10).map(lambda day: START + timedelta(days=day, hours=23)),
    INSTANTS,
)
FEW = st.integers(0, 3).map(lambda day: START + timedelta(days=day, hours=23))
POLICIES = (
    {"at_most": 1, "within": "1 day"},
    {"at_most": 2, "within": "2 days", "exempt": {"automated": True}},
    {"at_most": 2, "within": "18 hours", "exempt": {"reply_within": "6 hours"}},
    {"at_most": 1, "within": "7 days", "exempt": {"automated": True, "reply_within": "12 hours"}},
)


@dataclass(frozen=True)
class Touched:
    at: datetime
    is_ours: bool
    is_automated: bool = False
    member: str | None = None
    number: int = 0  # of simultaneous touches, the one with the lowest number is the first
    team: str | None = None
    kind: str = "EVENT"
    outcome: str | None = None


@dataclass(frozen=True)
class Handed:
    handed: datetime
    decided: datetime | None
    status: str
    reason: str | None
    member: str | None
    due: datetime | None = None
    note: str | None = None


@dataclass(frozen=True)
class Report:
    stage: str | None
    entered: datetime | None
    recorded: datetime


@dataclass(frozen=True)
class Known:
    """A person with their touches, handoffs and reported stages."""

    person: Person
    touches: tuple[Touched, ...]
    handoffs: tuple[Handed, ...]
    reports: tuple[Report, ...]
    is_out: tuple[tuple[bool, bool], ...]  # of each version of the person: opted out of e-mail, of calls


@dataclass(frozen=True)
class Row:
    """One counted row: its person and instant, whether the numerator counts it, its amount, and a text to group by."""

    known: Known
    at: datetime
    is_part: bool = False
    amount: float | None = None
    word: str | None = None
    is_implied: bool = False
    is_skipped: bool = False
    responder: str | None = None
    is_waiting: bool = False

    @property
    def lead_source(self) -> str | None:
        return [version for version in self.known.person.versions if version.since <= self.at][-1].lead_source


def worlds() -> st.SearchStrategy[list[Known]]:
    """A few people. The first one is counted, and is the survivor of all merged ones."""
    return st.lists(
        st.builds(Known, generated_contacts.people(), _TOUCHES, _HANDOFFS, _REPORTS, _IS_OUT), min_size=4, max_size=9
    ).filter(lambda found: found[0].person.why_not is None)


def busy_worlds() -> st.SearchStrategy[list[Known]]:
    """The same, but all that sales does happens within a few days, so that much of it is in time or just not."""
    known = st.builds(
        Known,
        generated_contacts.people(),
        st.lists(_touched(_STEPS), min_size=2, max_size=14).map(tuple),
        st.lists(_handed(_STEPS), min_size=1, max_size=4).map(tuple),
        st.just(()),
        _IS_OUT,
    )
    return st.lists(known, min_size=6, max_size=10).filter(lambda found: found[0].person.why_not is None)


@st.composite
def _handed(draw: st.DrawFn, moments: st.SearchStrategy[datetime]) -> Handed:
    handed = draw(moments)
    status = draw(st.sampled_from(["PROPOSED", "ACCEPTED", "ACCEPTED", "REJECTED", "REJECTED", "RETURNED"]))
    decided = None if status == "PROPOSED" else handed + timedelta(hours=6 * draw(st.integers(0, 30)))
    reason = draw(st.sampled_from(["NO_FIT", "NO_TIMING", "ODD"])) if status == "REJECTED" else None
    due = handed + timedelta(hours=6 * draw(st.integers(1, 12))) if draw(st.booleans()) else None
    note = draw(st.sampled_from(["No need.", " ", None])) if decided else None
    return Handed(handed, decided, status, reason, draw(_MEMBER), due, note)


_MEMBER = st.sampled_from([*MEMBERS, None])
_STEPS = st.integers(0, 40).map(lambda step: START + timedelta(hours=6 * step))


def _touched(moments: st.SearchStrategy[datetime]) -> st.SearchStrategy[Touched]:
    return st.builds(
        Touched,
        moments,
        st.sampled_from([True, True, False]),
        st.booleans(),
        _MEMBER,
        team=st.sampled_from(["MARKETING", "SALES", None]),
        kind=st.sampled_from(["CALL", "CALL", "EMAIL_REPLY", "FORM"]),
        outcome=st.sampled_from([None, None, "NO_ANSWER", "CONNECTED"]),
    )


_TOUCHES = st.lists(_touched(CLOSE), max_size=9).map(tuple)
_IS_OUT = st.lists(st.tuples(st.booleans(), st.booleans()), min_size=3, max_size=3).map(tuple)
_HANDOFFS = st.lists(_handed(CLOSE), max_size=3).map(tuple)
_REPORTS = st.lists(
    st.builds(Report, st.sampled_from([*STAGES, *STAGES, "lead", None]), st.none() | FEW | CLOSE, FEW | CLOSE),
    max_size=3,
).map(tuple)


async def load(session: WriteSession, found: list[Known], version_id: UUID) -> None:
    """Replace the contacts in the database, with all their facts."""
    await session.script("delete from handoff; delete from reported_stage")
    await generated_contacts.load(session, [known.person for known in found], version_id)
    touches, handoffs, reports = [], [], []
    for place, known in enumerate(found):
        key = UUID(int=1000 + place)
        for number, touch in enumerate(known.touches):
            direction = "OUTBOUND" if touch.is_ours else "INBOUND"
            member = MEMBERS[touch.member][0] if touch.member else None
            touches.append(
                (
                    key,
                    UUID(int=_touch_number(place, 100 + number)),
                    touch.at,
                    touch.kind,
                    direction,
                    touch.is_automated,
                    member,
                    touch.team,
                    touch.outcome,
                )
            )
        for number, handed in enumerate(known.handoffs):
            own = UUID(int=(key.int << 8) + number)
            member = MEMBERS[handed.member][0] if handed.member else None
            said = (handed.decided, handed.status, handed.reason, member, handed.due, handed.note)
            handoffs.append((key, own, handed.handed, *said))
        for number, report in enumerate(known.reports):
            own = UUID(int=(key.int << 8) + number)
            reports.append((key, own, "crm", "Stage", report.stage, report.entered, report.recorded))
    touched = [
        "contact_id",
        "id",
        "occurred_at",
        "kind",
        "direction",
        "is_automated",
        "member_id",
        "team_kind",
        "outcome",
    ]
    await session.copy("touchpoint", touched, touches)
    given = [
        "contact_id",
        "id",
        "handed_at",
        "decided_at",
        "status",
        "reject_reason",
        "assigned_to_id",
        "due_at",
        "note",
    ]
    await session.copy("handoff", given, handoffs)
    reported = ["contact_id", "id", "source", "source_stage", "stage", "entered_at", "recorded_at"]
    await session.copy("reported_stage", reported, reports)
    for place, known in enumerate(found):
        for version, (is_out, is_uncallable) in zip(known.person.versions, known.is_out, strict=False):
            await session.run(
                Sql(
                    "update contact_version set email_opt_out = {}, do_not_call = {}"
                    " where contact_id = {} and valid_from = {}",
                    *(is_out, is_uncallable, UUID(int=1000 + place), version.since),
                )
            )


def _touch_number(place: int, number: int) -> int:
    """The id of a touch, as a number. Those of the generated contact itself begin at 0."""
    return ((1000 + place) << 8) + number


def survivors(found: list[Known]) -> list[Known]:
    """The people who count. The first one has the facts of all merged contacts too."""
    return [known for known in with_merged_facts(found) if known.person.why_not is None]


def excluded(found: list[Known]) -> list[tuple[NotCountedReason, Known]]:
    """The people who do not count, and why. A merged contact stands where its survivor does, the first one."""
    people = with_merged_facts(found)
    return [
        (REASONS[known.person.why_not], people[0] if known.person.why_not == "merged_into_id" else known)
        for known in people
        if known.person.why_not is not None
    ]


def with_merged_facts(found: list[Known]) -> list[Known]:
    """Everybody, the first one with the facts of all merged contacts too."""
    people = []
    for place, known in enumerate(found):
        merged = (one for one, other in enumerate(found) if place == 0 and other.person.why_not == "merged_into_id")
        places = (place, *merged)
        whose = [found[one] for one in places]
        own = tuple(
            Touched(touch.at, not touch.is_inbound, number=_touch_number(one, number))
            for one in places
            for number, touch in enumerate(found[one].person.touches)
        )
        people.append(
            Known(
                known.person,
                own
                + tuple(
                    replace(touch, number=_touch_number(one, 100 + number))
                    for one in places
                    for number, touch in enumerate(found[one].touches)
                ),
                tuple(handed for who in whose for handed in who.handoffs),
                tuple(report for who in whose for report in who.reports),
                known.is_out,
            )
        )
    return people


@dataclass(frozen=True)
class OracleRequest:
    """A request as the oracle needs it: the KPI, the interval, and `asOf`."""

    key: str
    start: datetime | None
    end: datetime | None
    until: datetime
    accord: Accord
    is_cohort: bool = False
    skip: Skip | None = None  # of durations: the default is to leave out who skipped the stage
    window: timedelta | None = None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or at >= self.start) and (self.end is None or at < self.end) and at < self.until

    @property
    def moment(self) -> datetime | None:
        """The instant of a snapshot; None if the interval starts after `asOf`."""
        if self.start is not None and self.start >= self.until:
            return None
        return min(self.end or self.until, self.until)


def rows(known: Known, request: OracleRequest) -> Iterator[Row]:
    """The counted rows of one person."""
    match request.key:
        case "speed_to_lead":
            yield from _waits(known, request)
        case "time_in_stage":
            yield from _stays(known, request)
        case "mql_acceptance" | "rejection_rate":
            yield from _decisions(known, request)
        case "touches_per_contact_7d":
            yield from _trailing(known, request)
        case "over_pressure_rate":
            yield from _pressed(known, request)
        case "stage_integrity":
            yield from _compared(known, request)


def _waits(known: Known, request: OracleRequest) -> Iterator[Row]:
    by_hand = [touch for touch in known.touches if touch.is_ours and not touch.is_automated]

    def waits(start: datetime) -> dict[str, Any]:
        since = [touch for touch in by_hand if start <= touch.at < request.until]
        first = min(since, key=lambda touch: (touch.at, touch.number), default=None)
        return {"amount": (first.at - start).total_seconds(), "responder": first.member} if first else {}

    entries = known.person.entries["inquiry"]
    first = [entry for entry in entries if entry.entered < request.until][:1]
    if request.skip is Skip.IMPLIED:
        for entry in first:
            if request.holds(entry.entered):
                yield Row(known, entry.entered, **waits(entry.entered), is_implied=entry.is_implied)
        return
    for own in [entry.own for entry in entries if entry.own is not None and entry.own < request.until][:1]:
        if request.holds(own):
            yield Row(known, own, **waits(own))
    for entry in first:
        is_skip = entry.own is None or entry.own >= request.until
        if is_skip and request.holds(entry.entered) and (found := waits(entry.entered)):
            yield Row(known, entry.entered, is_skipped=True, responder=found["responder"])


def _stays(known: Known, request: OracleRequest) -> Iterator[Row]:
    for stage, entries in known.person.entries.items():
        for entry in entries:
            ended = entry.exited if entry.exited is not None and entry.exited < request.until else None
            is_implied = request.skip is Skip.IMPLIED and entry.is_implied
            start = entry.entered if request.skip is Skip.IMPLIED else entry.own
            if start is not None and request.holds(start) and (entry.exited is None or start <= entry.exited):
                took = None if ended is None else (ended - start).total_seconds()
                yield Row(known, start, amount=took, word=stage, is_implied=is_implied)
            is_skip = request.skip is not Skip.IMPLIED and (
                entry.own is None or (ended is not None and entry.own > ended)
            )
            if is_skip and ended is not None and request.holds(entry.entered):
                yield Row(known, entry.entered, word=stage, is_skipped=True)


def _decisions(known: Known, request: OracleRequest) -> Iterator[Row]:
    part = "ACCEPTED" if request.key == "mql_acceptance" else "REJECTED"
    for handoff in known.handoffs:
        is_final = handoff.status in ("ACCEPTED", "REJECTED")
        is_decided = is_final and handoff.decided is not None and handoff.decided < request.until
        at = handoff.handed if request.is_cohort else handoff.decided
        if at is not None and request.holds(at) and (request.is_cohort or is_decided):
            yield Row(
                known,
                at,
                is_part=is_decided and handoff.status == part,
                amount=0.0 if is_decided else None,
                word=handoff.reason if is_decided else None,
                responder=handoff.member if is_decided else None,
            )


def _trailing(known: Known, request: OracleRequest) -> Iterator[Row]:
    moment = request.moment
    if moment is not None:
        counted = [touch for touch in known.touches if touch.is_ours and moment - WEEK < touch.at < moment]
        if counted:
            yield Row(known, moment - MOMENT, amount=float(len(counted)))


def touches_that_count(known: Known, request: OracleRequest) -> list[datetime]:
    """The instants of the touches that the contact policy counts."""
    policy = request.accord.contact_policy
    assert policy is not None

    def is_exempt(touch: Touched) -> bool:
        reply = policy.exempt.reply_within
        is_answer = reply is not None and any(
            not other.is_ours and touch.at - reply < other.at <= touch.at for other in known.touches
        )
        return is_answer or (policy.exempt.automated and touch.is_automated)

    return [touch.at for touch in known.touches if touch.is_ours and touch.at < request.until and not is_exempt(touch)]


def _pressed(known: Known, request: OracleRequest) -> Iterator[Row]:
    policy = request.accord.contact_policy
    assert policy is not None
    counted = touches_that_count(known, request)
    inside = [at for at in counted if request.holds(at)]
    if inside:
        moments = [*inside, *([request.start] if request.start else [])]
        is_over = any(
            sum(moment - policy.within < at <= moment for at in counted) > policy.at_most for moment in moments
        )
        yield Row(known, min(inside), is_part=is_over)


def _compared(known: Known, request: OracleRequest) -> Iterator[Row]:
    moment = request.moment
    if moment is None:
        return
    reported_before = [
        (report.entered or report.recorded, STAGES.index(report.stage) if report.stage in STAGES else -1, place, report)
        for place, report in enumerate(known.reports)
        if report.stage is not None and (report.entered or report.recorded) < moment
    ]
    standing = [
        stage
        for stage in STAGES
        for entry in known.person.entries[stage]
        if entry.entered < moment and (entry.exited is None or entry.exited >= moment)
    ]
    if reported_before:
        last = max(reported_before, key=lambda report: report[:3])[3].stage
        yield Row(known, moment - MOMENT, is_part=bool(standing) and standing[-1] == last)
