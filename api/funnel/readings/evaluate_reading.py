"""Evaluating a reading: the stage entries of everybody, by other versions or from the facts known at an instant."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from uuid import UUID

from api.db import WriteSession
from api.funnel.derivation import derived_entries
from api.funnel.readings.applied_reading import AppliedReading, ReadingKey
from api.funnel.readings.kept_evaluations import BASIS_NOW
from api.funnel.readings.known_facts import KNOWN_TABLES, known_rows
from api.funnel.stored_entries import stored_whole
from api.sql import Sql, name
from schema.base import new_id

# Read once for each leaf and stage: a copy costs less than to compute them again. The others are views.
_COPIED = frozenset({"contact_version", "company_version", "deal_version", "contact", "company", "deal"})


async def evaluate_reading(session: WriteSession, applied: AppliedReading, key: ReadingKey) -> UUID:
    """Derive the entries of a reading, and store them as an evaluation that is not kept yet. Return its id.

    Shapes: facts + versions -> stage entries. Writes evaluation (1), stage_entry (all).
    Units:  instants UTC; facts later than now, or than the instant at which they were known, do not count.
    Errors: ValueError unless all statements of the transaction read one snapshot.
    """
    if await session.value(Sql("select current_setting('transaction_isolation')")) != "repeatable read":
        raise ValueError("a reading needs the isolation level REPEATABLE READ")
    evaluation_id, now = new_id(), await session.value(Sql("select clock_timestamp()"))
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, accord_hash, known_at, started_at, basis)"
            " values ({}, {}, {}, {}, {}, {}, {})",
            *(evaluation_id, key.reading.value, key.version_id, key.content_hash, key.known_at, now, BASIS_NOW),
        )
    )
    async with (
        _facts_known_at(session, key.known_at),
        derived_entries(session, applied.periods, key.known_at or now) as derived,
    ):
        await session.run(stored_whole(evaluation_id, derived))
    return evaluation_id


@asynccontextmanager
async def _facts_known_at(session: WriteSession, known_at: datetime | None) -> AsyncIterator[None]:
    """Let the statements of the block read the facts known at an instant: through temporary tables of the same names.

    The statements of an evaluation name their tables without a schema, and PostgreSQL looks for temporary ones first.
    """
    if known_at is None:
        yield
        return
    # A view binds no parameters. The literal has nothing but digits and signs.
    instant = Sql(f"timestamptz '{known_at.astimezone(UTC).isoformat()}'")
    for table in KNOWN_TABLES:
        kind = "table" if table in _COPIED else "view"
        await session.run(Sql(f"create temporary {kind} {{}} as {{}}", name(table), known_rows(table, instant)))
        if kind == "table":
            await session.script(f"analyze pg_temp.{table}")
    # A statement that the connection has prepared would go on reading the tables that it was prepared for.
    await session.script("discard plans")
    yield
    for table in reversed(KNOWN_TABLES):
        await session.script(f"drop {'table' if table in _COPIED else 'view'} pg_temp.{table}")
    await session.script("discard plans")
