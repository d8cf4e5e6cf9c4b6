"""What the accord means, contact by contact, in plain Python: written from the design's words, slow and easy to check.

The SQL evaluator is held equal to this by property tests. Nothing here knows SQL, intervals or running sums: a rule is
asked instant by instant whether it holds, and whether a fact that it reads changed just then.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from schema.accord import (
    Accord,
    AllOf,
    AnyOf,
    DealFilter,
    DealIs,
    Exit,
    FieldIs,
    HandoffIs,
    Not,
    Rule,
    StageReached,
    Touches,
    TouchFilter,
    leaves,
)
from schema.vocab import Channel, DealOutcome, Direction, Disposition, HandoffStatus, TeamKind, TouchKind, TouchOutcome

FieldValue = bool | int | Decimal | str | None
TICK = timedelta(microseconds=1)  # the finest difference between two instants


@dataclass(frozen=True, slots=True)
class TouchFact:
    """A touchpoint."""

    at: datetime
    kind: TouchKind
    direction: Direction
    channel: Channel | None = None
    team: TeamKind | None = None
    campaign: str | None = None
    outcome: TouchOutcome | None = None


@dataclass(frozen=True, slots=True)
class HandoffFact:
    """A handoff and its decision."""

    handed_at: datetime
    decided_at: datetime | None
    status: HandoffStatus
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """The fields of a record over `[starts_at, ends_at)`; an undated one starts when it was recorded."""

    starts_at: datetime
    ends_at: datetime | None
    values: Mapping[str, FieldValue]

    def holds(self, at: datetime) -> bool:
        """Whether the version is in force."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class DealState:
    """What a deal was over `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime | None
    outcome: DealOutcome
    amount: Decimal | None = None
    pipeline: str | None = None


@dataclass(frozen=True, slots=True)
class DealRole:
    """A role in a deal; without `since` as long as the deal."""

    states: tuple[DealState, ...]
    since: datetime | None = None

    def state(self, at: datetime) -> DealState | None:
        """The deal's state, as far as the role had begun."""
        if self.since is not None and at < self.since:
            return None
        return next(
            (each for each in self.states if each.starts_at <= at and (each.ends_at is None or at < each.ends_at)), None
        )


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """Everything known about one contact. `company_id` among the values of a version is a key of the companies."""

    versions: tuple[RecordVersion, ...]
    touches: tuple[TouchFact, ...] = ()
    handoffs: tuple[HandoffFact, ...] = ()
    roles: tuple[DealRole, ...] = ()

    @property
    def life(self) -> datetime | None:
        """When the first version row that ever held began."""
        return min((each.starts_at for each in self.versions if each.holds(each.starts_at)), default=None)


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """One stage entry."""

    stage: str
    rank: int
    occurrence: int
    entered_at: datetime
    own_at: datetime | None
    exited_at: datetime | None
    exit_kind: str | None
    is_implied: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch `(after, until]` between two exits, and what the closing exit is; None where there is none."""

    after: datetime | None
    until: datetime | None
    kind: str | None

    def holds(self, at: datetime) -> bool:
        """Whether the instant is inside."""
        return (self.after is None or self.after < at) and (self.until is None or at <= self.until)


CompanyHistories = Mapping[str, tuple[RecordVersion, ...]]


def entries_of(
    person: ContactHistory, companies: CompanyHistories, accord: Accord, as_of: datetime
) -> list[ReferenceEntry]:
    """Every entry of one contact, by rank and time."""
    own: dict[int, list[datetime]] = {}
    for rank, stage in enumerate(accord.stages, start=1):
        judge = _StageEvaluator(person, companies, accord, rank, own)
        own[rank] = [
            moment
            for segment in segments_of(person, accord, rank, as_of)
            if (moment := judge.first_moment(stage.rule, segment, as_of)) is not None
        ]
    rows: list[ReferenceEntry] = []
    for rank in range(len(accord.stages), 0, -1):
        rows = _entries_of_stage(person, accord, rank, own, rows, as_of) + rows
    return rows


def segments_of(person: ContactHistory, accord: Accord, rank: int, as_of: datetime) -> list[Segment]:
    """The contact's time as the exits that close a stage cut it."""
    kinds: dict[datetime, str] = {}
    for each in accord.exits:
        if accord.rank(each.closes_from) <= rank <= accord.rank(each.closes_to):
            for at in _exit_instants(person, accord, each):
                if at <= as_of:
                    kinds.setdefault(at, each.on)
    segments, after = [], None
    for at in sorted(kinds):
        segments.append(Segment(after, at, kinds[at]))
        after = at
    return [*segments, Segment(after, None, None)]


