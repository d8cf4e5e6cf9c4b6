"""The roles of people in deals."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link
from schema.records import VOIDED_AT


class DealContact(Table, table=True):
    """The role of a person in a deal."""

    __tablename__ = "deal_contact"
    __plural__: ClassVar[str] = "deal_contacts"
    __keeps_corrections__: ClassVar[bool] = True
    __table_args__ = (sa.Index("ix_deal_contact_deal_id_primary", "deal_id", postgresql_where=sa.text("is_primary")),)

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="dealRoles",
        back_doc="The person's roles in deals.",
        primary_key=True,
        index=False,
    )
    deal_id: UUID = link(
        "deal", "The deal.", back="contactRoles", back_doc="The people with a role in the deal.", primary_key=True
    )
    role: str | None = column(
        "What the person does in the purchase, such as decision maker, as the source system writes it.", default=None
    )
    since: datetime | None = column(
        "Since when the person has the role; null means since the deal began.", begins=True, default=None
    )
    is_primary: bool = column(
        "True for the main contact of the deal. A deal has one at most.", server_default="false", default=None
    )
    recorded_at: datetime | None = column(
        "When Accord stored the role; null if that was before Accord kept it.",
        hidden=True,
        server_default="now()",
        default=None,
    )
    voided_at: datetime | None = column(VOIDED_AT, hidden=True, default=None)
