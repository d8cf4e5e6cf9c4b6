"""What members may do when they sign in."""

from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import column, link
from schema.formats import Format
from schema.tables.access.grant_columns import ADMINS_REACH_ALL, GrantColumns


class MemberAccess(GrantColumns, table=True):
    """What one member may do. A member without a row may neither sign in nor have API keys that work."""

    __tablename__ = "member_access"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (sa.CheckConstraint(ADMINS_REACH_ALL, name="admins_reach_all"),)

    member_id: UUID = link("member", "The member.", primary_key=True, index=False)
    # Not the address of the member's record, which whoever edits or imports members may change: they could become
    # somebody else by it.
    email: str | None = column(
        "The e-mail address by which an identity provider knows the member, in lower case; null: they have only keys.",
        format=Format.EMAIL,
        unique=True,
        default=None,
    )
