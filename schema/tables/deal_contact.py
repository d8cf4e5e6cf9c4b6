"""Which people have a role in a deal."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link


class DealContact(Table, table=True):
    """The role of a person in a deal."""

    __tablename__ = "deal_contact"
    __plural__: ClassVar[str] = "deal_contacts"
    __table_args__ = (sa.Index("ix_deal_contact_deal_id_primary", "deal_id", postgresql_where=sa.text("is_primary")),)

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="dealRoles",
        back_doc="The deals the person has a role in.",
        primary_key=True,
        index=False,
    )
    deal_id: UUID = link(
        "deal", "The deal.", back="contactRoles", back_doc="The people with a role in it.", primary_key=True
    )
    role: str | None = column("What the person does in the buying, in the source's words.", default=None)
    since: datetime | None = column("Since when; null means as long as the deal.", begins=True, default=None)
    is_primary: bool = column("The main contact of the deal; one at most.", server_default="false", default=None)
