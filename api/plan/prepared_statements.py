"""Run a selection: one statement, one JSON object, as PostgreSQL wrote it or read back into plain values."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import orjson

from api.access.principal import Principal
from api.access.scope import MEMBER
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.plan.selection import Connection, OneRecord, Root
from api.plan.statement import statement
from api.sql import filled

MOST_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement written once; some of its values are slots, which each run fills."""

    text: str
    values: tuple[object, ...]

    def filled(self, who: Principal, given: Mapping[str, object]) -> "Ready":
        """The statement with the values of one run. Errors: what the reading of a slot raises."""
        return Ready(self.text, filled(self.values, {MEMBER: who.member_id, **given}))


@dataclass(frozen=True, slots=True)
class Ready:
    """A statement with all its values."""

    text: str
    values: Sequence[object]

    async def run(self, database: Database) -> bytes:
        """The JSON of a document's root fields. Errors: TOO_LARGE for more than anybody reads."""
        found: bytes = await database.value(self.text, self.values)
        if len(found) > MOST_BYTES:
            message = f"The answer has {len(found):,} bytes, and may have {MOST_BYTES:,}."
            raise AccordError(ErrorCode.TOO_LARGE, message, "Ask for smaller pages or fewer fields.")
        return found


def prepare(roots: Iterable[Root], who: Principal) -> Prepared:
    """The statement of a document's root fields. Errors: BAD_INPUT for a cursor that is none of its list."""
    return Prepared(*statement(roots, who).render())


async def read_document(database: Database, roots: Sequence[Root], who: Principal) -> Mapping[str, object]:
    """What the root fields of a document answer, in the asked keys; None for a record that is not there.

    Shapes: selections -> one statement -> one JSON object.
    Errors: BAD_INPUT for a cursor that is none of its list; TOO_LARGE.
    """
    found: Mapping[str, object] = orjson.loads(await prepare(roots, who).filled(who, {}).run(database))
    return found


async def read(session: ReadSession, asked: OneRecord | Connection, who: Principal) -> object | None:
    """What one selection answers within a session's snapshot."""
    text = await session.value(statement((Root("it", asked),), who), {MEMBER: who.member_id})
    found: Mapping[str, object] = orjson.loads(text)
    return found["it"]
