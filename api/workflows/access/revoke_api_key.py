"""Revoke an API key."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.page_sessions import end_sessions_of_key
from api.sql import Sql
from api.workflows.access.access_rules import begin_access_change, require_administrator, required_id
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.writes.changes import ChangeType

KEY_PATH = ("api_key",)


@dataclass(frozen=True, slots=True)
class RevokeApiKey:
    """The key to revoke."""

    api_key: Reference = argument("The key.", table="api_key")


async def revoke_api_key(work: UnitOfWork, do: RevokeApiKey) -> Outcome:
    """Revoke an API key: it ends at once, on every server. A key that was revoked before stays as it is.

    Shapes: one RevokeApiKey -> the id of the key. Writes api_key (at most 1), page_session (those of the key).
    Errors: NOT_ALLOWED if the principal may not manage access; Rejected if there is no such key, or if nobody who can
            manage access would be left.
    """
    await begin_access_change(work)
    key = await locked_key(work, do.api_key)
    if key["revoked_at"] is None:
        revoke = Sql("update api_key set revoked_at = clock_timestamp() where id = {} returning revoked_at", key["id"])
        after = {"revoked_at": await work.session.value(revoke)}
        await end_sessions_of_key(work.session, key["id"])
        await announce_access_change(work.session)
        await require_administrator(work, KEY_PATH)
        work.record(ChangeType.CHANGED, "api_key", key["id"], before={"revoked_at": None}, after=after)
    return Outcome({"api_key": key["id"]})


async def locked_key(work: UnitOfWork, reference: Reference) -> Mapping[str, Any]:
    """Return the row of a key, locked until the end. Errors: Rejected if there is none."""
    id_ = await required_id(work, "api_key", reference, KEY_PATH)
    row = await work.session.row(Sql("select * from api_key where id = {} for no key update", id_))
    if row is None:
        raise TypeError("an API key was deleted")
    return dict(row)
