"""A person who works in one of the teams."""

from uuid import UUID

from schema.base import Record, column, link
from schema.vocab import MemberRole


class Member(Record, table=True):
    """A person of our own who works in one of the teams."""

    name: str = column("The person's name, or the source's key where it tells no name.", search=True)
    email: str | None = column("The person's e-mail address.", search=True, default=None)
    team_id: UUID | None = link(
        "team", "The team the person works in.", back="members", back_doc="The people of the team.", default=None
    )
    manager_id: UUID | None = link(
        "member", "Whom the person reports to.", back="reports", back_doc="Who reports to this person.", default=None
    )
    role: MemberRole | None = column("What the person mainly does.", vocab=MemberRole, default=None)