def _exit_instants(person: ContactHistory, accord: Accord, each: Exit) -> Iterator[datetime]:
    if each.on == "HANDOFF_REJECTED":
        dispositions = {reason.code: reason.disposition for reason in accord.reject_reasons}
        for handoff in person.handoffs:
            disposition = dispositions.get(handoff.reject_reason or "", Disposition.RECYCLE)
            is_rejected = handoff.status is HandoffStatus.REJECTED and disposition in each.dispositions
            if is_rejected and handoff.decided_at is not None:
                yield handoff.decided_at
        return
    for role in person.roles:
        for state in role.states:
            at = state.starts_at
            now, before = role.state(at), replace(role, since=None).state(at - TICK)
            is_lost = now is not None and now.outcome is DealOutcome.LOST
            was_lost = before is not None and before.outcome is DealOutcome.LOST
            others = (other.state(at) for other in person.roles)
            if is_lost and not was_lost and not any(other and other.outcome is DealOutcome.OPEN for other in others):
                yield at


def _entries_of_stage(
    person: ContactHistory,
    accord: Accord,
    rank: int,
    own: Mapping[int, list[datetime]],
    higher: list[ReferenceEntry],
    as_of: datetime,
) -> list[ReferenceEntry]:
    """Build the rows of one stage, given those of all higher ones."""
    rows: list[ReferenceEntry] = []
    for segment in segments_of(person, accord, rank, as_of):
        moments = [at for each in own for at in own[each] if each >= rank and segment.holds(at)]
        if not moments:
            continue
        entered = min(moments)
        own_at = next((at for at in own[rank] if segment.holds(at)), None)
        until = segment.until
        later = [each.entered_at for each in higher if each.entered_at >= entered]
        advanced = min((at for at in later if until is None or at <= until), default=None)
        rows.append(
            ReferenceEntry(
                stage=accord.stages[rank - 1].key,
                rank=rank,
                occurrence=len(rows) + 1,
                entered_at=entered,
                own_at=own_at,
                exited_at=advanced or until,
                exit_kind="ADVANCED" if advanced else segment.kind,
                is_implied=own_at != entered,
            )
        )
    return rows


