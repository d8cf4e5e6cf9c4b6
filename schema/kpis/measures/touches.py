"""What is measured of touches: how often people are touched."""

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

from schema.kpis.kinds import Kind


@dataclass(frozen=True, slots=True)
class Trailing:
    """The number of outbound touches per touched person, in the time before an instant."""

    within: timedelta
    kind: Literal[Kind.SPREAD] = field(default=Kind.SPREAD, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches",)


@dataclass(frozen=True, slots=True)
class OverPolicy:
    """The share of the people touched in the period who were touched more than the contact policy allows."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches", "the contact policy")


@dataclass(frozen=True, slots=True)
class Replied:
    """The share of the people touched in the period who came to us within a time after one of these touches."""

    within: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches", "inbound touches")


@dataclass(frozen=True, slots=True)
class Collided:
    """The share of the people whom both teams touched in the period that both touched within a time."""

    within: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches",)


@dataclass(frozen=True, slots=True)
class OptedOut:
    """The share of the people touched in the period who opted out within a time after their last touch until then."""

    within: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("outbound touches", "the history of opting out")
