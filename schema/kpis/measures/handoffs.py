"""What is measured of handoffs: how sales decides, and what the accord owes."""

from dataclasses import dataclass, field
from datetime import timedelta
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


@dataclass(frozen=True, slots=True)
class DecidedInTime:
    """The share of the handoffs whose decision was due in the period that sales had decided by then."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs due", "the time to decide")


@dataclass(frozen=True, slots=True)
class FollowedUp:
    """The share of the handoffs accepted in the period that sales followed up as agreed."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs accepted", "touches of sales by hand", "the attempts agreed")


@dataclass(frozen=True, slots=True)
class NeverContacted:
    """The share of the handoffs accepted in the period whose person sales did not touch within a working time."""

    after: timedelta
    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs accepted", "touches of sales by hand", "the calendar of sales")


@dataclass(frozen=True, slots=True)
class FeedbackGiven:
    """The share of the handoffs rejected in the period that have all that the accord wants of a rejection."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs rejected", "what a rejection has")


@dataclass(frozen=True, slots=True)
class AcceptedByDefault:
    """The share of accepted handoffs that counted as accepted because sales did not decide. Nothing records it yet."""

    kind: Literal[Kind.RATIO] = field(default=Kind.RATIO, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs accepted",)


@dataclass(frozen=True, slots=True)
class OwnerResponse:
    """The working time from each handoff of the period to the first touch by hand of sales."""

    kind: Literal[Kind.DURATION] = field(default=Kind.DURATION, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs", "touches of sales by hand", "the calendar of sales")


@dataclass(frozen=True, slots=True)
class Delivered:
    """The people whom marketing delivered to sales in the period, divided by those whom it owed."""

    kind: Literal[Kind.ATTAINMENT] = field(default=Kind.ATTAINMENT, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs", "the volume that marketing owes", "the stages that it names")


@dataclass(frozen=True, slots=True)
class DeliveredValue:
    """The agreed value of the people whom sales accepted or did not dispute in time, divided by the value owed."""

    kind: Literal[Kind.ATTAINMENT] = field(default=Kind.ATTAINMENT, init=False)

    @property
    def reads(self) -> tuple[str, ...]:
        """What is read, for the catalogue."""
        return ("handoffs", "the value that marketing owes", "the time to decide", "the stages that it names")
