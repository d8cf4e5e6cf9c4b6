"""Revoke an API key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.sql import Sql
from api.workflows.access.access_rules import begin_access_change, rejected, require_administrator
from api.workflows.outcome import Outcome
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

KEY_PATH = ("id",)


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """The id of the key to revoke."""

    id: UUID


async def revoke_key(work: UnitOfWork, do: RevokeKey) -> Outcome:
    """Revoke an API key: it ends at the commit, on every process. A key that was revoked stays as it is.

    Shapes: one RevokeKey -> the id of the key. Writes api_key (at most 1).
    Errors: NOT_ALLOWED if the principal may not manage access; Rejected if there is no such key, or if nobody who can
            manage access would be left.
    """
    await begin_access_change(work)
    key = await locked_key(work, do.id)
    if key["revoked_at"] is None:
        revoked_at = await work.session.value(
            Sql("update api_key set revoked_at = clock_timestamp() where id = {} returning revoked_at", do.id)
        )
        await announce_access_change(work.session)
        await require_administrator(work, KEY_PATH)
        work.record(ChangeType.CHANGED, "api_key", do.id, before={"revoked_at": None}, after={"revoked_at": revoked_at})
    return Outcome({"api_key": do.id})


async def locked_key(work: UnitOfWork, id_: UUID) -> Mapping[str, Any]:
    """Return the row of a key, locked until the end. Errors: Rejected if there is none."""
    row = await work.session.row(Sql("select * from api_key where id = {} for no key update", id_))
    if row is None:
        raise rejected(KEY_PATH, UserErrorCode.NOT_FOUND, "There is no API key with this id.")
    return dict(row)