@dataclass(frozen=True, slots=True)
class _StageEvaluator:
    """Judges one contact by the rule of one stage; `own` has the moments of the lower stages."""

    person: ContactHistory
    companies: CompanyHistories
    accord: Accord
    rank: int
    own: Mapping[int, list[datetime]]

    def first_moment(self, rule: Rule, segment: Segment, as_of: datetime) -> datetime | None:
        """Find the first instant in the segment at which the rule holds and something that it reads changed."""
        life = self.person.life
        if life is None:
            return None
        for at in sorted({life, *self._instants(rule, as_of)}):
            is_moment = life <= at <= as_of and segment.holds(at) and (at == life or self._is_fresh(rule, at))
            if is_moment and self._holds(rule, at, segment, is_negated=False):
                return at
        return None

    def _instants(self, rule: Rule, as_of: datetime) -> Iterator[datetime]:
        """Yield every instant at which anything can change."""
        person = self.person
        rows = [*person.versions, *(row for rows in self.companies.values() for row in rows)]
        facts = [each.at for each in person.touches] + [each.handed_at for each in person.handoffs]
        facts += [each.decided_at for each in person.handoffs if each.decided_at]
        states = [state for role in person.roles for state in role.states]
        facts += [each.starts_at for each in states] + [each.ends_at for each in states if each.ends_at]
        facts += [role.since for role in person.roles if role.since]
        facts += [each.starts_at for each in rows] + [each.ends_at for each in rows if each.ends_at]
        facts += [at for moments in self.own.values() for at in moments]
        windows = [leaf.touches.within for leaf in leaves(rule) if isinstance(leaf, Touches)]
        windows += [leaf.within for leaf in leaves(rule) if isinstance(leaf, StageReached)]
        for at in facts:
            if at <= as_of:
                yield at
                yield from (at + window for window in windows if window)

    def _holds(self, rule: Rule, at: datetime, segment: Segment, *, is_negated: bool) -> bool:
        """Judge a rule at an instant. Under `not` facts count as they stand, else from inside the segment only."""
        match rule:
            case AllOf(all=parts):
                return all(self._holds(part, at, segment, is_negated=is_negated) for part in parts)
            case AnyOf(any=parts):
                return any(self._holds(part, at, segment, is_negated=is_negated) for part in parts)
            case Not(negated=part):
                return not self._holds(part, at, segment, is_negated=not is_negated)
            case FieldIs():
                return _satisfies(self._value(rule, at), rule)
            case _:
                return self._fact_holds(rule, at, Segment(None, None, None) if is_negated else segment)

    def _fact_holds(self, leaf: Touches | HandoffIs | DealIs | StageReached, at: datetime, counts: Segment) -> bool:
        """Judge a leaf by the facts from inside a segment."""
        match leaf:
            case Touches(touches=what):
                return self._touches(what, at, counts) >= what.at_least
            case HandoffIs(handoff=status):
                begun = (_status_since(each, status, at) for each in self.person.handoffs)
                return any(since is not None and counts.holds(since) for since in begun)
            case DealIs(deal=what):
                return any(self._deal_holds(role, what, at, counts) for role in self.person.roles)
            case StageReached(stage=key, within=within):
                entered = [each for each in self._entered(key) if each <= at and counts.holds(each)]
                return any(within is None or each > at - within for each in entered)

    def _is_fresh(self, rule: Rule, at: datetime, *, is_negated: bool = False) -> bool:
        """Tell whether a fact that the rule reads changed at the instant, or a timed leaf under `not` ran out."""
        match rule:
            case AllOf(all=parts) | AnyOf(any=parts):
                return any(self._is_fresh(part, at, is_negated=is_negated) for part in parts)
            case Not(negated=part):
                return self._is_fresh(part, at, is_negated=not is_negated)
            case FieldIs():
                return self._value(rule, at) != self._value(rule, at - TICK)
            case _:
                always = Segment(None, None, None)
                held, holds = (self._fact_holds(rule, each, always) for each in (at - TICK, at))
                return self._has_changed(rule, at) or (is_negated and held and not holds)

    def _has_changed(self, leaf: Touches | HandoffIs | DealIs | StageReached, at: datetime) -> bool:
        """Tell whether a fact of the kind that the leaf reads has just that instant."""
        match leaf:
            case Touches(touches=what):
                return any(_matches(each, what) and each.at == at for each in self.person.touches)
            case HandoffIs(handoff=HandoffStatus.PROPOSED):
                return any(at in (each.handed_at, each.decided_at) for each in self.person.handoffs)
            case HandoffIs(handoff=status):
                return any(each.status is status and each.decided_at == at for each in self.person.handoffs)
            case DealIs(deal=what):
                return any(_read(role, what, at) != _read(role, what, at - TICK) for role in self.person.roles)
            case StageReached(stage=key):
                return at in self._entered(key)

    def _value(self, leaf: FieldIs, at: datetime) -> FieldValue:
        """Look a field up as it was; unknown where no version was in force."""
        version = next((each for each in self.person.versions if each.holds(at)), None)
        if leaf.table == "company" and version is not None:
            rows = self.companies.get(str(version.values.get("company_id")), ())
            version = next((each for each in rows if each.holds(at)), None)
        return version.values.get(leaf.column) if version is not None else None

    def _touches(self, what: TouchFilter, at: datetime, counts: Segment) -> int:
        matching = (each.at for each in self.person.touches if _matches(each, what) and counts.holds(each.at))
        return sum(each <= at and (what.within is None or each > at - what.within) for each in matching)

    def _deal_holds(self, role: DealRole, what: DealFilter, at: datetime, counts: Segment) -> bool:
        read = _read(role, what, at)
        if read is None or not _fits(read, what):
            return False
        return counts.holds(_read_since(role, what, at))

    def _entered(self, key: str) -> list[datetime]:
        """List when a lower stage was entered, by its own rule or by that of another stage below this one."""
        lower = self.accord.rank(key)
        moments = [at for rank in range(lower, self.rank) for at in self.own[rank]]
        segments = segments_of(self.person, self.accord, lower, max(moments)) if moments else []
        inside = ([at for at in moments if segment.holds(at)] for segment in segments)
        return [min(each) for each in inside if each]


