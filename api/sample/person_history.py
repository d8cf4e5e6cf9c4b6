"""One person's life so far: touches, changes and handoffs, written as they happen; nothing that is still to come."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from api.sample.campaigns import Marketing
from api.sample.currencies import Till
from api.sample.firm import Firm
from api.sample.lead_origins import Source
from api.sample.period import DAY, HOUR, Span
from api.sample.random_source import Dice, Id
from api.sample.row_buffers import Batch, Changes, add_with_history
from schema.vocab import Channel, Direction, HandoffStatus, TeamKind, TouchKind, TouchOutcome

_FORGETS = 0.08
"""Share of the stages that nobody thinks of setting."""


@dataclass(frozen=True, slots=True)
class World:
    """What every story refers to."""

    span: Span
    firm: Firm
    marketing: Marketing
    till: Till


@dataclass(slots=True)
class Life:
    """A story in the making: its person, its chance, and where its rows go."""

    world: World
    batch: Batch
    dice: Dice
    source: Source
    contact: Id
    born: int
    changes: Changes
    missing: Mapping[str, object]
    """What sales will have to ask for: columns that are null at first, and their values once known."""
    next_title: str
    """What a promotion makes of the person."""
    is_assumed: bool
    """The source told no history: what is known by now is assumed to have held from the beginning."""
    is_tracked: bool
    """Sales keeps the person's stage by hand, in the CRM."""
    inbound: list[int] = field(default_factory=list)
    """When the person came to us."""
    opted_out: int | None = None

    def has_come(self, at: int) -> bool:
        """Whether an instant lies before the end of the story."""
        return at < self.world.span.end

    def touch(  # the columns of a touchpoint, most of them rarely said
        self,
        at: int,
        kind: TouchKind,
        direction: Direction,
        team: TeamKind,
        channel: Channel | None,
        *,
        campaign: Id | None = None,
        member: Id | None = None,
        deal: Id | None = None,
        outcome: TouchOutcome | None = None,
        duration: int | None = None,
        is_automated: bool = False,
    ) -> None:
        """Write a touchpoint. Machines report at once, salespeople when they find the time."""
        end = self.world.span.end
        if at >= end:
            return
        if direction is Direction.INBOUND:
            self.inbound.append(at)
        lag = int(self.dice.random() * (2 * HOUR if team is TeamKind.SALES else 30))
        self.batch["touchpoint"].add(
            contact_id=self.contact,
            id=self.dice.identity(at),
            occurred_at=at,
            recorded_at=min(at + lag, end),
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

    def call(
        self,
        at: int,
        member: Id,
        outcome: TouchOutcome,
        *,
        direction: Direction = Direction.OUTBOUND,
        deal: Id | None = None,
    ) -> None:
        """Write a telephone call between the person and a salesperson."""
        longest = 15 if outcome is TouchOutcome.NO_ANSWER else 1500
        duration = self.dice.whole(longest // 5, longest)
        self.touch(
            at, TouchKind.CALL, direction, TeamKind.SALES, Channel.PHONE,
            member=member, outcome=outcome, duration=duration, deal=deal,
        )  # fmt: skip

    def meet(self, at: int, member: Id, outcome: TouchOutcome, *, deal: Id | None = None) -> None:
        """Write a meeting that a salesperson asked for."""
        duration = None if outcome is TouchOutcome.NO_SHOW else self.dice.whole(4, 12) * 300
        self.touch(
            at, TouchKind.MEETING, Direction.OUTBOUND, TeamKind.SALES, Channel.MEETING,
            member=member, outcome=outcome, duration=duration, deal=deal,
        )  # fmt: skip

    def write_to(self, at: int, member: Id, *, deal: Id | None = None) -> None:
        """Write a salesperson's mail to the person."""
        self.touch(
            at, TouchKind.EMAIL_SENT, Direction.OUTBOUND, TeamKind.SALES, Channel.EMAIL, member=member, deal=deal
        )

    def answer(self, at: int, member: Id, *, deal: Id | None = None) -> None:
        """Write the person's answer to a salesperson's mail."""
        self.touch(
            at, TouchKind.EMAIL_REPLY, Direction.INBOUND, TeamKind.SALES, Channel.EMAIL, member=member, deal=deal
        )

    def change(self, at: int, **fields: object) -> None:
        """Change columns of the contact from an instant on."""
        if self.has_come(at):
            self.changes.append((at, fields))

    def opt_out(self, at: int) -> None:
        """Let the person ask for no more mail."""
        if self.has_come(at) and self.opted_out is None:
            self.opted_out = at
            self.change(at, email_opt_out=True)

    def hand_over(
        self,
        at: int,
        decided: int,
        verdict: HandoffStatus,
        assignee: Id,
        *,
        why: str,
        reason: str | None = None,
        note: str | None = None,
    ) -> None:
        """Write a handoff to sales; one whose decision is still to come is PROPOSED."""
        if not self.has_come(at):
            return
        is_decided = self.has_come(decided)
        self.batch["handoff"].add(
            contact_id=self.contact,
            id=self.dice.identity(at),
            recorded_at=decided if is_decided else at,
            why=why,
            assigned_to_id=assignee,
            handed_at=at,
            due_at=at + 2 * DAY,
            decided_at=decided if is_decided else None,
            status=verdict if is_decided else HandoffStatus.PROPOSED,
            reject_reason=reason if is_decided else None,
            note=note if is_decided else None,
        )

    def report(self, at: int, said: str, stage: str | None) -> None:
        """Set the person's stage by hand, in the CRM's word and the accord's, when somebody thinks of it."""
        entered = at + int(self.dice.between(0, 0.3) * DAY)
        if not self.is_tracked or self.dice.chance(_FORGETS) or not self.has_come(entered):
            return
        self.batch["reported_stage"].add(
            contact_id=self.contact,
            id=self.dice.identity(entered),
            recorded_at=entered,
            source="CRM",
            source_stage=said,
            stage=stage,
            entered_at=entered,
        )

    def end(self) -> None:
        """Write the contact, as it is by now and as it was."""
        add_with_history(self.batch, "contact", self.contact, self.changes, is_assumed=self.is_assumed)
