"""The columns of a table that say what somebody may do."""

from typing import ClassVar

import sqlalchemy as sa

from schema.access.rights import AccessLevel, Reach, Right
from schema.base import Table, column

# Who administers access does it for everybody.
ADMINS_REACH_ALL = "level <> 'ADMIN' or reach = 'ALL'"


class GrantColumns(Table):
    """The base class of tables whose rows grant access: a level, a reach, and each right as a column of its own."""

    __table_args__: ClassVar[tuple[sa.Constraint, ...]] = ()

    level: AccessLevel = column("The access level: what may be done.", vocab=AccessLevel)
    reach: Reach = column("The reach: which records.", vocab=Reach)
    has_personal_data: bool = column(
        f"Whether it includes the right {Right.PERSONAL_DATA}. {Right.PERSONAL_DATA.doc}",
        server_default="false",
        default=None,
    )
    has_export: bool = column(
        f"Whether it includes the right {Right.EXPORT}. {Right.EXPORT.doc}", server_default="false", default=None
    )


def right_column(right: Right) -> str:
    """Return the name of the column that grants a right."""
    return f"has_{right.value.lower()}"
