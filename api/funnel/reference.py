"""The reference evaluator: what an accord means, contact by contact, in plain Python; slow and easy to check.

It states the meaning of rules (`reference_rules`), exits, segments and versions, and property tests hold the SQL
evaluator equal to it. It goes from one instant to the next. At each, the version in force says which stages there are,
in which order, and by which rules; a stage whose rule holds is entered if a fact that the rule reads changed then.

A version that comes into force is such a change for the stages whose rule it changed, or that it added: whoever fulfils
the rule then enters, unless they entered the stage in the present segment before. A stage that a version drops keeps
its place, directly above the stage that it followed: nobody enters it, and its open entries end when a stage above it
is entered, or by an exit that closes the stage that it followed.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from heapq import heapify, heappop, heappush
from uuid import UUID

from api.accord.in_force import AccordPeriod
from api.funnel.reference_facts import TICK, CompanyHistories, ContactHistory, Segment
from api.funnel.reference_rules import RuleEvaluator
from schema.accord import Accord
from schema.clauses.exits import Exit
from schema.clauses.rules import Rule, StageReached, leaves
from schema.clauses.stages import Stage
from schema.vocab import DealOutcome, Disposition, HandoffStatus


@dataclass(frozen=True, slots=True)
class ReferenceEntry:
    """One stage entry; the same fields as the table `stage_entry`."""

    version_id: UUID
    stage: str
    rank: int
    occurrence: int
    entered_at: datetime
    own_at: datetime | None
    exited_at: datetime | None
    exit_kind: str | None
    is_implied: bool
    cause: str
    present_at: datetime | None


@dataclass(frozen=True, slots=True)
class OwnMoment:
    """The first instant in a segment at which a stage's own rule held.

    `by_accord`: the version in force came into force then, and the rule held already just before.
    """

    stage: str
    at: datetime
    by_accord: bool


def entries_of(
    contact: ContactHistory, companies: CompanyHistories, accord: Accord, as_of: datetime
) -> list[ReferenceEntry]:
    """Derive every stage entry of one contact by one accord over all history. See `entries_by_versions`."""
    return entries_by_versions(contact, companies, (AccordPeriod(UUID(int=0), accord),), as_of)


def entries_by_versions(
    contact: ContactHistory, companies: CompanyHistories, periods: Sequence[AccordPeriod], as_of: datetime
) -> list[ReferenceEntry]:
    """Derive every stage entry of one contact, by rank and time.

    Shapes: facts of one contact, its companies' versions, versions of the accord -> stage entries.
    Units:  instants UTC; facts later than `as_of` do not count.
    Source: api/README.md, "The evaluator".
    """
    return _ContactEvaluation(contact, companies, _Versions(tuple(periods)), as_of).entries()


def unmet_parts(
    contact: ContactHistory, companies: CompanyHistories, accord: Accord, key: str, at: datetime
) -> tuple[Rule, ...]:
    """Find the parts of a stage's rule that do not hold at an instant; none if the rule holds.

    Of `all`, the parts that do not hold; `any`, `not` and leaves as they are.
    Errors: KeyError if there is no such stage.
    """
    versions = _Versions((AccordPeriod(UUID(int=0), accord),))
    stage = accord.stages[accord.rank(key) - 1]
    return tuple(_ContactEvaluation(contact, companies, versions, at).unmet(stage, at))


@dataclass(frozen=True, slots=True)
class _Versions:
    """The versions, oldest first; each is in force until the next begins."""

    periods: tuple[AccordPeriod, ...]

    def at(self, instant: datetime) -> int:
        """Return the index of the version in force."""
        begun = [period for period in self.periods if period.in_force_from is None or period.in_force_from <= instant]
        return len(begun) - 1

    def accord(self, version: int) -> Accord:
        """Return the document of a version."""
        return self.periods[version].accord

    def keys(self, version: int) -> list[str]:
        """Return the stages of a version, from the lowest up."""
        return [stage.key for stage in self.accord(version).stages]

    def order(self, version: int) -> list[str]:
        """Return the stages of a version and of those before it, from the lowest up."""
        keys = self.keys(version)
        former = self.order(version - 1) if version else []
        for below, key in zip([None, *former], former, strict=False):
            if key not in keys:
                keys.insert(0 if below is None else keys.index(below) + 1, key)
        return keys

    def is_above(self, higher: str, lower: str, version: int) -> bool:
        """Whether one stage is above another, both of them in a version or in one before it."""
        order = self.order(version)
        return higher in order and lower in order and order.index(higher) > order.index(lower)

    def enters(self, entered: str, key: str, version: int) -> bool:
        """Whether entering one stage enters another one in a version: itself, and every lower one."""
        keys = self.keys(version)
        return key in keys and keys.index(key) <= keys.index(entered)

    def has_new_rule(self, stage: Stage, version: int) -> bool:
        """Whether a version changed the rule of a stage, or added the stage."""
        return version > 0 and stage.rule not in [
            former.rule for former in self.accord(version - 1).stages if former.key == stage.key
        ]

    def closes(self, leaving: Exit, key: str, version: int) -> bool:
        """Whether an exit of a version closes a stage; a dropped one is closed with the stage that it followed."""
        keys, order = self.keys(version), self.order(version)
        if key not in order:
            return False
        below = [known for known in order[: order.index(key) + 1] if known in keys]
        return bool(below) and keys.index(leaving.closes_from) <= keys.index(below[-1]) <= keys.index(leaving.closes_to)


@dataclass(frozen=True, slots=True)
class _ContactEvaluation:
    contact: ContactHistory
    companies: CompanyHistories
    versions: _Versions
    as_of: datetime

    def entries(self) -> list[ReferenceEntry]:
        """Derive the entries: when they begin, then how they end, then since when they are present."""
        own = self._own_moments()
        begun = [
            (entry, segment)
            for key in self.versions.order(len(self.versions.periods) - 1)
            for entry, segment in self._begun(key, own)
        ]
        ended = [self._ended(entry, segment, [other for other, _ in begun]) for entry, segment in begun]
        present = [replace(entry, present_at=_present_at(entry, ended)) for entry in ended]
        return sorted(present, key=lambda entry: (entry.rank, entry.stage, entry.occurrence))

    def segments(self, key: str) -> list[Segment]:
        """Cut the contact's time at the exits that close a stage; the last segment is open.

        An exit is judged by the version in force at its instant. Of two exits at one instant the first listed counts.
        """
        kinds: dict[datetime, str] = {}
        for version, period in enumerate(self.versions.periods):
            for leaving in period.accord.exits:
                for at in _exit_instants(self.contact, period.accord, leaving):
                    is_judged = at <= self.as_of and self.versions.at(at) == version
                    if is_judged and self.versions.closes(leaving, key, version):
                        kinds.setdefault(at, leaving.on)
        segments, after = [], None
        for at in sorted(kinds):
            segments.append(Segment(after, at, kinds[at]))
            after = at
        return [*segments, Segment(after, None, None)]

    def unmet(self, stage: Stage, at: datetime) -> Iterator[Rule]:
        """Yield the parts of a stage's rule that do not hold at an instant."""
        segment = next(segment for segment in self.segments(stage.key) if segment.holds(at))
        yield from self._evaluator(stage, self.versions.at(at), self._own_moments()).unmet(stage.rule, at, segment)

    def _own_moments(self) -> list[OwnMoment]:
        start = self.contact.lifetime_start
        if start is None:
            return []
        stages = [stage for period in self.versions.periods for stage in period.accord.stages]
        segments = {stage.key: self.segments(stage.key) for stage in stages}
        windows = [leaf.within for stage in stages for leaf in leaves(stage.rule) if isinstance(leaf, StageReached)]
        found: list[OwnMoment] = []
        instants = [start, *(period.in_force_from for period in self.versions.periods if period.in_force_from)]
        evaluator = RuleEvaluator(self.contact, self.companies, lambda key: [])  # noqa: ARG005 - facts need no stages
        for stage in stages:
            instants += evaluator.instants(stage.rule, self.as_of)
        pending = list(set(instants))
        heapify(pending)
        while pending:
            at = heappop(pending)
            if not start <= at <= self.as_of:
                continue
            for stage in self.versions.accord(self.versions.at(at)).stages:
                segment = next(segment for segment in segments[stage.key] if segment.holds(at))
                if any(moment.stage == stage.key and segment.holds(moment.at) for moment in found):
                    continue
                moment = self._own_moment(stage, at, segment, start, found)
                if moment is not None:
                    found.append(moment)
                    for window in windows:
                        if window is not None:
                            heappush(pending, at + window)
        return found

    def _own_moment(
        self, stage: Stage, at: datetime, segment: Segment, start: datetime, found: list[OwnMoment]
    ) -> OwnMoment | None:
        version = self.versions.at(at)
        evaluator = self._evaluator(stage, version, found)
        is_new = self.versions.periods[version].in_force_from == at and self.versions.has_new_rule(stage, version)
        is_fresh = at == start or is_new or evaluator.is_fresh(stage.rule, at, segment)
        if not is_fresh or not evaluator.holds(stage.rule, at, segment):
            return None
        before = at - TICK
        held = start <= before and segment.holds(before) and evaluator.holds(stage.rule, before, segment)
        return OwnMoment(stage.key, at, by_accord=is_new and held)

    def _evaluator(self, stage: Stage, version: int, found: list[OwnMoment]) -> RuleEvaluator:
        return RuleEvaluator(self.contact, self.companies, lambda key: self._entered(key, stage.key, version, found))

    def _entered(self, key: str, reading: str, version: int, found: list[OwnMoment]) -> list[datetime]:
        """List when a lower stage was entered: by its own rule, or by that of a stage below the one that reads it."""
        moments = [
            moment.at
            for moment in found
            if self.versions.enters(moment.stage, key, self.versions.at(moment.at))
            and self.versions.is_above(reading, moment.stage, version)
        ]
        inside = ([at for at in moments if segment.holds(at)] for segment in self.segments(key))
        return [min(entered) for entered in inside if entered]

    def _begun(self, key: str, own: list[OwnMoment]) -> Iterator[tuple[ReferenceEntry, Segment]]:
        """Yield the entries of a stage, as if none had ended, with their segments."""
        entering = [moment for moment in own if self.versions.enters(moment.stage, key, self.versions.at(moment.at))]
        occurrence = 0
        for segment in self.segments(key):
            moments = [moment for moment in entering if segment.holds(moment.at)]
            if not moments:
                continue
            occurrence += 1
            entered_at = min(moment.at for moment in moments)
            own_at = min((moment.at for moment in moments if moment.stage == key), default=None)
            version = self.versions.at(entered_at)
            is_by_accord = all(moment.by_accord for moment in moments if moment.at == entered_at)
            yield (
                ReferenceEntry(
                    version_id=self.versions.periods[version].version_id,
                    stage=key,
                    rank=self.versions.keys(version).index(key) + 1,
                    occurrence=occurrence,
                    entered_at=entered_at,
                    own_at=own_at,
                    exited_at=None,
                    exit_kind=None,
                    is_implied=own_at != entered_at,
                    cause="ACCORD" if is_by_accord else "FACTS",
                    present_at=None,
                ),
                segment,
            )

    def _ended(self, entry: ReferenceEntry, segment: Segment, entries: list[ReferenceEntry]) -> ReferenceEntry:
        """End an entry when a higher stage is entered inside its segment, otherwise with the segment."""
        advancing = [
            other.entered_at
            for other in entries
            if other.entered_at >= entry.entered_at
            and (segment.until is None or other.entered_at <= segment.until)
            and self.versions.is_above(other.stage, entry.stage, self.versions.at(other.entered_at))
        ]
        if advancing:
            return replace(entry, exited_at=min(advancing), exit_kind="ADVANCED")
        return replace(entry, exited_at=segment.until, exit_kind=segment.kind)


