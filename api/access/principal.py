"""The principal of a request: who it comes from, what they may do, and which records they reach."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.errors import AccordError, ErrorCode
from schema.access.rights import LOWEST_LEVEL, AccessLevel, Permission, Reach, Right, level_allows
from schema.accord_vocab import SignInMethod

ALL_RIGHTS = frozenset(Right)


@dataclass(frozen=True, slots=True)
class SignedInSession:
    """The session of Accord's pages that a request came with: its id, and how and when the person had signed in."""

    id: UUID
    method: SignInMethod
    signed_in_at: datetime


@dataclass(frozen=True, slots=True)
class Principal:
    """The identity that a request runs as: a member, a machine with an API key, or the operator of this machine.

    Every reach but ALL needs a `member_id`. Without one, no record that has an owner is reached. `credential_id` is the
    id of the API key or session that the request came with; None for the local operator. `session` is that of a page;
    None for a request with a token, which a program may have sent.
    """

    reach: Reach
    member_id: UUID | None = None
    level: AccessLevel = AccessLevel.VIEWER
    rights: frozenset[Right] = frozenset()
    name: str = ""
    credential_id: UUID | None = None
    session: SignedInSession | None = None

    @property
    def plan_key(self) -> Hashable:
        """The part of the principal that the text of a statement depends on.

        Principals with equal keys share a prepared statement. It excludes the member id, because each execution binds
        that as a parameter.
        """
        return self.reach, self.level, Right.PERSONAL_DATA in self.rights

    @property
    def subject(self) -> str:
        """The text that names the principal in stored rows: whose idempotency keys and audit events they are."""
        if self.credential_id is None and self.member_id is None:
            return "local"
        return f"member:{self.member_id}" if self.member_id else f"key:{self.credential_id}"

    def may(self, permission: Permission) -> bool:
        """Return whether the principal's access level has a permission."""
        return level_allows(self.level, permission)

    def has(self, right: Right) -> bool:
        """Return whether the principal has a right."""
        return right in self.rights

    def require(self, permission: Permission) -> None:
        """Require a permission. Errors: NOT_ALLOWED if the principal's access level does not have it."""
        if not self.may(permission):
            raise AccordError(
                ErrorCode.NOT_ALLOWED,
                f"This needs the access level {LOWEST_LEVEL[permission]}; yours is {self.level}.",
                "Use a credential with that level, or ask an administrator for it.",
            )


LOCAL_OPERATOR = Principal(Reach.ALL, level=AccessLevel.ADMIN, rights=ALL_RIGHTS, name="local operator")
"""Whoever works on the machine itself: the command line, and loopback requests while there are no credentials."""
