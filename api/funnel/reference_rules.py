"""Part of the reference evaluator: what a rule means, for one contact at one instant.

It knows no SQL, no intervals and no running sums: it checks whether a rule holds at an instant, and whether a fact that
the rule reads changed at that instant.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from api.funnel.reference_facts import (
    ALL_TIME,
    TICK,
    CompanyHistories,
    ContactHistory,
    DealRole,
    FieldValue,
    HandoffFact,
    Segment,
)
from api.funnel.reference_leaves import decay_instants, has_report, is_reported, is_silent, matches, reaches_score
from schema.clauses.rules import (
    AllOf,
    AnyOf,
    DealFilter,
    DealIs,
    FactLeaf,
    FieldIs,
    HandoffIs,
    Not,
    Reported,
    Rule,
    Score,
    Silence,
    StageReached,
    TouchCount,
    Touches,
    leaves,
)
from schema.vocab import DealOutcome, HandoffStatus


@dataclass(frozen=True, slots=True)
class RuleEvaluator:
    """Evaluates rules for one contact. `entered` lists when a lower stage was entered, as the rule's version has it."""

    contact: ContactHistory
    companies: CompanyHistories
    entered: Callable[[str], list[datetime]]

    def holds(self, rule: Rule, at: datetime, segment: Segment) -> bool:
        """Whether a rule holds at an instant by the facts of a segment."""
        return self._holds(rule, at, segment, is_negated=False)

    def is_fresh(self, rule: Rule, at: datetime, segment: Segment) -> bool:
        """Whether a fact that the rule reads changed at the instant, or a leaf turned true by time alone.

        Silence does so a certain time after the last touch, and others under `not` when their window has passed.
        """
        return self._is_fresh(rule, at, segment, is_negated=False)

    def unmet(self, rule: Rule, at: datetime, segment: Segment) -> Iterator[Rule]:
        """Yield the parts of a rule that do not hold at an instant."""
        if isinstance(rule, AllOf):
            for part in rule.all:
                yield from self.unmet(part, at, segment)
        elif not self.holds(rule, at, segment):
            yield rule

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
        windows += [leaf.silence for leaf in leaves(rule) if isinstance(leaf, Silence)]
        instants += [report.at for report in contact.reports]
        for at in instants:
            if at <= as_of:
                yield at
                yield from (at + window for window in windows if window)
        for leaf in leaves(rule):
            if isinstance(leaf, Score):
                yield from decay_instants(leaf.score, contact.touches, as_of)

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
                return self._fact_holds(rule, at, _counting(rule, segment, is_negated=is_negated))

    def _fact_holds(self, leaf: FactLeaf, at: datetime, counting: Segment) -> bool:
        """Whether a leaf holds at an instant by the facts inside a segment."""
        match leaf:
            case Touches(touches=wanted):
                return self._count_touches(wanted, at, counting) >= wanted.at_least
            case Score(score=wanted):
                return reaches_score(wanted, self.contact.touches, at, counting)
            case Silence(silence=length):
                return is_silent(length, self.contact, at)
            case HandoffIs(handoff=status, after=after):
                starts = (_status_since(handoff, status, at) for handoff in self.contact.handoffs)
                return any(since is not None and self._is_later(since, after, counting) for since in starts)
            case Reported(reported=wanted):
                return is_reported(wanted, self.contact.reports, at)
            case DealIs(deal=wanted):
                return any(self._deal_holds(role, wanted, at, counting) for role in self.contact.roles)
            case StageReached(stage=key, within=within):
                entered = [moment for moment in self.entered(key) if moment <= at and counting.holds(moment)]
                return any(within is None or moment > at - within for moment in entered)

    def _is_fresh(self, rule: Rule, at: datetime, segment: Segment, *, is_negated: bool) -> bool:
        match rule:
            case AllOf(all=parts) | AnyOf(any=parts):
                return any(self._is_fresh(part, at, segment, is_negated=is_negated) for part in parts)
            case Not(negated=part):
                return self._is_fresh(part, at, segment, is_negated=not is_negated)
            case FieldIs():
                return self._value(rule, at) != self._value(rule, at - TICK)
            case _:
                counting = _counting(rule, segment, is_negated=True)
                held, holds = (self._fact_holds(rule, instant, counting) for instant in (at - TICK, at))
                return self._has_changed(rule, at, segment) or (held is is_negated and holds is not is_negated)

    def _has_changed(self, leaf: FactLeaf, at: datetime, segment: Segment) -> bool:
        """Whether a fact that the leaf reads happened or changed at exactly this instant."""
        contact = self.contact
        match leaf:
            case Touches(touches=wanted):
                touched = (touch.at for touch in contact.touches if matches(touch, wanted) and touch.at == at)
                return any(self._is_later(moment, wanted.after, segment) for moment in touched)
            case Score(score=wanted):
                terms = wanted.terms
                return any(touch.at == at and matches(touch, term) for touch in contact.touches for term in terms)
            case Silence():
                return any(touch.at == at for touch in contact.touches)
            case HandoffIs(handoff=status, after=after):
                return any(
                    self._is_later(moment, after, _counting(leaf, segment, is_negated=True)) and at in changes
                    for moment, changes in (_status_changes(handoff, status) for handoff in contact.handoffs)
                    if moment is not None
                )
            case Reported(reported=wanted):
                return has_report(wanted, contact.reports, at)
            case DealIs(deal=wanted):
                return any(
                    _deal_values(role, wanted, at) != _deal_values(role, wanted, at - TICK) for role in contact.roles
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

    def _count_touches(self, wanted: TouchCount, at: datetime, counting: Segment) -> int:
        matching = (touch.at for touch in self.contact.touches if matches(touch, wanted))
        counted = [touched for touched in matching if self._is_later(touched, wanted.after, counting)]
        return sum(touched <= at and (wanted.within is None or touched > at - wanted.within) for touched in counted)

    def _is_later(self, moment: datetime, after: str | None, counting: Segment) -> bool:
        """Whether a fact is of the segment and, with `after`, later than an entry of that stage in it."""
        return counting.holds(moment) and (
            after is None or any(counting.holds(entered) and entered < moment for entered in self.entered(after))
        )

    def _deal_holds(self, role: DealRole, wanted: DealFilter, at: datetime, counting: Segment) -> bool:
        values = _deal_values(role, wanted, at)
        if values is None or not _fits(values, wanted):
            return False
        return counting.holds(_unchanged_since(role, wanted, at))


def _counting(leaf: FactLeaf, segment: Segment, *, is_negated: bool) -> Segment:
    """Which facts count: those of the segment; under `not` of all time, but with `after`."""
    has_after = (isinstance(leaf, Touches) and leaf.touches.after) or (isinstance(leaf, HandoffIs) and leaf.after)
    return ALL_TIME if is_negated and not has_after else segment


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


def _status_since(handoff: HandoffFact, status: HandoffStatus, at: datetime) -> datetime | None:
    """Since when a handoff has had the status at the instant; None if it does not have it then."""
    is_decided = handoff.decided_at is not None and handoff.decided_at <= at
    if status is HandoffStatus.PROPOSED:
        return handoff.handed_at if handoff.handed_at <= at and not is_decided else None
    return handoff.decided_at if is_decided and handoff.status is status else None


def _status_changes(handoff: HandoffFact, status: HandoffStatus) -> tuple[datetime | None, tuple[datetime | None, ...]]:
    """Return from when a handoff has the status, None for never, and the instants at which that changes."""
    if status is HandoffStatus.PROPOSED:
        return handoff.handed_at, (handoff.handed_at, handoff.decided_at)
    since = handoff.decided_at if handoff.status is status else None
    return since, (since,)


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
