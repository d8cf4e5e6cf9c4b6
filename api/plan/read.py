"""Run a selection: one statement, one JSON object, read back into plain values."""

from collections.abc import Iterable, Mapping

import orjson

from api.access.principal import Principal
from api.access.scope import MEMBER
from api.db import ReadSession
from api.plan.emit import statement
from api.plan.selection import Connection, OneRecord, Root


async def read_roots(session: ReadSession, roots: Iterable[Root], who: Principal) -> Mapping[str, object]:
    """What the root fields of a document answer, in the asked keys; None for a record that is not there.

    Shapes: selections -> one statement -> one JSON object.
    Errors: BAD_INPUT for a cursor that is none of its list.
    """
    found: Mapping[str, object] = orjson.loads(await session.value(statement(roots, who), {MEMBER: who.member_id}))
    return found


async def read(session: ReadSession, asked: OneRecord | Connection, who: Principal) -> object | None:
    """What one selection answers, as `read_roots`."""
    return (await read_roots(session, (Root("it", asked),), who))["it"]
