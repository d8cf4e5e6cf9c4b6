"""People who agree on versions of the accord, and the verbs that they use."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from uuid import UUID

from api.access.principal import ALL_RIGHTS, LOCAL_OPERATOR, Principal, SignedInSession
from api.accord.documents import read_accord
from api.db import Database, WriteSession
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.access.rights import AccessLevel, Reach
from schema.accord import Accord
from schema.accord_vocab import SignInMethod
from schema.base import new_id, now
from tests.support.graphql import put, uid
from tests.support.mutations import run

MARKETING, SALES, REVOPS = uid(801), uid(802), uid(803)
MIA, MAX, SAM, SUE, RHEA = uid(811), uid(812), uid(821), uid(822), uid(831)
"""Two marketers, two sellers, and one of revenue operations."""
_TEAMS = {MARKETING: "MARKETING", SALES: "SALES", REVOPS: "REVOPS"}
_MEMBERS = {MIA: MARKETING, MAX: MARKETING, SAM: SALES, SUE: SALES, RHEA: REVOPS}
NAMES = {MIA: "Mia", MAX: "Max", SAM: "Sam", SUE: "Sue", RHEA: "Rhea"}


def signed_in(
    member: UUID | None, *, ago: timedelta = timedelta(0), level: AccessLevel = AccessLevel.CONTRIBUTOR
) -> Principal:
    """Return a member in a session of the pages, opened so long ago."""
    session = SignedInSession(uid(900), SignInMethod.API_KEY, now() - ago)
    return Principal(Reach.ALL, member, level, ALL_RIGHTS, NAMES.get(member, "key"), new_id(), session)  # type: ignore[arg-type]


def operator() -> Principal:
    """Return somebody of revenue operations who activates versions."""
    return signed_in(RHEA, level=AccessLevel.OPERATOR)


async def write_people(session: WriteSession) -> None:
    """Insert the teams and the members."""
    for id_, kind in _TEAMS.items():
        await put(session, "team", {"id": id_, "name": kind.title(), "kind": kind})
    for id_, team in _MEMBERS.items():
        await put(session, "member", {"id": id_, "name": NAMES[id_], "team_id": team})


async def adopt(session: WriteSession) -> Accord:
    """Adopt the standard accord as version 1, with the people who may sign."""
    accord = read_accord("standard")
    await adopt_accord(session, accord)
    await write_people(session)
    return accord


def document(title: str, accord: Accord | None = None) -> str:
    """Return the canonical text of an accord with another title."""
    return (accord or read_accord("standard")).model_copy(update={"title": title}).canonical()


async def call(database: Database, who: Principal, mutation: str, /, **given: object) -> dict[str, Any]:
    """Run a verb. Return its payload, with the fields that all verbs have."""
    payload: dict[str, Any] = await run(database, mutation, "accord { version }", given, who)
    return payload


async def propose(database: Database, title: str, who: Principal = LOCAL_OPERATOR) -> int:
    """Propose the standard accord with another title, and submit it. Return the number of the version."""
    return await propose_document(database, Accord.model_validate_json(document(title)), who)


async def propose_document(database: Database, accord: Accord, who: Principal = LOCAL_OPERATOR) -> int:
    """Propose a document, and submit it. Return the number of the version."""
    proposed = await call(database, who, "proposeAccord", document=accord.canonical())
    assert not proposed["userErrors"], proposed
    number: int = await newest(database)
    submitted = await call(database, who, "submitAccord", version=number)
    assert not submitted["userErrors"], submitted
    return number


async def newest(database: Database) -> int:
    """The number of the newest version."""
    async with database.read() as session:
        number: int = await session.value(Sql("select max(number) from accord_version"))
    return number


async def version(database: Database, number: int) -> Mapping[str, Any]:
    """The row of a version."""
    async with database.read() as session:
        row = await session.row(Sql("select * from accord_version where number = {}::int8", number))
    assert row is not None
    return dict(row)


async def write_preview(database: Database, number: int, **columns: object) -> str:
    """Insert a preview of a version as it is now. Return its id."""
    of = await version(database, number)
    id_ = new_id()
    row = {
        "id": id_,
        "accord_version_id": of["id"],
        "content_hash": of["content_hash"],
        "compared_to_id": of["base_id"] or of["id"],
        "compared_hash": of["base_hash"] or of["content_hash"],
        "starts_on": now().date(),
        "before": now().date() + timedelta(days=1),
        "figures": {},
    }
    async with database.write() as session:
        await put(session, "accord_preview", row | columns)
    return f"accord_preview_{id_}"


async def sign(database: Database, number: int, member: UUID, **given: object) -> dict[str, Any]:
    """Sign the present document of a version, on a preview of it."""
    preview = await write_preview(database, number)
    content_hash = (await version(database, number))["content_hash"]
    values = {"version": number, "hash": content_hash, "previewId": preview} | given
    return await call(database, signed_in(member), "signAccord", **values)


async def sign_by_both(database: Database, number: int) -> None:
    """Sign a version by Mia for marketing and by Sam for sales."""
    for member in (MIA, SAM):
        signed = await sign(database, number, member)
        assert not signed["userErrors"], signed
