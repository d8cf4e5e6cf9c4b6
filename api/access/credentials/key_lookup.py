"""Looking up API keys: what the database knows of a key, and the principal that it makes."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import orjson

from api.access.credentials.access_cache import AccessCache
from api.access.credentials.grants import grant_columns, grant_from
from api.access.principal import Principal
from api.db import Database
from api.sql import Sql, join, name


@dataclass(frozen=True, slots=True)
class StoredKey:
    """An API key as the database knows it, with the member whose key it is.

    `grant` is what the key allows by itself, and `principal` whom its requests run as. `problem` says why it works for
    nobody, whenever it is used; it is empty for a key that works until `expires_at`.
    """

    id: UUID
    secret_hash: str = field(repr=False)
    is_demo: bool
    expires_at: datetime | None
    problem: str
    principal: Principal

    def problem_at(self, instant: datetime) -> str:
        """Return why the key does not work at an instant; empty if it does."""
        if not self.problem and self.expires_at is not None and self.expires_at <= instant:
            return f"The API key expired at {self.expires_at:%Y-%m-%d %H:%M} UTC."
        return self.problem


class ApiKeys:
    """The API keys of a database, looked up through a cache."""

    def __init__(self, database_of: Callable[[], Database], cache: AccessCache) -> None:
        self._database_of = database_of
        self._cache = cache

    async def find(self, key_id: str) -> StoredKey | None:
        """Return the API key with a public id; None if there is none."""
        return await self._cache.get(("api_key", key_id), lambda: find_key(self._database_of(), key_id))

    async def are_real(self) -> bool:
        """Return whether there are real keys (`has_real_keys`)."""
        return bool(await self._cache.get("real_keys", lambda: has_real_keys(self._database_of())))


async def find_key(database: Database, key_id: str) -> StoredKey | None:
    """Return the API key with a public id; None if there is none. One statement, by a unique index."""
    text, values = Sql("{} where k.key_id = {}", _KEY, key_id).render()
    found = await database.value(text, values)
    return None if found is None else _stored_key(orjson.loads(found))


async def has_real_keys(database: Database) -> bool:
    """Return whether a key exists that is no demo key and was not revoked.

    An expired key counts: otherwise the end of the last key would open the server to everyone on its machine.
    """
    return bool(
        await database.value("select exists (select from api_key where not is_demo and revoked_at is null)", ())
    )


async def count_real_keys(database: Database) -> int:
    """Return the number of the keys that `has_real_keys` looks for."""
    return int(await database.value("select count(*) from api_key where not is_demo and revoked_at is null", ()))


def _columns_of(alias: str) -> Sql:
    """Return the name and value of every column of a grant, as arguments of `json_build_object`."""
    return join(", ", (Sql(f"'{column}', {{}}.{{}}", name(alias), name(column)) for column in grant_columns()))


_MEMBER = Sql(
    "(select json_build_object('id', m.id, 'name', m.name, 'is_active', m.deactivated_at is null, 'access',"
    " (select json_build_object({}) from member_access a where a.member_id = m.id))"
    " from member m where m.id = k.member_id)",
    _columns_of("a"),
)
_KEY = Sql(
    "select json_build_object('id', k.id, 'name', k.name, 'secret_hash', k.secret_hash, 'is_demo', k.is_demo,"
    " 'expires_at', k.expires_at, 'is_revoked', k.revoked_at is not null, {}, 'member', {})::text from api_key k",
    _columns_of("k"),
    _MEMBER,
)


def _stored_key(row: dict[str, object]) -> StoredKey:
    member = row["member"] if isinstance(row["member"], dict) else None
    grant, problem = grant_from(row), ""
    if row["is_revoked"]:
        problem = "The API key was revoked."
    elif member is not None and not member["is_active"]:
        problem = "The API key belongs to a member who was deactivated."
    elif member is not None and member["access"] is None:
        problem = "The API key belongs to a member who has no access."
    elif member is not None:
        grant = grant.within(grant_from(member["access"]))
    id_, expires_at = UUID(str(row["id"])), row["expires_at"]
    return StoredKey(
        id_,
        str(row["secret_hash"]),
        bool(row["is_demo"]),
        None if expires_at is None else datetime.fromisoformat(str(expires_at)),
        problem,
        Principal(
            grant.reach,
            None if member is None else UUID(member["id"]),
            grant.level,
            grant.rights,
            str(row["name"] if member is None else member["name"]),
            id_,
        ),
    )
