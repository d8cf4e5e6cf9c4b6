"""The ladder of one or more versions: their stages, the rules that judge each stage and when, and what closes it.

A stage is identified by its key across versions. A stage that a version drops keeps its place: directly above the stage
that it followed. It is entered no more, but its open entries end as they did before, by a higher stage or by an exit.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

from api.accord.in_force import AccordPeriod
from schema.accord import Accord
from schema.clauses.exits import Exit
from schema.clauses.rules import Rule, leaves, stage_read
from schema.clauses.stages import Stage
from schema.vocab import Disposition


@dataclass(frozen=True, slots=True)
class Span:
    """The time `[starts_at, ends_at)`; None stands for the beginning and the end of time.

    `is_fresh` marks a span that begins when a version with another rule for the stage comes into force: whoever fulfils
    the rule at that instant enters.
    """

    starts_at: datetime | None = None
    ends_at: datetime | None = None
    is_fresh: bool = False


@dataclass(frozen=True, slots=True)
class LowerMoments:
    """The own moments of one stage that enter a lower stage: all of them, or those inside the spans."""

    number: int
    spans: tuple[Span, ...] | None


@dataclass(frozen=True, slots=True)
class Rung:
    """A stage of any version. `number` identifies it in the tables of a derivation; with one version it is the rank.

    Stages that the same exits close form an exit group: they have the same segments. A stage that no exit closes has
    the group None, and one segment that covers all of time. `ranks` and `places` have an item for each version, in
    their order: the rank on the version's ladder, None if the version lacks the stage; and the place among all stages
    so far, None before the first version that has the stage.
    """

    number: int
    key: str
    exit_group: int | None
    ranks: tuple[int | None, ...]
    places: tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class RankedStage:
    """A stage as one rule judges it, in the spans in which that rule is in force.

    `lower` has, for each stage that the rule reads, the own moments that enter it. A stage that `continues` was judged
    before, by the rules of earlier versions: segments that were entered then are left out.
    """

    number: int
    stage: Stage
    exit_group: int | None
    spans: tuple[Span, ...] = (Span(),)
    lower: Mapping[str, tuple[LowerMoments, ...]] | None = None
    continues: bool = False

    @property
    def has_all_time(self) -> bool:
        """Whether the rule is in force for all of time."""
        return self.spans == (Span(),)

    @property
    def begins_fresh(self) -> bool:
        """Whether every span begins at the beginning of time, or with a fresh moment."""
        return all(span.starts_at is None or span.is_fresh for span in self.spans)


Step = tuple[RankedStage, ...]


@dataclass(frozen=True, slots=True)
class CountedExit:
    """An exit of a version, and the accord whose reject reasons it reads."""

    accord: Accord
    leaving: Exit

    @property
    def closing_reasons(self) -> tuple[bool, tuple[str, ...]]:
        """The reject reasons that close, or with True: those that do not, and every other reason does.

        A reason that the accord does not list, and a missing one, count as RECYCLE.
        """
        is_complement = Disposition.RECYCLE in self.leaving.dispositions
        listed = self.accord.reject_reasons
        codes = (reason.code for reason in listed if (reason.disposition in self.leaving.dispositions) != is_complement)
        return is_complement, tuple(sorted(codes))


@dataclass(frozen=True, slots=True)
class ClosingExit:
    """An exit that closes the stages of a group: its index in `Ladder.exits`, and the spans in which it does.

    Of two exits at the same instant, the one with the lower priority gives the segment its exit kind.
    """

    position: int
    priority: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Ladder:
    """The stages of all versions, how they are judged, and the exits that close them.

    `steps` are in the order in which they have to be evaluated. A step has one stage, by each of its rules.
    """

    periods: tuple[AccordPeriod, ...]
    rungs: tuple[Rung, ...]
    steps: tuple[Step, ...]
    exits: tuple[CountedExit, ...]
    exit_groups: tuple[tuple[ClosingExit, ...], ...]

    @property
    def stages(self) -> tuple[RankedStage, ...]:
        """The stages of all steps."""
        return tuple(ranked for step in self.steps for ranked in step)

    @property
    def accords(self) -> tuple[Accord, ...]:
        """The documents of all versions."""
        return tuple(period.accord for period in self.periods)

    @property
    def activations(self) -> tuple[datetime, ...]:
        """When the versions after the first came into force."""
        return tuple(period.in_force_from for period in self.periods if period.in_force_from is not None)

    def stage(self, key: str) -> Rung:
        """Find a stage by its key; KeyError if no version has it."""
        for rung in self.rungs:
            if rung.key == key:
                return rung
        raise KeyError(key)


def ladder_of(periods: Sequence[AccordPeriod]) -> Ladder:
    """Arrange the stages, rules and exits of some versions for an evaluation. The last version has no end.

    Errors: ValueError unless the versions follow one another from the beginning of time.
    """
    if not periods or periods[0].in_force_from is not None:
        raise ValueError("The evaluator needs versions from the beginning of time on.")
    for before, after in pairwise(periods):
        if after.in_force_from is None or before.in_force_until != after.in_force_from:
            raise ValueError(f"Version {after.version_id} does not begin when version {before.version_id} ends.")
    return _LadderBuilder(tuple(periods)).ladder()


def ladders_with_dropped(accords: Sequence[Accord]) -> tuple[tuple[str, ...], ...]:
    """Return for each accord the keys of all stages so far, from the lowest up, with dropped stages in their places."""
    found: list[tuple[str, ...]] = []
    before: tuple[str, ...] = ()
    for accord in accords:
        keys = [stage.key for stage in accord.stages]
        for place, key in enumerate(before):
            if key not in keys:
                keys.insert(keys.index(before[place - 1]) + 1 if place else 0, key)
        before = tuple(keys)
        found.append(before)
    return tuple(found)


def stages_read(rule: Rule) -> tuple[str, ...]:
    """Return the keys of the lower stages that a rule reads."""
    return tuple({key: None for leaf in leaves(rule) if (key := stage_read(leaf)) is not None})


_Moments = frozenset[tuple[str, int]]  # stages, each with the index of a version


@dataclass(slots=True)
class _Judged:
    """A rule of a stage, with the runs of versions in which it is in force: first, last, and whether it was new."""

    stage: Stage
    runs: list[tuple[int, int, bool]]
    lower: dict[str, _Moments]


class _LadderBuilder:
    def __init__(self, periods: tuple[AccordPeriod, ...]) -> None:
        self.periods = periods
        self.accords = [period.accord for period in periods]
        self.orders = ladders_with_dropped(self.accords)
        self.numbers = {key: number for number, key in enumerate(self.orders[-1], start=1)}
        self.ranks = [{stage.key: rank for rank, stage in enumerate(a.stages, start=1)} for a in self.accords]
        self.exits: list[CountedExit] = []
        self.groups: list[tuple[ClosingExit, ...]] = []

    def ladder(self) -> Ladder:
        closing = self._closing_exits()
        rungs = tuple(self._rung(key, closing[key]) for key in self.orders[-1])
        steps = self._steps({rung.key: rung for rung in rungs})
        return Ladder(self.periods, rungs, steps, tuple(self.exits), tuple(self.groups))

    def _rung(self, key: str, closing: tuple[ClosingExit, ...]) -> Rung:
        if closing and closing not in self.groups:
            self.groups.append(closing)
        return Rung(
            self.numbers[key],
            key,
            self.groups.index(closing) if closing else None,
            tuple(ranks.get(key) for ranks in self.ranks),
            tuple(order.index(key) + 1 if key in order else None for order in self.orders),
        )

    def _span(self, first: int, last: int, *, is_fresh: bool = False) -> Span:
        ends_at = self.periods[last + 1].in_force_from if last + 1 < len(self.periods) else None
        return Span(self.periods[first].in_force_from, ends_at, is_fresh)

    def _spans(self, versions: Sequence[int]) -> tuple[Span, ...]:
        """Return the time in which some versions are in force, consecutive ones as one span."""
        runs: list[list[int]] = []
        for index in sorted(versions):
            if runs and runs[-1][-1] == index - 1:
                runs[-1].append(index)
            else:
                runs.append([index])
        return tuple(self._span(run[0], run[-1]) for run in runs)

    def _closing_exits(self) -> dict[str, tuple[ClosingExit, ...]]:
        """Return the exits that close each stage. Exits that read the same facts are one in all versions."""
        positions: dict[object, int] = {}
        found: dict[str, dict[tuple[int, int], list[int]]] = {key: {} for key in self.numbers}
        for index, accord in enumerate(self.accords):
            for priority, leaving in enumerate(accord.exits):
                counted = CountedExit(accord, leaving)
                facts = leaving.on, counted.closing_reasons if leaving.on == "HANDOFF_REJECTED" else None
                # With one version, the position is that in the accord.
                identity = (facts, priority) if len(self.accords) == 1 else facts
                if identity not in positions:
                    positions[identity] = len(self.exits)
                    self.exits.append(counted)
                for key in self._closed(index, leaving):
                    found[key].setdefault((positions[identity], priority), []).append(index)
        return {
            key: tuple(ClosingExit(*exit_, self._spans(versions)) for exit_, versions in sorted(closing.items()))
            for key, closing in found.items()
        }

    def _closed(self, index: int, leaving: Exit) -> Iterator[str]:
        """Yield the stages that an exit of a version closes. A dropped one is closed with the one that it followed."""
        ranks, is_closed = self.ranks[index], False
        for key in self.orders[index]:
            if key in ranks:
                is_closed = ranks[leaving.closes_from] <= ranks[key] <= ranks[leaving.closes_to]
            if is_closed:
                yield key

    def _steps(self, rungs: Mapping[str, Rung]) -> tuple[Step, ...]:
        judged = {key: self._judged(key) for key in rungs}
        reads = {
            key: {stage for rule in rules for moments in rule.lower.values() for stage, _ in moments}
            for key, rules in judged.items()
        }
        try:
            order = _sorted(self.orders[-1], reads)
        except CycleError:
            return self._steps_by_version(rungs)
        return tuple(
            tuple(
                self._ranked(
                    rungs[key],
                    rule.stage,
                    tuple(self._span(first, last, is_fresh=is_new) for first, last, is_new in rule.runs),
                    rule.lower,
                    rule.runs[-1][1],
                )
                for rule in judged[key]
            )
            for key in order
        )

    def _steps_by_version(self, rungs: Mapping[str, Rung]) -> tuple[Step, ...]:
        """Return a step for each stage of each version: two versions rank stages that read one another differently."""
        steps = []
        for index, accord in enumerate(self.accords):
            for stage in accord.stages:
                span = self._span(index, index, is_fresh=self._is_new(stage, index))
                ranked = self._ranked(rungs[stage.key], stage, (span,), self._lower(stage, index), index)
                continues = any(stage.key in ranks for ranks in self.ranks[:index])
                steps.append((replace(ranked, continues=continues),))
        return tuple(steps)

    def _ranked(
        self, rung: Rung, stage: Stage, spans: tuple[Span, ...], lower: Mapping[str, _Moments], last: int
    ) -> RankedStage:
        listed = {key: self._lower_moments(moments, last) for key, moments in lower.items()}
        return RankedStage(rung.number, stage, rung.exit_group, spans, listed)

    def _lower_moments(self, moments: _Moments, last: int) -> tuple[LowerMoments, ...]:
        found = []
        for key in sorted({key for key, _ in moments}, key=self.numbers.__getitem__):
            versions = [index for other, index in sorted(moments) if other == key]
            every = [index for index in range(last + 1) if key in self.ranks[index]]
            found.append(LowerMoments(self.numbers[key], None if versions == every else self._spans(versions)))
        return tuple(found)

    def _judged(self, key: str) -> list[_Judged]:
        """Return the distinct rules of a stage over all versions."""
        found: list[_Judged] = []
        for index, accord in enumerate(self.accords):
            if key not in self.ranks[index]:
                continue
            stage = accord.stages[self.ranks[index][key] - 1]
            lower, is_new = self._lower(stage, index), self._is_new(stage, index)
            same = next((rule for rule in found if _reads_alike(rule, stage, lower)), None)
            if same is None:
                found.append(_Judged(stage, [(index, index, is_new)], lower))
                continue
            first, last, was_new = same.runs[-1]
            if last == index - 1:
                same.runs[-1] = first, index, was_new
            else:
                same.runs.append((index, index, is_new))
            same.stage, same.lower = stage, lower
        return found

    def _is_new(self, stage: Stage, index: int) -> bool:
        """Whether a version has another rule for a stage than the version before it."""
        if index == 0:
            return False
        rank = self.ranks[index - 1].get(stage.key)
        return rank is None or self.accords[index - 1].stages[rank - 1].rule != stage.rule

    def _lower(self, stage: Stage, index: int) -> dict[str, _Moments]:
        """Return for each stage that a rule reads the moments that enter it, so far.

        A moment enters the stages below its own on the ladder of its version. Moments of the stage itself, and of
        those above it, do not count: a rule that names a lower stage must not be fulfilled by its own stage.
        """
        order = self.orders[index]
        below = order[: order.index(stage.key)]
        return {
            key: frozenset(
                (other, version)
                for version, ranks in enumerate(self.ranks[: index + 1])
                for other in below
                if key in ranks and other in ranks and ranks[key] <= ranks[other]
            )
            for key in stages_read(stage.rule)
        }


def _reads_alike(judged: _Judged, stage: Stage, lower: Mapping[str, _Moments]) -> bool:
    """Whether a rule is the same, and what it reads of lower stages was the same in the versions so far."""
    last = judged.runs[-1][1]
    return judged.stage.rule == stage.rule and all(
        judged.lower[key] == {moment for moment in moments if moment[1] <= last} for key, moments in lower.items()
    )


def _sorted(keys: Sequence[str], reads: Mapping[str, set[str]]) -> list[str]:
    """Sort stages so that those that others read come first, otherwise as they are."""
    if all(keys.index(read) < keys.index(key) for key in keys for read in reads[key]):
        return list(keys)
    return list(TopologicalSorter({key: reads[key] for key in keys}).static_order())
