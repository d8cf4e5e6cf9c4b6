"""The facts that the reference evaluator reads, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from schema.vocab import Channel, DealOutcome, Direction, HandoffStatus, TeamKind, TouchKind, TouchOutcome

FieldValue = bool | int | Decimal | str | None
TICK = timedelta(microseconds=1)  # the resolution of a timestamp


@dataclass(frozen=True, slots=True)
class TouchFact:
    """A touchpoint."""

    at: datetime
    kind: TouchKind
    direction: Direction
    channel: Channel | None = None
    team: TeamKind | None = None
    campaign: str | None = None
    outcome: TouchOutcome | None = None


@dataclass(frozen=True, slots=True)
class HandoffFact:
    """A handoff and its decision."""

    handed_at: datetime
    decided_at: datetime | None
    status: HandoffStatus
    reject_reason: str | None = None


@dataclass(frozen=True, slots=True)
class RecordVersion:
    """The fields of a record over `[starts_at, ends_at)`. A version without a known start starts when recorded."""

    starts_at: datetime
    ends_at: datetime | None
    values: Mapping[str, FieldValue]

    def holds(self, at: datetime) -> bool:
        """Whether the record had these values at the instant."""
        return self.starts_at <= at and (self.ends_at is None or at < self.ends_at)


@dataclass(frozen=True, slots=True)
class DealState:
    """The values of a deal over `[starts_at, ends_at)`."""

    starts_at: datetime
    ends_at: datetime | None
    outcome: DealOutcome
    amount: Decimal | None = None
    pipeline: str | None = None

    @property
    def is_negative(self) -> bool:
        """Whether the amount is negative: then no rule and no exit counts the deal. An unknown amount is not."""
        return self.amount is not None and self.amount < 0

    def counts_as(self, outcome: DealOutcome) -> bool:
        """Whether rules and exits count the deal as open, won or lost."""
        return self.outcome is outcome and not self.is_negative


@dataclass(frozen=True, slots=True)
class DealRole:
    """A contact's role in a deal; without `since` it lasts as long as the deal."""

    states: tuple[DealState, ...]
    since: datetime | None = None

    def state(self, at: datetime) -> DealState | None:
        """The state of the deal at the instant; None before the role or the deal begins."""
        if self.since is not None and at < self.since:
            return None
        holding = (
            state for state in self.states if state.starts_at <= at and (state.ends_at is None or at < state.ends_at)
        )
        return next(holding, None)


@dataclass(frozen=True, slots=True)
class ReportFact:
    """A stage that a source system reported; one without a known date was reported when it was stored."""

    at: datetime
    source: str
    stage: str


@dataclass(frozen=True, slots=True)
class ContactHistory:
    """All facts about one contact. The value `company_id` of a version is a key of the company histories."""

    versions: tuple[RecordVersion, ...]
    touches: tuple[TouchFact, ...] = ()
    handoffs: tuple[HandoffFact, ...] = ()
    roles: tuple[DealRole, ...] = ()
    reports: tuple[ReportFact, ...] = ()

    @property
    def lifetime_start(self) -> datetime | None:
        """The start of the first version, leaving out those that end before they start; None without one."""
        return min((row.starts_at for row in self.versions if row.holds(row.starts_at)), default=None)


@dataclass(frozen=True, slots=True)
class Segment:
    """The time `(after, until]` between two exits, and the kind of the exit that closes it; None: no such exit."""

    after: datetime | None
    until: datetime | None
    kind: str | None

    def holds(self, at: datetime) -> bool:
        """Whether the instant lies inside."""
        return (self.after is None or self.after < at) and (self.until is None or at <= self.until)


CompanyHistories = Mapping[str, tuple[RecordVersion, ...]]
ALL_TIME = Segment(None, None, None)
