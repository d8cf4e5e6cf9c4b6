"""The principals of members who signed in: found by e-mail address, or by the id that a session stores."""

import logging
from uuid import UUID

import orjson

from api.access.credentials.grants import grant_columns, grant_from
from api.access.principal import Principal
from api.db import Database

logger = logging.getLogger("accord.access")

_COLUMNS = ", ".join(f"'{name}', access.{name}" for name in grant_columns())
# Members without access, and those who were deactivated, are not found.
_MEMBERS = f"""
    select json_agg(json_build_object('id', member.id, 'name', member.name, {_COLUMNS}))
    from member join member_access access on access.member_id = member.id
    where member.deactivated_at is null and """


async def member_with_email(database: Database, email: str) -> Principal | None:
    """Return the principal of the member with an e-mail address; None if there is none who may sign in, or several.

    Shapes: an address as members' addresses are stored -> a principal without `credential_id`.
    """
    found = await _members(database, "member.email = $1", email)
    if len(found) > 1:
        # Other systems may give two members one address. Which of them signs in must not depend on chance.
        logger.warning("Nobody can sign in as %a: %d members with access have this address", email, len(found))
    return found[0] if len(found) == 1 else None


async def member_with_id(database: Database, member_id: UUID) -> Principal | None:
    """Return the principal of a member; None if the member may not sign in any more."""
    found = await _members(database, "member.id = $1", member_id)
    return found[0] if found else None


async def _members(database: Database, condition: str, value: object) -> list[Principal]:
    rows = orjson.loads(await database.value(_MEMBERS + condition, (value,)) or b"[]")
    return [_principal(row) for row in rows]


def _principal(row: dict[str, object]) -> Principal:
    grant = grant_from(row)
    return Principal(
        grant.reach, UUID(str(row["id"])), level=grant.level, rights=grant.rights, name=str(row["name"] or "")
    )
