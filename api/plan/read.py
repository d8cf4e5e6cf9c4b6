"""Run a selection: one statement, one text of JSON, read back into plain values."""

import orjson

from api.db import ReadSession
from api.plan.emit import statement
from api.plan.selection import Connection, OneRecord


async def read(session: ReadSession, asked: OneRecord | Connection) -> object | None:
    """What a root field answers, in the asked keys; None where the record is not there.

    Shapes: one selection -> one statement -> one JSON value.
    Errors: BAD_INPUT for a cursor that is none of the list.
    """
    text = await session.value(statement(asked))
    return None if text is None else orjson.loads(text)
