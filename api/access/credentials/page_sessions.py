"""Sessions of Accord's own pages, as rows: opened, found by their token, used, ended.

A session stores no right: each request reads what the member or the key may do now. So a session ends at once with
the key that opened it, with the access of its member, and when the member is deactivated.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import orjson

from api.access.principal import SignedInSession
from api.db import Database, WriteSession
from api.sql import Sql
from schema.accord_vocab import SignInMethod
from schema.base import new_id

USE_RECORDED_SECONDS = 60
"""How often the use of a session is recorded at most."""

_SESSION = """
    select json_build_array(s.id, s.member_id, k.key_id, s.last_used_at < now() - make_interval(secs => $2),
      s.signed_in_at)::text
    from page_session s left join api_key k on k.id = s.api_key_id
    where s.token_hash = $1 and s.revoked_at is null and s.idle_expires_at > now() and s.expires_at > now()"""


@dataclass(frozen=True, slots=True)
class SessionLimits:
    """How long a session lasts without being used, and in any case."""

    idle: timedelta
    total: timedelta


@dataclass(frozen=True, slots=True)
class FoundSession:
    """A session that has not ended: its member, or the public id of its key, and whether its use is to be recorded.

    `signed_in_at` is when the person proved who they are.
    """

    id: UUID
    member_id: UUID | None
    key_id: str | None
    is_use_due: bool
    signed_in_at: datetime

    @property
    def signed_in(self) -> SignedInSession:
        """How and when the person signed in, as a signature has it."""
        method = SignInMethod.OIDC if self.member_id is not None else SignInMethod.API_KEY
        return SignedInSession(self.id, method, self.signed_in_at)


async def open_session(
    session: WriteSession,
    limits: SessionLimits,
    *,
    member_id: UUID | None = None,
    api_key_id: UUID | None = None,
    signed_in_at: datetime | None = None,
) -> str:
    """Open a session for a member or a key, and return its token: 256 random bits, of which only a hash is stored.

    Shapes: a member id or a key id -> a token. Writes page_session (1).
    Units:  `signed_in_at` is when the person proved who they are; now if None.
    """
    token = secrets.token_urlsafe(32)
    await session.run(
        Sql(
            "insert into page_session (id, token_hash, member_id, api_key_id, signed_in_at, last_used_at,"
            " idle_expires_at, expires_at) values ({}, {}, {}, {}, coalesce({}, now()), now(),"
            " now() + {}::interval, now() + {}::interval)",
            new_id(),
            _hash(token),
            member_id,
            api_key_id,
            signed_in_at,
            limits.idle,
            limits.total,
        )
    )
    return token


async def find_session(database: Database, token: str) -> FoundSession | None:
    """Return the session of a token; None if there is none, or if it has ended.

    Shapes: a token -> a session. Reads one row by a unique index.
    """
    found = await database.value(_SESSION, (_hash(token), USE_RECORDED_SECONDS))
    if found is None:
        return None
    row_id, member_id, key_id, is_use_due, signed_in_at = orjson.loads(found)
    return FoundSession(
        UUID(row_id),
        UUID(member_id) if member_id else None,
        key_id,
        is_use_due,
        datetime.fromisoformat(signed_in_at),
    )


async def record_use(session: WriteSession, session_id: UUID, limits: SessionLimits) -> None:
    """Record that a session was used, which moves the end that it has when idle. A session that ended stays ended."""
    await session.run(
        Sql(
            "update page_session set last_used_at = now(), idle_expires_at = now() + {}::interval"
            # Requests at the same moment, of any process: whoever comes second finds it recorded.
            " where id = {} and revoked_at is null and idle_expires_at > now()"
            " and last_used_at < now() - make_interval(secs => {})",
            limits.idle,
            session_id,
            USE_RECORDED_SECONDS,
        )
    )


async def end_session(session: WriteSession, token: str) -> None:
    """End the session of a token, if there is one."""
    await _end(session, Sql("token_hash = {}", _hash(token)))


async def end_sessions_of_member(session: WriteSession, member_id: UUID) -> int:
    """End the sessions of a member: those of the identity provider, and those opened with a key of the member.

    Return the number of those that had not ended before.
    """
    return await _end(
        session,
        Sql(
            "(member_id = {} or api_key_id in (select id from api_key where api_key.member_id = {}))",
            member_id,
            member_id,
        ),
    )


async def end_sessions_of_key(session: WriteSession, api_key_id: UUID) -> None:
    """End the sessions that a key opened."""
    await _end(session, Sql("api_key_id = {}", api_key_id))


async def prune_sessions(session: WriteSession) -> int:
    """Delete the sessions that have ended, and return their number."""
    tag = await session.run(
        Sql("delete from page_session where revoked_at is not null or least(idle_expires_at, expires_at) <= now()")
    )
    return int(tag.rpartition(" ")[2])


async def _end(session: WriteSession, condition: Sql) -> int:
    tag = await session.run(
        Sql(
            "update page_session set revoked_at = now() where revoked_at is null"
            " and least(idle_expires_at, expires_at) > now() and {}",
            condition,
        )
    )
    return int(tag.rpartition(" ")[2])


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
