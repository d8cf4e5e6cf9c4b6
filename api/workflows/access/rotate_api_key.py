"""Rotate an API key: make its successor, and let the old one work for a while."""

from dataclasses import dataclass, replace
from datetime import timedelta

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import grant_from
from api.sql import Sql
from api.workflows.access.access_rules import begin_access_change, require_grantable
from api.workflows.access.create_api_key import NewKey, store_key
from api.workflows.access.revoke_api_key import KEY_PATH, locked_key
from api.workflows.commands import argument
from api.workflows.outcome import Outcome
from api.workflows.records.record_input import Reference
from api.workflows.unit_of_work import UnitOfWork
from schema.base import now
from schema.writes.changes import ChangeType
from schema.writes.user_errors import UserErrorCode

DEFAULT_OVERLAP, LONGEST_OVERLAP = timedelta(days=1), timedelta(days=90)


@dataclass(frozen=True, slots=True)
class RotateApiKey:
    """The key to rotate, and how long it works beside its successor."""

    api_key: Reference = argument("The key.", table="api_key")
    overlap: timedelta | None = argument("How long the old key still works. If left out, a day.", default=None)


async def rotate_api_key(work: UnitOfWork, do: RotateApiKey) -> Outcome:
    """Make the successor of an API key, which allows the same. The old key works beside it for a while.

    The new key lives as long as the old one was made to live. The old one never works longer than it would have.
    Shapes: one RotateApiKey -> the ids of the new key and of the old one, and the token. Writes api_key (2).
    Errors: NOT_ALLOWED if the principal may not manage access, or has less than the key; Rejected if there is no such
            key, if it is revoked, expired or a demo key, and for an overlap of more than 90 days.
    """
    await begin_access_change(work)
    overlap = DEFAULT_OVERLAP if do.overlap is None else do.overlap
    if overlap > LONGEST_OVERLAP:
        message = f"The overlap is at most {LONGEST_OVERLAP.days} days."
        work.reject(("overlap",), UserErrorCode.INVALID, message)
    old, instant = await locked_key(work, do.api_key), now()
    is_over = old["expires_at"] is not None and old["expires_at"] <= instant
    if old["revoked_at"] is not None or is_over or old["is_demo"]:
        message = "A key that was revoked, has expired, or is a demo key is not rotated. Create a new one."
        work.reject(KEY_PATH, UserErrorCode.WRONG_STATE, message)
    work.require_valid()
    grant = grant_from(old)
    require_grantable(work, grant)
    life = None if old["expires_at"] is None else old["expires_at"] - old["created_at"]
    expires_at = None if life is None else instant + life
    made = await store_key(work, NewKey(old["name"], grant, old["member_id"], expires_at))
    ends_at = min(instant + overlap, old["expires_at"] or instant + overlap)
    await work.session.run(Sql("update api_key set expires_at = {} where id = {}", ends_at, old["id"]))
    await announce_access_change(work.session)
    work.record(
        ChangeType.CHANGED,
        "api_key",
        old["id"],
        before={"expires_at": old["expires_at"]},
        after={"expires_at": ends_at},
    )
    return replace(made, records={**made.records, "rotated": old["id"]})
