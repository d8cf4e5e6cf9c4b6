"""The ladder of an accord as SQL reads it: ranks, and which exits cut which ranks."""

from dataclasses import dataclass

from schema.accord import Accord, Stage


@dataclass(frozen=True, slots=True)
class RankedStage:
    """A stage with its rank, and the number of its cut: stages that the same exits close share their segments.

    A stage that no exit closes has cut None: all of a contact's time is one segment.
    """

    rank: int
    stage: Stage
    cut: int | None


@dataclass(frozen=True, slots=True)
class Ladder:
    """The rungs from the lowest up, and for each cut the places of its exits in the accord."""

    rungs: tuple[RankedStage, ...]
    cuts: tuple[tuple[int, ...], ...]

    def rung(self, key: str) -> RankedStage:
        """The rung of a stage; KeyError if there is none."""
        for each in self.rungs:
            if each.stage.key == key:
                return each
        raise KeyError(key)


def ladder_of(accord: Accord) -> Ladder:
    """Number the stages, and find which of them share their segments."""
    cuts: list[tuple[int, ...]] = []
    rungs = []
    for rank, stage in enumerate(accord.stages, start=1):
        exits = tuple(
            place
            for place, each in enumerate(accord.exits)
            if accord.rank(each.closes_from) <= rank <= accord.rank(each.closes_to)
        )
        if exits and exits not in cuts:
            cuts.append(exits)
        rungs.append(RankedStage(rank, stage, cuts.index(exits) if exits else None))
    return Ladder(tuple(rungs), tuple(cuts))