def _present_at(entry: ReferenceEntry, entries: list[ReferenceEntry]) -> datetime | None:
    """Find the first instant before the exit at which no entry that began before is open.

    Such an entry is in a higher stage: had its stage been lower, this one would have ended it.
    """
    others = [other for other in entries if other is not entry and other.entered_at <= entry.entered_at]
    for at in sorted({entry.entered_at, *(other.exited_at for other in others if other.exited_at is not None)}):
        is_hidden = any(other.exited_at is None or other.exited_at > at for other in others)
        if at >= entry.entered_at and (entry.exited_at is None or at < entry.exited_at) and not is_hidden:
            return at
    return None


def _exit_instants(contact: ContactHistory, accord: Accord, leaving: Exit) -> Iterator[datetime]:
    if leaving.on == "HANDOFF_REJECTED":
        dispositions = {reason.code: reason.disposition for reason in accord.reject_reasons}
        for handoff in contact.handoffs:
            disposition = dispositions.get(handoff.reject_reason or "", Disposition.RECYCLE)
            is_rejected = handoff.status is HandoffStatus.REJECTED and disposition in leaving.dispositions
            if is_rejected and handoff.decided_at is not None:
                yield handoff.decided_at
        return
    for role in contact.roles:
        for state in role.states:
            at = state.starts_at
            now, before = role.state(at), replace(role, since=None).state(at - TICK)
            is_lost = now is not None and now.counts_as(DealOutcome.LOST)
            was_lost = before is not None and before.counts_as(DealOutcome.LOST)
            others = (other.state(at) for other in contact.roles)
            if is_lost and not was_lost and not any(other and other.counts_as(DealOutcome.OPEN) for other in others):
                yield at
