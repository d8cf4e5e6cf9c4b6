"""Lists for administrators: the API keys, and the members with what they may do."""

from dataclasses import dataclass
from datetime import datetime
from shlex import quote
from uuid import UUID

from api.access.credentials.grants import Grant, grant_columns, grant_from
from api.db import ReadSession, WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql, join, name
from schema.base import now
from schema.vocab import TeamKind


@dataclass(frozen=True, slots=True)
class ListedKey:
    """An API key, without anything by which it could be used.

    `is_off`: it works for nobody now, although it neither was revoked nor expired. It is a demo key beside real ones,
    or its member has no access.
    """

    id: UUID
    key_id: str
    name: str
    grant: Grant
    member: str | None
    is_demo: bool
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None
    is_off: bool

    @property
    def state(self) -> str:
        """Whether the key works: `works`, `off`, `revoked` or `expired`."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now():
            return "expired"
        return "off" if self.is_off else "works"

    @property
    def has_ended(self) -> bool:
        """Whether the key was revoked or has expired, and never works again."""
        return self.state in ("revoked", "expired")


@dataclass(frozen=True, slots=True)
class ListedMember:
    """A member, and what they may do; None: they may not sign in. `sign_in` is the address by which they do."""

    id: UUID
    name: str
    email: str | None
    team: str | None
    deactivated_at: datetime | None
    access: Grant | None
    sign_in: str | None


@dataclass(frozen=True, slots=True)
class ListedTeam:
    """A team, and how many members it has, those who left not counted."""

    name: str
    kind: TeamKind
    members: int


async def list_teams(session: ReadSession | WriteSession) -> list[ListedTeam]:
    """Return the teams by name, without those that were deactivated."""
    rows = await session.rows(
        Sql(
            "select t.name, t.kind, (select count(*) from member m where m.team_id = t.id and m.deactivated_at is null)"
            " as members from team t where t.deactivated_at is null order by t.name"
        )
    )
    return [ListedTeam(row["name"], TeamKind[row["kind"]], row["members"]) for row in rows]


async def list_keys(session: ReadSession | WriteSession) -> list[ListedKey]:
    """Return all API keys, oldest first."""
    rows = await session.rows(
        Sql(
            "select k.id, k.key_id, k.name, k.is_demo, k.created_at, k.expires_at, k.last_used_at, k.revoked_at,"
            " m.name as member, {}, k.is_demo and exists (select from api_key r where not r.is_demo and r.revoked_at is"
            " null) or k.member_id is not null and (m.deactivated_at is not null or a.member_id is null) as is_off"
            " from api_key k left join member m on m.id = k.member_id"
            " left join member_access a on a.member_id = k.member_id order by k.id",
            join(", ", (Sql("k.{}", name(column)) for column in grant_columns())),
        )
    )
    return [
        ListedKey(
            grant=grant_from(dict(row)),
            **{it: row[it] for it in ListedKey.__dataclass_fields__ if it != "grant"},
        )
        for row in rows
    ]


async def list_members(session: ReadSession | WriteSession) -> list[ListedMember]:
    """Return all members by name, those who were deactivated last."""
    rows = await session.rows(
        Sql(
            "select m.id, m.name, m.email, t.name as team, m.deactivated_at, a.member_id,"
            " a.email as sign_in, {} from member m"
            " left join team t on t.id = m.team_id left join member_access a on a.member_id = m.id"
            " order by m.deactivated_at is not null, m.name, m.id",
            join(", ", (Sql("a.{}", name(column)) for column in grant_columns())),
        )
    )
    return [
        ListedMember(
            *(row["id"], row["name"], row["email"], row["team"], row["deactivated_at"]),
            None if row["member_id"] is None else grant_from(dict(row)),
            row["sign_in"],
        )
        for row in rows
    ]


async def find_member(session: ReadSession | WriteSession, who: str) -> UUID:
    """Return the id of the member that a text names: an e-mail address, an id, or a name.

    Errors: UNKNOWN_VALUE if no member or several have it.
    """
    text = who.strip()
    rows = await session.rows(
        Sql(
            "select id, name, email from member where lower(email) = lower({}) or 'member_' || id = {} or name = {}"
            " order by deactivated_at is not null, id",
            *(text, text, text),
        )
    )
    if len(rows) == 1:
        found: UUID = rows[0]["id"]
        return found
    if rows:
        ids = ", ".join(f"member_{row['id']}" for row in rows[:5])
        raise AccordError(ErrorCode.UNKNOWN_VALUE, f"{len(rows)} members are named '{text}'.", f"Use an id: {ids}.")
    raise AccordError(ErrorCode.UNKNOWN_VALUE, f"There is no member '{text}'.", "See them with `accord member list`.")


async def find_team(session: ReadSession | WriteSession, text: str) -> UUID:
    """Return the id of the team with a name, which is unique. Errors: UNKNOWN_VALUE if no team has it."""
    rows = await session.rows(Sql("select id from team where name = {} and deactivated_at is null", text.strip()))
    if len(rows) == 1:
        found: UUID = rows[0]["id"]
        return found
    names = await session.value(
        Sql("select string_agg(name, ', ' order by name) from team where deactivated_at is null")
    )
    known = f"The teams are: {names}." if names else "There are no teams yet."
    remedy = f"{known} Add one with `accord team add {quote(text)} --kind marketing` (or sales, revops)."
    raise AccordError(ErrorCode.UNKNOWN_VALUE, f"There is no team '{text}'.", remedy)


async def find_listed_key(session: ReadSession | WriteSession, text: str) -> UUID:
    """Return the id of the API key that a text names: the public id in its token, or its name.

    Errors: UNKNOWN_VALUE if no key, of those that have not ended, or several have the name, or no key at all has the
            public id.
    """
    listed = await list_keys(session)
    found = [key for key in listed if key.key_id == text] or [
        key for key in listed if key.name == text and not key.has_ended
    ]
    if len(found) == 1:
        return found[0].id
    if found:
        ids = ", ".join(key.key_id for key in found[:5])
        raise AccordError(ErrorCode.UNKNOWN_VALUE, f"{len(found)} keys are named '{text}'.", f"Use an id: {ids}.")
    raise AccordError(ErrorCode.UNKNOWN_VALUE, f"There is no API key '{text}'.", "See them with `accord key list`.")
