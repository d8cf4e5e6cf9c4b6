"""What is measured of stages: entries, conversions, and the times between and within stages."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schema.kpis.kinds import Kind


@dataclass(frozen=True, slots=True)
class Entries:
    """Entries of people into one stage of the accord; with None, into any stage."""

    stage: str | None

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (f"stage {self.stage}" if self.stage else "every stage",)


@dataclass(frozen=True, slots=True)
class Conversion:
    """The share of the people who entered the base stage that entered the target; with None, the request names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.CONVERSION] = field(default=Kind.CONVERSION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return _pair_reads(self.base, self.target)


@dataclass(frozen=True, slots=True)
class Duration:
    """The time from the base stage to the target, of those who reached it; with None, the request names both."""

    base: str | None = None
    target: str | None = None
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return _pair_reads(self.base, self.target)


@dataclass(frozen=True, slots=True)
class Stay:
    """The time from each entry into a stage to its exit. Entries without an exit are counted in a warning."""

    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("every stage",)


@dataclass(frozen=True, slots=True)
class Response:
    """The time from the entry into a stage to our first touch that was not automated.

    People who have had no such touch are counted in a warning.
    """

    base: str
    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (f"stage {self.base}", "outbound touches")


@dataclass(frozen=True, slots=True)
class Agreement:
    """The share of the people with a stage reported by a source whom the accord has in it, at an instant."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("reported stages", "every stage")


@dataclass(frozen=True, slots=True)
class Stalled:
    """The share of the people in a stage with a window who are in it for longer than the window, at an instant."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("every stage", "the windows of stages")


@dataclass(frozen=True, slots=True)
class Recycled:
    """The share of the people who left the stages in the period that sales recycled."""

    left: tuple[str, ...]
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (*(f"stage {stage}" for stage in self.left), "handoffs rejected")


@dataclass(frozen=True, slots=True)
class Reconverted:
    """The share of the people recycled from the stages in the period who entered a stage within a time after it."""

    left: tuple[str, ...]
    target: str
    within: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (*(f"stage {stage}" for stage in (*self.left, self.target)), "handoffs rejected")


@dataclass(frozen=True, slots=True)
class Unowned:
    """The working time for which people in the stages from the first to the last had no active owner."""

    first: str
    last: str
    kind: Literal[Kind.TIME] = field(default=Kind.TIME, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return (
            f"stage {self.first}",
            f"stage {self.last}",
            "the stages between them",
            "the owners of contacts",
            "the calendar of sales",
        )


def _pair_reads(base: str | None, target: str | None) -> tuple[str, ...]:
    return (f"stage {base}", f"stage {target}") if base and target else ("two stages of the request",)
