"""The principals of members who signed in: found by the address that the identity provider verified, or by their id."""

from collections.abc import Callable
from uuid import UUID

import orjson

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.grants import grant_columns, grant_from
from api.access.principal import Principal
from api.db import Database

_COLUMNS = ", ".join(f"'{name}', access.{name}" for name in grant_columns())
# Members without access, and those who were deactivated, are not found.
_MEMBER = f"""
    select json_build_object('id', member.id, 'name', member.name, {_COLUMNS})::text
    from member join member_access access on access.member_id = member.id
    where member.deactivated_at is null and """


class MemberPrincipals:
    """The principals of members who may sign in, looked up through a cache.

    Their `credential_id` is None. Every change of a member's access empties the cache.
    """

    def __init__(self, database_of: Callable[[], Database], cache: AccessCache) -> None:
        self._database_of = database_of
        self._cache = cache

    async def with_email(self, email: str) -> Principal | None:
        """Return the member who signs in by an address, in lower case; None if there is none who may sign in."""
        return await self._cache.get(("member_email", email), lambda: self._find("access.email = $1", email))

    async def with_id(self, member_id: UUID) -> Principal | None:
        """Return the member with an id; None if the member may not sign in any more."""
        return await self._cache.get(("member", member_id), lambda: self._find("member.id = $1", member_id))

    async def _find(self, condition: str, value: object) -> Principal | None:
        found = await self._database_of().value(_MEMBER + condition, (value,))
        if found is None:
            return None
        row = orjson.loads(found)
        grant = grant_from(row)
        return Principal(grant.reach, UUID(row["id"]), level=grant.level, rights=grant.rights, name=row["name"] or "")
