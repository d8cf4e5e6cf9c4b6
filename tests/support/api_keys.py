"""API keys in the database of a test."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from api.access.credentials.access_cache import announce_access_change
from api.access.credentials.grants import Grant, stored_grant
from api.access.credentials.tokens import Token, make_token
from api.db import Database
from api.sql import Sql, join, name
from schema.access.rights import AccessLevel, Reach, Right
from schema.base import new_id

EVERYTHING = Grant(AccessLevel.ADMIN, Reach.ALL, frozenset(Right))


async def stored_key(
    database: Database,
    grant: Grant = EVERYTHING,
    *,
    member_id: UUID | None = None,
    is_demo: bool = False,
    expires_at: datetime | None = None,
    revoked_at: datetime | None = None,
) -> Token:
    """Store an API key as it is, without the rules of the workflow that makes keys; return its token."""
    token = make_token()
    values = {
        "id": new_id(),
        "name": "a test",
        "key_id": token.key_id,
        "secret_hash": token.secret_hash,
        "member_id": member_id,
        "is_demo": is_demo,
        "expires_at": expires_at,
        "revoked_at": revoked_at,
    }
    async with database.write() as session:
        await session.run(_insert("api_key", values | stored_grant(grant)))
        await announce_access_change(session)
    return token


async def stored_member(database: Database, grant: Grant | None = EVERYTHING, *, member_name: str = "Ada") -> UUID:
    """Store a member who may do what the grant says; None: nothing. Return the member's id."""
    id_ = new_id()
    async with database.write() as session:
        await session.run(_insert("member", {"id": id_, "name": member_name}))
    if grant is not None:
        await stored_access(database, id_, grant)
    return id_


async def stored_access(database: Database, member_id: UUID, grant: Grant) -> None:
    """Store what a member may do, as it is."""
    async with database.write() as session:
        await session.run(_insert("member_access", {"member_id": member_id, **stored_grant(grant)}))
        await announce_access_change(session)


def _insert(table: str, values: Mapping[str, object]) -> Sql:
    bound = join(", ", (Sql("{}", value) for value in values.values()))
    return Sql("insert into {} ({}) values ({})", name(table), join(", ", map(name, values)), bound)
