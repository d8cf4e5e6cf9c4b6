"""Members: the people who work in our teams."""

from typing import ClassVar
from uuid import UUID

from schema.access.rights import Permission
from schema.base import column, link
from schema.formats import Format
from schema.records import DeactivatableRecord
from schema.vocab import MemberRole


class Member(DeactivatableRecord, table=True):
    """A person who works in one of our teams."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP

    name: str = column("The name of the member; the source system's key if it has no name.", search=True)
    email: str | None = column("E-mail address, in lower case.", format=Format.EMAIL, search=True, default=None)
    team_id: UUID | None = link(
        "team", "The team that the member works in.", back="members", back_doc="The members of the team.", default=None
    )
    manager_id: UUID | None = link(
        "member",
        "The member that this one reports to.",
        back="reports",
        back_doc="The members who report to this one.",
        default=None,
    )
    role: MemberRole | None = column("The main role of the member.", vocab=MemberRole, default=None)
