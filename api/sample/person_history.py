"""The history of one person: touchpoints, changes and handoffs. Events after the end of the sample are not written."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.sample.campaigns import CampaignCalendar
from api.sample.currencies import PriceConverter
from api.sample.firm import Firm
from api.sample.lead_origins import LeadOrigin
from api.sample.period import DAY, HOUR, SamplePeriod
from api.sample.random_source import SeededRandom, UuidBytes
from api.sample.row_buffers import Changes, TableBuffers, add_with_history
from schema.vocab import Channel, Direction, HandoffStatus, TeamKind, TouchKind, TouchOutcome

CRM = "crm"
"""The name of the source that reports stages, as importers write names and as the rules of an accord name it."""
_UNREPORTED = 0.08
"""Share of stage changes that nobody reports."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """The data that all histories share."""

    period: SamplePeriod
    firm: Firm
    campaigns: CampaignCalendar
    prices: PriceConverter


@dataclass(slots=True)
class PersonHistory:
    """The state of one person's simulation, and the buffers that receive its rows."""

    scenario: Scenario
    buffers: TableBuffers
    rng: SeededRandom
    origin: LeadOrigin
    contact: UuidBytes
    created_at: int
    changes: Changes
    missing_fields: Mapping[str, object]
    """Columns that are null at first, with the values that sales finds out later."""
    next_title: str
    """Job title after a promotion."""
    is_assumed: bool
    """The source has no history: the present state is assumed to have held from the beginning."""
    is_tracked: bool
    """Sales keeps the person's stage by hand, in the CRM."""
    inbound: list[int] = field(default_factory=list)
    """Instants of the inbound touchpoints."""
    opted_out: int | None = None

    def is_past(self, at: int) -> bool:
        """Whether an instant lies before the end of the sample."""
        return at < self.scenario.period.end

    def add_touchpoint(  # the parameters are the columns of a touchpoint, most of them rarely given
        self,
        at: int,
        kind: TouchKind,
        direction: Direction,
        team: TeamKind,
        channel: Channel | None,
        *,
        campaign: UuidBytes | None = None,
        member: UuidBytes | None = None,
        deal: UuidBytes | None = None,
        outcome: TouchOutcome | None = None,
        duration: int | None = None,
        is_automated: bool = False,
    ) -> None:
        """Add a touchpoint. Systems record it within seconds, salespeople within two hours."""
        end = self.scenario.period.end
        if at >= end:
            return
        if direction is Direction.INBOUND:
            self.inbound.append(at)
        delay = int(self.rng.random() * (2 * HOUR if team is TeamKind.SALES else 30))
        self.buffers["touchpoint"].add(
            contact_id=self.contact,
            id=self.rng.uuid7(at),
            occurred_at=at,
            recorded_at=min(at + delay, end),
            channel=channel,
            kind=kind,
            direction=direction,
            team_kind=team,
            campaign_id=campaign,
            member_id=member,
            deal_id=deal,
            outcome=outcome,
            duration_seconds=duration,
            is_automated=is_automated,
        )

    def add_call(
        self,
        at: int,
        member: UuidBytes,
        outcome: TouchOutcome,
        *,
        direction: Direction = Direction.OUTBOUND,
        deal: UuidBytes | None = None,
    ) -> None:
        """Add a telephone call between the person and a salesperson."""
        longest = 15 if outcome is TouchOutcome.NO_ANSWER else 1500
        duration = self.rng.integer(longest // 5, longest)
        self.add_touchpoint(
            at, TouchKind.CALL, direction, TeamKind.SALES, Channel.PHONE,
            member=member, outcome=outcome, duration=duration, deal=deal,
        )  # fmt: skip

    def add_meeting(self, at: int, member: UuidBytes, outcome: TouchOutcome, *, deal: UuidBytes | None = None) -> None:
        """Add a meeting that a salesperson requested."""
        duration = None if outcome is TouchOutcome.NO_SHOW else self.rng.integer(4, 12) * 300
        self.add_touchpoint(
            at, TouchKind.MEETING, Direction.OUTBOUND, TeamKind.SALES, Channel.MEETING,
            member=member, outcome=outcome, duration=duration, deal=deal,
        )  # fmt: skip

    def add_email(self, at: int, member: UuidBytes, *, deal: UuidBytes | None = None) -> None:
        """Add a salesperson's email to the person."""
        self.add_touchpoint(
            at, TouchKind.EMAIL_SENT, Direction.OUTBOUND, TeamKind.SALES, Channel.EMAIL, member=member, deal=deal
        )

    def add_reply(self, at: int, member: UuidBytes, *, deal: UuidBytes | None = None) -> None:
        """Add the person's reply to a salesperson's email."""
        self.add_touchpoint(
            at, TouchKind.EMAIL_REPLY, Direction.INBOUND, TeamKind.SALES, Channel.EMAIL, member=member, deal=deal
        )

    def add_change(self, at: int, **fields: object) -> None:
        """Change columns of the contact from an instant on."""
        if self.is_past(at):
            self.changes.append((at, fields))

    def opt_out(self, at: int) -> None:
        """Opt the person out of email, unless that happened before."""
        if self.is_past(at) and self.opted_out is None:
            self.opted_out = at
            self.add_change(at, email_opt_out=True)

    def add_handoff(
        self,
        at: int,
        decided: int,
        decision: HandoffStatus,
        assignee: UuidBytes,
        *,
        why: str,
        reason: str | None = None,
        note: str | None = None,
    ) -> None:
        """Add a handoff to sales. It is PROPOSED if the decision comes after the end of the sample."""
        if not self.is_past(at):
            return
        is_decided = self.is_past(decided)
        self.buffers["handoff"].add(
            contact_id=self.contact,
            id=self.rng.uuid7(at),
            recorded_at=decided if is_decided else at,
            why=why,
            assigned_to_id=assignee,
            handed_at=at,
            due_at=at + 2 * DAY,
            decided_at=decided if is_decided else None,
            status=decision if is_decided else HandoffStatus.PROPOSED,
            reject_reason=reason if is_decided else None,
            note=note if is_decided else None,
        )

    def add_reported_stage(self, at: int, crm_stage: str, stage: str | None) -> None:
        """Add the stage that a salesperson sets in the CRM, with its name there and in the accord; some are omitted."""
        entered = at + int(self.rng.between(0, 0.3) * DAY)
        if not self.is_tracked or self.rng.chance(_UNREPORTED) or not self.is_past(entered):
            return
        self.buffers["reported_stage"].add(
            contact_id=self.contact,
            id=self.rng.uuid7(entered),
            recorded_at=entered,
            source=CRM,
            source_stage=crm_stage,
            stage=stage,
            entered_at=entered,
        )

    def write_contact(self) -> None:
        """Add the contact and its versions. Call this after all changes."""
        add_with_history(self.buffers, "contact", self.contact, self.changes, is_assumed=self.is_assumed)
