"""The reference evaluator: what a rule means, contact by contact, in plain Python; slow and easy to check.

With `reference_entries`, which states the meaning of versions, exits and segments, it is what property tests hold the
SQL evaluator equal to. It knows no SQL, no intervals and no running sums: it checks whether a rule holds at one
instant, and whether a fact that the rule reads changed at that instant.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from schema.clauses.rules import (
    AllOf,
    AnyOf,
    DealFilter,
    DealIs,
    FactLeaf,
    FieldIs,
    HandoffIs,
    Not,
    Rule,
    StageReached,
    Touches,
    TouchFilter,
    leaves,
)
from schema.vocab import Channel, DealOutcome, Direction, HandoffStatus, TeamKind, TouchKind, TouchOutcome

FieldValue = bool | int | Decimal | str | None
TICK = timedelta(microseconds=1)  # the resolution of a timestamp


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
    """The fields of a record over `[starts_at, ends_at)`. A version without a known start starts when recorded."""

    starts_at: datetime
    ends_at: datetime | None
    values: Mapping[str, FieldValue]

    def holds(self, at: datetime) -> bool:
        """Whether the record had these values at the instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class DealState:
    """The values of a deal over `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime | None
    outcome: DealOutcome
    amount: Decimal | None = None
    pipeline: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the amount is negative: then no rule and no exit counts the deal. An unknown amount is not."""
        return self.amount is not None and self.amount < 0

    def counts_as(self, outcome: DealOutcome) -> bool:
        """Whether rules and exits count the deal as open, won or lost."""
        return self.outcome is outcome and not self.is_negative


@dataclass(frozen=True, slots=True)
class DealRole:
    """A contact's role in a deal; without `since` it lasts as long as the deal."""

    states: tuple[DealState, ...]
    since: datetime | None = None

    def state(self, at: datetime) -> DealState | None:
        """The state of the deal at the instant; None before the role or the deal begins."""
        if self.since is not None and at < self.since:
            return None
        holding = (
            state for state in self.states if state.starts_at <= at and (state.ends_at is None or at < state.ends_at)
        )
        return next(holding, None)


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """All facts about one contact. The value `company_id` of a version is a key of the company histories."""

    versions: tuple[RecordVersion, ...]
    touches: tuple[TouchFact, ...] = ()
    handoffs: tuple[HandoffFact, ...] = ()
    roles: tuple[DealRole, ...] = ()

    @property
    def lifetime_start(self) -> datetime | None:
        """The start of the first version, leaving out those that end before they start; None without one."""
        return min((row.starts_at for row in self.versions if row.holds(row.starts_at)), default=None)


