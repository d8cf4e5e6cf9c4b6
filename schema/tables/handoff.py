"""A handoff: marketing gives a person to sales, and sales accepts, rejects or returns."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link
from schema.vocab import HandoffStatus


class Handoff(Table, table=True):
    """A person handed over from marketing to sales, with a clock and a decision."""

    __table_args__ = (
        sa.CheckConstraint("(status = 'PROPOSED') = (decided_at is null)", name="decided_unless_proposed"),
        sa.CheckConstraint("decided_at >= handed_at", name="decided_after_handed"),
        sa.CheckConstraint("(status = 'REJECTED') = (reject_reason is not null)", name="reason_when_rejected"),
        sa.Index(None, "contact_id", "handed_at"),
        sa.Index(None, "id"),
    )

    contact_id: UUID = link(
        "contact",
        "The person handed over.",
        back="handoffs",
        back_doc="The person's handoffs to sales.",
        primary_key=True,
        index=False,
    )
    id: UUID = column("The handoff's identity (UUIDv7, made by the application).", primary_key=True, default=None)
    recorded_at: datetime = column("When Accord was told.", server_default="now()", default=None)
    accord_version_id: UUID | None = link(
        "accord_version", "The version of the accord it was made under.", hidden=True, default=None
    )
    why: str | None = column("The facts that qualified the person.", default=None)
    assigned_to_id: UUID | None = link(
        "member",
        "The salesperson who decides.",
        back="handoffs",
        back_doc="The handoffs this person decides.",
        default=None,
    )
    handed_at: datetime = column("When marketing handed the person over.", index=True, begins=True)
    due_at: datetime | None = column("Until when sales owes a decision.", default=None)
    decided_at: datetime | None = column(
        "When sales decided; null while proposed.", index=True, known_by="decided_at", default=None
    )
    status: HandoffStatus = column(
        "Where it stands.", vocab=HandoffStatus, known_by="decided_at", before=HandoffStatus.PROPOSED
    )
    reject_reason: str | None = column("The code of the accord's reject reason.", known_by="decided_at", default=None)
    note: str | None = column("What sales added in words.", known_by="decided_at", default=None)
