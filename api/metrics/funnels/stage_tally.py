"""The people of a funnel by the stages they reached, added up from the rows of its statement."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class FunnelRow:
    """One row of the statement: people of the cohort who got the same way up the stages.

    With `is_entered`: the people who entered the stage `rank` in the period, and how many of them by implication.
    """

    is_entered: bool
    rank: int  # the highest one reached
    is_standing: bool  # whether the entry into it is open
    skipped: int  # the stages below entered by implication, as bits
    people: int
    implied: int
    assumed: int  # people of the cohort whose dimension values are from an assumed history


@dataclass(slots=True)
class StageTally:
    """The number of people by the rank of the stage, for one value of the dimension or for all."""

    reached: Counter[int] = field(default_factory=Counter)
    implied: Counter[int] = field(default_factory=Counter)
    standing: Counter[int] = field(default_factory=Counter)
    entered: Counter[int] = field(default_factory=Counter)
    entered_implied: Counter[int] = field(default_factory=Counter)
    assumed: int = 0

    def add(self, row: FunnelRow) -> None:
        """Add a row of the statement."""
        self.assumed += row.assumed
        if row.is_entered:
            self.entered[row.rank] += row.people
            self.entered_implied[row.rank] += row.implied
            return
        if row.is_standing:
            self.standing[row.rank] += row.people
        for lower in range(1, row.rank + 1):
            self.reached[lower] += row.people
            self.implied[lower] += row.people if row.skipped >> (lower - 1) & 1 else 0