def _satisfies(value: FieldValue, leaf: FieldIs) -> bool:
    """Compare; null satisfies nothing but is_null."""
    wanted = leaf.value
    if leaf.op == "is_null":
        return (value is None) == wanted
    if value is None:
        return False
    if isinstance(wanted, tuple):
        return value in wanted
    if leaf.op in ("eq", "ne"):
        return (value == wanted) == (leaf.op == "eq")
    if not isinstance(value, int | Decimal) or not isinstance(wanted, int | Decimal):
        raise TypeError(f"{leaf.field} has no order")
    return {"lt": value < wanted, "lte": value <= wanted, "gt": value > wanted, "gte": value >= wanted}[leaf.op]


def _matches(touch: TouchFact, what: TouchFilter) -> bool:
    return (
        (not what.channel or touch.channel in what.channel)
        and (not what.kind or touch.kind in what.kind)
        and (not what.outcome or touch.outcome in what.outcome)
        and (not what.campaign or touch.campaign in what.campaign)
        and (what.direction is None or touch.direction is what.direction)
        and (what.team is None or touch.team is what.team)
    )


def _status_since(handoff: HandoffFact, status: HandoffStatus, at: datetime) -> datetime | None:
    """Since when a handoff has had the status it has at the instant, if that is the asked one."""
    is_decided = handoff.decided_at is not None and handoff.decided_at <= at
    if status is HandoffStatus.PROPOSED:
        return handoff.handed_at if handoff.handed_at <= at and not is_decided else None
    return handoff.decided_at if is_decided and handoff.status is status else None


_Read = tuple[DealOutcome, str | None, Decimal | None]


def _read(role: DealRole, what: DealFilter, at: datetime) -> _Read | None:
    """Return what the rule reads of a deal at the instant; None while there is no role or no deal."""
    state = role.state(at)
    if state is None:
        return None
    return (
        state.outcome,
        state.pipeline if what.pipeline else None,
        state.amount if what.amount_at_least is not None else None,
    )


def _fits(read: _Read, what: DealFilter) -> bool:
    outcome, pipeline, amount = read
    return (
        outcome is what.state
        and (what.pipeline is None or pipeline == what.pipeline)
        and (what.amount_at_least is None or (amount is not None and amount >= what.amount_at_least))
    )


def _read_since(role: DealRole, what: DealFilter, at: datetime) -> datetime:
    """Return since when what the rule reads of the deal has stood still."""
    begins: Iterable[datetime] = [*(each.starts_at for each in role.states), *([role.since] if role.since else [])]
    changes = (each for each in begins if each <= at and _read(role, what, each) != _read(role, what, each - TICK))
    return max(changes)
