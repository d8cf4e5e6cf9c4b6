"""The ladder: an accord's stages by rank, and the exits that close each of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.accord.in_force import AccordPeriod
from schema.clauses.exits import Exit
from schema.clauses.stages import Stage


@dataclass(frozen=True, slots=True)
class RankedStage:
    """A stage, its rank from 1, and the number of its exit group.

    Stages that the same exits close form an exit group: they have the same segments. A stage that no exit closes has
    the group None, and one segment that covers all of time.
    """

    rank: int
    stage: Stage
    exit_group: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The stages of one version from the lowest up, and for each exit group the positions of its exits in the accord.

    Everything below this type judges by one version; its entries carry the version's id.
    """

    period: AccordPeriod
    stages: tuple[RankedStage, ...]
    exit_groups: tuple[tuple[int, ...], ...]

    @property
    def exits(self) -> tuple[Exit, ...]:
        """The exits in the order of the accord; a position in an exit group is an index into them."""
        return self.period.accord.exits

    def stage(self, key: str) -> RankedStage:
        """Find a stage by its key; KeyError if there is none."""
        for ranked in self.stages:
            if ranked.stage.key == key:
                return ranked
        raise KeyError(key)


def ladder_of(periods: Sequence[AccordPeriod]) -> Ladder:
    """Rank the stages of the accord, and group them by the exits that close them.

    Errors: ValueError unless there is exactly one version, in force for all of time: no workflow activates a second.
            Only this function relies on it. With several versions, each entry is judged by the version in force at its
            instant, so that every period has a ladder of its own, whose entries count inside the period only.
    """
    if len(periods) != 1 or periods[0].in_force_from is not None or periods[0].in_force_until is not None:
        raise ValueError(
            f"The evaluator judges by one version that is in force for all of time; it got {len(periods)},"
            f" from {periods[0].in_force_from if periods else None}."
        )
    [period] = periods
    accord = period.accord
    groups: list[tuple[int, ...]] = []
    stages = []
    for rank, stage in enumerate(accord.stages, start=1):
        closing = tuple(
            position
            for position, leaving in enumerate(accord.exits)
            if accord.rank(leaving.closes_from) <= rank <= accord.rank(leaving.closes_to)
        )
        if closing and closing not in groups:
            groups.append(closing)
        stages.append(RankedStage(rank, stage, groups.index(closing) if closing else None))
    return Ladder(period, tuple(stages), tuple(groups))
