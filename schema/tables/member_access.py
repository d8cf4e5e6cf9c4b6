"""What members may do when they sign in."""

from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import link
from schema.tables.grant_columns import ADMINS_REACH_ALL, GrantColumns


class MemberAccess(GrantColumns, table=True):
    """What one member may do. A member without a row may neither sign in nor have API keys that work."""

    __tablename__ = "member_access"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (sa.CheckConstraint(ADMINS_REACH_ALL, name="admins_reach_all"),)

    member_id: UUID = link("member", "The member.", primary_key=True, index=False)
