"""What the verbs of versions have in common: who may begin one, the version that it names, and how it is written.

Verbs of versions run one after another: each locks the table of the versions first, so that what it checked still
holds when it writes. While a version is activated, they are BUSY.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.accord.unknown_version import unknown_version
from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.outbox.record_changes import RecordChange
from api.sql import Sql, join, name
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.access.rights import Permission, Reach
from schema.accord_vocab import AccordStatus
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

TABLE, SIGNATURE_TABLE, COMMENT_TABLE = "accord_version", "accord_signature", "accord_comment"
NUMBER = "version"
"""The name of the value of an outcome: the number of the version."""

OPEN = (AccordStatus.DRAFT, AccordStatus.IN_REVIEW, AccordStatus.CHANGES_REQUESTED, AccordStatus.SIGNED)
IN_FORCE_ONCE = (AccordStatus.ACTIVE, AccordStatus.SUPERSEDED)
_STATES = {
    AccordStatus.ACTIVE: "is in force",
    AccordStatus.SUPERSEDED: "was in force, and a later one replaced it",
    AccordStatus.WITHDRAWN: "was withdrawn",
    AccordStatus.DRAFT: "is a draft",
    AccordStatus.IN_REVIEW: "is in review",
    AccordStatus.CHANGES_REQUESTED: "waits for changes that were requested",
    AccordStatus.SIGNED: "is signed by both teams",
}
# What to do about a version in a state that a verb does not allow, unless the verb says it.
_REMEDIES = {
    AccordStatus.ACTIVE: "To change it, propose a new version.",
    AccordStatus.SUPERSEDED: "To go back to it, propose a new version with its content.",
    AccordStatus.WITHDRAWN: "To take it up again, propose a new version with its content.",
    AccordStatus.DRAFT: "Submit it first.",
    AccordStatus.IN_REVIEW: "Both teams sign it, or request changes.",
    AccordStatus.CHANGES_REQUESTED: "Edit it or resolve the requests, and submit it again.",
    AccordStatus.SIGNED: "Activate it; to change it, revoke your signature or edit the version.",
}
# The document itself would fill the audit: its hash names it.
_NOT_RECORDED = frozenset({"document", "body"})


@dataclass(frozen=True, slots=True)
class LockedVersion:
    """The row of a version, locked until the end of the transaction."""

    row: Mapping[str, Any]

    @property
    def id(self) -> UUID:
        """The id of the version."""
        id_: UUID = self.row["id"]
        return id_

    @property
    def number(self) -> int:
        """The number of the version."""
        return int(self.row["number"])

    @property
    def status(self) -> AccordStatus:
        """The status of the version."""
        return AccordStatus[self.row["status"]]

    @property
    def content_hash(self) -> str:
        """The hash of its present document."""
        return str(self.row["content_hash"])

    @property
    def is_open(self) -> bool:
        """Whether it can still change."""
        return self.status in OPEN

    @property
    def is_provisional(self) -> bool:
        """Whether it is the first version, in force, and not signed by both teams yet."""
        return self.status is AccordStatus.ACTIVE and self.row["signed_at"] is None


async def begin_accord_change(work: UnitOfWork, permission: Permission) -> None:
    """Require a permission and the reach ALL, and wait for other changes of versions.

    Errors: NOT_ALLOWED; what PostgreSQL raises if the lock is not had in time.
    """
    work.principal.require(permission)
    if work.principal.reach is not Reach.ALL:
        raise AccordError(
            ErrorCode.NOT_ALLOWED,
            f"The accord holds for everybody. This needs the reach {Reach.ALL}; yours is {work.principal.reach}.",
            "Use a credential with that reach, or ask an administrator for it.",
        )
    await lock_versions(work.session)


async def lock_versions(session: WriteSession) -> None:
    """Wait for other changes of versions, and keep them out until the transaction ends. Readers go on."""
    await session.run(Sql("lock table accord_version in share row exclusive mode"))


async def find_version(session: WriteSession, number: int) -> LockedVersion | None:
    """Return the version of a number; None if there is none."""
    row = await session.row(Sql("select * from accord_version where number = {}::numeric", number))
    return None if row is None else LockedVersion(dict(row))


async def named_version(
    work: UnitOfWork, number: int, allowed: Collection[AccordStatus], remedy: str = ""
) -> LockedVersion:
    """Return the version that a command names.

    `remedy` is a sentence for the error. What to do about an open version follows from its status without one.

    Errors: Rejected if there is none, or if its status is not one of the allowed ones.
    """
    version = await find_version(work.session, number)
    if version is None:
        work.reject((NUMBER,), UserErrorCode.NOT_FOUND, str(await unknown_version(work.session, number)))
    elif version.status not in allowed:
        follows = "" if remedy and version.is_open else _REMEDIES[version.status]
        message = " ".join(filter(None, (f"Version {number} {_STATES[version.status]}.", remedy, follows)))
        work.reject((NUMBER,), UserErrorCode.WRONG_STATE, message)
    work.require_valid()
    if version is None:
        raise TypeError("a valid command names a version")
    return version


def check_expected(work: UnitOfWork, version: LockedVersion, expected: int | None) -> None:
    """Reject a change of a version that somebody changed since it was read."""
    if expected is not None and expected != version.row["row_version"]:
        message = f"The version has row version {version.row['row_version']}, not {expected}. Read it again."
        work.reject(("expected_version",), UserErrorCode.STALE_VERSION, message)


async def write_version(session: WriteSession, version: LockedVersion, after: Mapping[str, Any]) -> list[RecordChange]:
    """Write the columns of a version that differ; return the change, for the audit."""
    changed = {column: value for column, value in after.items() if version.row[column] != value}
    if not changed:
        return []
    assigned = join(", ", (Sql("{} = {}", name(column), value) for column, value in changed.items()))
    await session.run(
        Sql(
            "update accord_version set {}, updated_at = now(), row_version = row_version + 1 where id = {}",
            assigned,
            version.id,
        )
    )
    shown = {column: value for column, value in changed.items() if column not in _NOT_RECORDED}
    before = {column: version.row[column] for column in shown}
    return [RecordChange(ChangeType.CHANGED, TABLE, version.id, before, shown)]


async def void_signatures(session: WriteSession, version: LockedVersion, reason: str) -> list[RecordChange]:
    """Void the signatures of a version that count; return the changes, for the audit."""
    rows = await session.rows(
        Sql(
            "update accord_signature set voided_at = clock_timestamp(), void_reason = {}"
            " where accord_version_id = {} and voided_at is null returning id, voided_at",
            reason,
            version.id,
        )
    )
    return [
        RecordChange(
            ChangeType.CHANGED,
            SIGNATURE_TABLE,
            row["id"],
            {"voided_at": None, "void_reason": None},
            {"voided_at": row["voided_at"], "void_reason": reason},
        )
        for row in rows
    ]


def record_changes(work: UnitOfWork, changes: Collection[RecordChange]) -> None:
    """Record the changes of `write_version` and `void_signatures` in a unit of work."""
    for change in changes:
        work.record(change.change_type, change.record_type, change.record_id, before=change.before, after=change.after)


def version_outcome(number: int, **values: object) -> Outcome:
    """Return the outcome of a verb: the number of the version that its payload shows."""
    return Outcome(values={NUMBER: number, **values})
