"""The targets of an accord that are for a KPI, a period, and a part of it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import TypeAlias
from zoneinfo import ZoneInfo

from api.accord.unknown_targets import (
    unknown_target_kpis,
    unknown_target_kpis_sentence,
    unknown_target_words,
    unknown_target_words_sentence,
)
from api.metrics.answer import AnswerWarning
from api.metrics.periods.period_days import days_of
from api.metrics.periods.period_names import named_period
from api.metrics.request import Where
from schema.accord import Accord
from schema.clauses.newer_words import NewerWord
from schema.clauses.targets import Target
from schema.kpis.answer_vocab import WarningCode
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from schema.kpis.kpi import Kpi
from schema.vocab import TeamKind

ADDING_UP = (Kind.COUNT, Kind.SUM)  # the kinds whose values of several periods add up to that of all
# The part of a KPI that a figure is of: values of dimensions, as answers show them. A target is for one at most.
Part: TypeAlias = tuple[tuple[Dimension, str | None], ...]
_Team: TypeAlias = TeamKind | NewerWord | None


@dataclass(frozen=True, slots=True)
class AgreedTarget:
    """The value to reach in a period; `summed_from` are the periods of the targets that it is the sum of."""

    value: Decimal
    team: TeamKind | None
    summed_from: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _DatedTarget:
    """A target with the days of its period, and the part of the KPI that it is for."""

    target: Target
    part: Part
    value: Decimal
    starts_on: date
    before: date


@dataclass(frozen=True, slots=True)
class KpiTargets:
    """All targets of an accord for one KPI, without those whose part or period this release does not have."""

    kpi: Kpi
    dated: tuple[_DatedTarget, ...]

    @classmethod
    def of(cls, kpi: Kpi, accord: Accord, zone: ZoneInfo, as_of: datetime) -> "KpiTargets":
        """Read the targets of a KPI, in the order of the document."""
        found = []
        for target in accord.targets:
            part = part_of_target(target)
            if target.kpi == kpi.key and part is not None:
                days = days_of(named_period(target.period), zone, as_of, accord.reporting)
                if days.starts_on is not None and days.before is not None:
                    found.append(_DatedTarget(target, part, _value_of(target), days.starts_on, days.before))
        return cls(kpi, tuple(found))

    @property
    def periods(self) -> tuple[str, ...]:
        """The periods that the targets are for, as the document names them."""
        return tuple(dated.target.period for dated in self.dated if not isinstance(dated.target.team, NewerWord))

    def agreed(self, starts_on: date | None, before: date | None, part: Part | None) -> tuple[AgreedTarget, ...]:
        """The targets for the days `[starts_on, before)` and a part of the KPI, at most one for each team.

        That of both teams comes first. Without one for these days, those of shorter periods are added up if they cover
        every day once and the KPI adds up. `part` is None for a part that no target can be for.
        """
        found = self._by_team(starts_on, before, part).items()
        return tuple(AgreedTarget(value, team, of) for team, (value, of) in found if not isinstance(team, NewerWord))

    def only_agreed(self, starts_on: date | None, before: date | None, part: Part | None) -> AgreedTarget | None:
        """The target of both teams, or else that of the only team that has one; None if each has its own.

        A team of a newer release has its own, too.
        """
        found = self.agreed(starts_on, before, part)
        is_only = len(self._by_team(starts_on, before, part)) == 1
        return found[0] if found and (found[0].team is None or is_only) else None

    def _by_team(
        self, starts_on: date | None, before: date | None, part: Part | None
    ) -> Mapping[_Team, tuple[Decimal, tuple[str, ...]]]:
        """The value for each team that has one, and the periods of the targets that it is the sum of."""
        if starts_on is None or before is None or part is None:
            return {}
        found = {}
        for team in dict.fromkeys((None, *(dated.target.team for dated in self.dated))):
            own = [dated for dated in self.dated if dated.target.team == team and dated.part == part]
            value = self._value(own, starts_on, before)
            if value is not None:
                found[team] = value
        return found

    def _value(
        self, own: Sequence[_DatedTarget], starts_on: date, before: date
    ) -> tuple[Decimal, tuple[str, ...]] | None:
        for dated in own:
            if (dated.starts_on, dated.before) == (starts_on, before):
                return dated.value, ()
        cover = _cover(own, starts_on, before) if self.kpi.kind in ADDING_UP else None
        if not cover:
            return None
        return sum((dated.value for dated in cover), Decimal(0)), tuple(dated.target.period for dated in cover)


def part_of_target(target: Target) -> Part | None:
    """The part of a KPI that a target is for; None if this release does not have its dimension or its period."""
    if not target.has_known_period:
        return None
    if target.only is None:
        return ()
    dimension = target.only.dimension
    return None if isinstance(dimension, NewerWord) else ((dimension, target.only.value),)


def part_of_filter(where: Where) -> Part | None:
    """The part of a KPI that a filter selects: all of it, or one value of each of some dimensions; None for others.

    A filter over the counted records is one of the others: no target is for the records that it selects.
    """
    if where.any_of or where.none_of or where.records:
        return None
    found: list[tuple[Dimension, str | None]] = []
    for dimension, values in where.tests:
        if len(values) != 1:
            return None
        found.append((dimension, values[0]))
    for inner in where.all_of:
        part = part_of_filter(inner)
        if part is None:
            return None
        found += part
    return tuple(dict.fromkeys(found))


def part_of_group(part: Part, keys: Part) -> Part:
    """A group of a part by its keys. A value that filter and group both have counts once."""
    return tuple(dict.fromkeys((*part, *keys)))


def unknown_target_warnings(accord: Accord) -> Iterator[AnswerWarning]:
    """UNKNOWN_KPI and UNKNOWN_TARGET_WORD: the targets of a stored document that name what this release does not have.

    The count is that of the names.
    """
    unknown = unknown_target_kpis(accord)
    if unknown:
        message = unknown_target_kpis_sentence(unknown)
        yield AnswerWarning(code=WarningCode.UNKNOWN_KPI, message=message, count=len(unknown))
    words = unknown_target_words(accord)
    if words:
        message = unknown_target_words_sentence(words)
        yield AnswerWarning(code=WarningCode.UNKNOWN_TARGET_WORD, message=message, count=len(words))


def _value_of(target: Target) -> Decimal:
    if target.duration is not None:
        return Decimal(str(target.duration.total_seconds()))
    if target.value is None:
        raise ValueError("a target has a value or a duration")
    return target.value


def _cover(dated: Sequence[_DatedTarget], starts_on: date, before: date) -> tuple[_DatedTarget, ...] | None:
    """Targets whose periods follow each other from the first day to the last, with as few as possible; None if none.

    Periods of months nest or are disjoint, but for fiscal and calendar quarters: so a way that ends early is left.
    """
    if starts_on == before:
        return ()
    fitting = [target for target in dated if target.starts_on == starts_on and target.before <= before]
    covers = (
        (target, *rest)
        for target in sorted(fitting, key=lambda target: target.before, reverse=True)
        if (rest := _cover(dated, target.before, before)) is not None
    )
    return next(covers, None)