@dataclass(frozen=True, slots=True)
class Segment:
    """The time `(after, until]` between two exits, and the kind of the exit that closes it; None: no such exit."""

    after: datetime | None
    until: datetime | None
    kind: str | None

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies inside."""
        return (self.after is None or self.after < at) and (self.until is None or at <= self.until)


CompanyHistories = Mapping[str, tuple[RecordVersion, ...]]
ALL_TIME = Segment(None, None, None)


@dataclass(frozen=True, slots=True)
class RuleEvaluator:
    """Evaluates rules for one contact. `entered` lists when a lower stage was entered, as the rule's version has it."""

    contact: ContactHistory
    companies: CompanyHistories
    entered: Callable[[str], list[datetime]]

    def instants(self, rule: Rule, as_of: datetime) -> Iterator[datetime]:
        """Yield every instant at which facts can change the rule: their own, and the ends of the windows after them."""
        contact = self.contact
        rows = [*contact.versions, *(row for history in self.companies.values() for row in history)]
        instants = [touch.at for touch in contact.touches] + [handoff.handed_at for handoff in contact.handoffs]
        instants += [handoff.decided_at for handoff in contact.handoffs if handoff.decided_at]
        states = [state for role in contact.roles for state in role.states]
        instants += [state.starts_at for state in states] + [state.ends_at for state in states if state.ends_at]
        instants += [role.since for role in contact.roles if role.since]
        instants += [row.starts_at for row in rows] + [row.ends_at for row in rows if row.ends_at]
        windows = [leaf.touches.within for leaf in leaves(rule) if isinstance(leaf, Touches)]
        for at in instants:
            if at <= as_of:
                yield at
                yield from (at + window for window in windows if window)

    def holds(self, rule: Rule, at: datetime, segment: Segment) -> bool:
        """Whether a rule holds at an instant by the facts of a segment."""
        return self._holds(rule, at, segment, is_negated=False)

    def is_fresh(self, rule: Rule, at: datetime) -> bool:
        """Whether a fact that the rule reads changed at the instant, or the window of a leaf under `not` ran out."""
        return self._is_fresh(rule, at, is_negated=False)

    def _holds(self, rule: Rule, at: datetime, segment: Segment, *, is_negated: bool) -> bool:
        """Whether a rule holds at an instant. Under `not` facts of all time count, otherwise those of the segment."""
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
                return self._fact_holds(rule, at, ALL_TIME if is_negated else segment)

    def _fact_holds(self, leaf: FactLeaf, at: datetime, counting: Segment) -> bool:
        """Whether a leaf holds at an instant by the facts inside a segment."""
        match leaf:
            case Touches(touches=wanted):
                return self._count_touches(wanted, at, counting) >= wanted.at_least
            case HandoffIs(handoff=status):
                starts = (_status_since(handoff, status, at) for handoff in self.contact.handoffs)
                return any(since is not None and counting.holds(since) for since in starts)
            case DealIs(deal=wanted):
                return any(self._deal_holds(role, wanted, at, counting) for role in self.contact.roles)
            case StageReached(stage=key, within=within):
                entered = [moment for moment in self.entered(key) if moment <= at and counting.holds(moment)]
                return any(within is None or moment > at - within for moment in entered)

    def _is_fresh(self, rule: Rule, at: datetime, *, is_negated: bool) -> bool:
        match rule:
            case AllOf(all=parts) | AnyOf(any=parts):
                return any(self._is_fresh(part, at, is_negated=is_negated) for part in parts)
            case Not(negated=part):
                return self._is_fresh(part, at, is_negated=not is_negated)
            case FieldIs():
                return self._value(rule, at) != self._value(rule, at - TICK)
            case _:
                held, holds = (self._fact_holds(rule, instant, ALL_TIME) for instant in (at - TICK, at))
                return self._has_changed(rule, at) or (is_negated and held and not holds)

    def _has_changed(self, leaf: FactLeaf, at: datetime) -> bool:
        """Whether a fact that the leaf reads happened or changed at exactly this instant."""
        match leaf:
            case Touches(touches=wanted):
                return any(_matches(touch, wanted) and touch.at == at for touch in self.contact.touches)
            case HandoffIs(handoff=HandoffStatus.PROPOSED):
                return any(at in (handoff.handed_at, handoff.decided_at) for handoff in self.contact.handoffs)
            case HandoffIs(handoff=status):
                return any(handoff.status is status and handoff.decided_at == at for handoff in self.contact.handoffs)
            case DealIs(deal=wanted):
                return any(
                    _deal_values(role, wanted, at) != _deal_values(role, wanted, at - TICK)
                    for role in self.contact.roles
                )
            case StageReached(stage=key):
                return at in self.entered(key)

    def _value(self, leaf: FieldIs, at: datetime) -> FieldValue:
        """Look up a field as it was at the instant; None where no version was in force."""
        version = next((row for row in self.contact.versions if row.holds(at)), None)
        if leaf.table == "company" and version is not None:
            rows = self.companies.get(str(version.values.get("company_id")), ())
            version = next((row for row in rows if row.holds(at)), None)
        return version.values.get(leaf.column) if version is not None else None

    def _count_touches(self, wanted: TouchFilter, at: datetime, counting: Segment) -> int:
        matching = (touch.at for touch in self.contact.touches if _matches(touch, wanted) and counting.holds(touch.at))
        return sum(touched <= at and (wanted.within is None or touched > at - wanted.within) for touched in matching)

    def _deal_holds(self, role: DealRole, wanted: DealFilter, at: datetime, counting: Segment) -> bool:
        values = _deal_values(role, wanted, at)
        if values is None or not _fits(values, wanted):
            return False
        return counting.holds(_unchanged_since(role, wanted, at))


def _satisfies(value: FieldValue, leaf: FieldIs) -> bool:
    """Compare a value with that of the rule; null satisfies nothing but `is_null`."""
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


def _matches(touch: TouchFact, wanted: TouchFilter) -> bool:
    return (
        (not wanted.channel or touch.channel in wanted.channel)
        and (not wanted.kind or touch.kind in wanted.kind)
        and (not wanted.outcome or touch.outcome in wanted.outcome)
        and (not wanted.campaign or touch.campaign in wanted.campaign)
        and (wanted.direction is None or touch.direction is wanted.direction)
        and (wanted.team is None or touch.team is wanted.team)
    )


def _status_since(handoff: HandoffFact, status: HandoffStatus, at: datetime) -> datetime | None:
    """Since when a handoff has had the status at the instant; None if it does not have it then."""
    is_decided = handoff.decided_at is not None and handoff.decided_at <= at
    if status is HandoffStatus.PROPOSED:
        return handoff.handed_at if handoff.handed_at <= at and not is_decided else None
    return handoff.decided_at if is_decided and handoff.status is status else None


_DealValues = tuple[DealOutcome, bool, str | None, Decimal | None]


def _deal_values(role: DealRole, wanted: DealFilter, at: datetime) -> _DealValues | None:
    """Return the values of a deal that the rule reads; None before the role or the deal begins."""
    state = role.state(at)
    if state is None:
        return None
    return (
        state.outcome,
        state.is_negative,
        state.pipeline if wanted.pipeline else None,
        state.amount if wanted.amount_at_least is not None else None,
    )


def _fits(values: _DealValues, wanted: DealFilter) -> bool:
    outcome, is_negative, pipeline, amount = values
    return (
        outcome is wanted.state
        and not is_negative
        and (wanted.pipeline is None or pipeline == wanted.pipeline)
        and (wanted.amount_at_least is None or (amount is not None and amount >= wanted.amount_at_least))
    )


def _unchanged_since(role: DealRole, wanted: DealFilter, at: datetime) -> datetime:
    """Return since when the values that the rule reads have not changed."""
    starts: Iterable[datetime] = [*(state.starts_at for state in role.states), *([role.since] if role.since else [])]
    return max(
        start
        for start in starts
        if start <= at and _deal_values(role, wanted, start) != _deal_values(role, wanted, start - TICK)
    )
