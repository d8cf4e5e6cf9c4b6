"""What is measured of handoffs: how sales decides, and what the accord owes."""

from dataclasses import dataclass, field
from typing import Literal

from schema.kpis.kinds import Kind
from schema.vocab import HandoffStatus


@dataclass(frozen=True, slots=True)
class Decisions:
    """Handoffs that sales decided with one of the statuses. A handoff that was returned for data is not decided."""

    statuses: tuple[HandoffStatus, ...]

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return tuple(f"handoffs {status.value.lower()}" for status in self.statuses)


@dataclass(frozen=True, slots=True)
class DecisionRatio:
    """The share of decided handoffs that were decided with some of the statuses."""

    part: Decisions
    whole: Decisions
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return self.whole.reads
