"""A touchpoint: one contact between us and a person, whichever team had it."""

from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link
from schema.vocab import Channel, Direction, TeamKind, TouchKind, TouchOutcome, Unit


class Touchpoint(Table, table=True):
    """One contact between us and a person. Marketing's and sales' touches stand on one line."""

    __table_args__ = (
        sa.Index(None, "contact_id", "occurred_at"),
        # Contact pressure and the first touch of sales are read from this index alone.
        sa.Index(
            "ix_touchpoint_outbound",
            "contact_id",
            "occurred_at",
            postgresql_where=sa.text("direction = 'OUTBOUND'"),
            postgresql_include=["is_automated"],
        ),
        # The channel and campaign of a person at a moment are those of the first inbound touch: one look, in order.
        sa.Index(
            "ix_touchpoint_inbound",
            "contact_id",
            "occurred_at",
            "id",
            postgresql_where=sa.text("direction = 'INBOUND'"),
        ),
        sa.Index(None, "id"),
    )

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="touchpoints",
        back_doc="Every touch with the person.",
        primary_key=True,
        index=False,
    )
    id: UUID = column("The touchpoint's identity (UUIDv7, made by the application).", primary_key=True, default=None)
    occurred_at: datetime = column("When it happened.", begins=True)
    recorded_at: datetime = column("When Accord was told.", server_default="now()", default=None)
    channel: Channel | None = column(
        "The way by which it reached the other side; null if the source says nothing.", vocab=Channel, default=None
    )
    kind: TouchKind = column("What happened.", vocab=TouchKind)
    direction: Direction = column("Who took the first step.", vocab=Direction)
    team_kind: TeamKind | None = column("Which team had or caused it.", vocab=TeamKind, default=None)
    campaign_id: UUID | None = link(
        "campaign", "The campaign it belongs to.", back="touchpoints", back_doc="The touches it caused.", default=None
    )
    member_id: UUID | None = link(
        "member",
        "Which of our people had it.",
        back="touchpoints",
        back_doc="The touches this person had.",
        default=None,
    )
    deal_id: UUID | None = link(
        "deal", "The deal it was about.", back="touchpoints", back_doc="The touches about it.", default=None
    )
    outcome: TouchOutcome | None = column("What came out of it.", vocab=TouchOutcome, default=None)
    duration_seconds: int | None = column("How long it took.", unit=Unit.SECONDS, ge=0, default=None)
    is_automated: bool = column("Sent by a machine, such as an automatic reply.", server_default="false", default=None)
