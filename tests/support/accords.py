"""Versions of the accord as rows, for tests that need another document than a workflow would write."""

import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

from api.accord.in_force import AccordPeriod
from api.db import ScratchSession, WriteSession
from api.sql import Sql, join, name
from schema.accord import FORMAT, Accord
from schema.base import new_id

_CASTS = {"number": "::int", "format": "::int", "body": "::jsonb"}
Document = Accord | Mapping[str, Any]


def accord_row(document: Document, **columns: object) -> dict[str, object]:
    """The row of a version whose document may leave out sections that the test does not read."""
    text = _text(document)
    row = {"number": 1, "status": "ACTIVE", "format": FORMAT, "document": text, "body": json.loads(text)}
    return row | {"content_hash": hashlib.sha256(text.encode()).hexdigest()} | columns


@asynccontextmanager
async def unguarded(session: ScratchSession) -> AsyncIterator[None]:
    """Write versions and signatures in the block as no workflow does: without triggers and foreign keys."""
    await session.script("set local session_replication_role = replica")
    yield
    await session.script("set local session_replication_role = origin")


async def replace_document(session: WriteSession, document: Document) -> None:
    """Give every version another document, which no workflow does: signed history never changes."""
    text = _text(document)
    async with unguarded(session):
        await session.run(
            Sql(
                "update accord_version set document = {}::text, body = {}::text::jsonb,"
                " content_hash = encode(sha256(convert_to({}::text, 'UTF8')), 'hex')",
                text,
                text,
                text,
            )
        )


async def delete_versions(session: WriteSession) -> None:
    """Delete every version, which no workflow does."""
    async with unguarded(session):
        await session.script("delete from accord_version")


def _text(document: Document) -> str:
    return document.canonical() if isinstance(document, Accord) else json.dumps(document)


async def add_version(session: WriteSession, document: Document, number: int, status: str = "DRAFT") -> None:
    """Add a version that replaces or is to replace version 1."""
    row = accord_row(document, number=number, status=status, base_id=None, base_hash=None)
    names = [column for column in row if not column.startswith("base_")]
    await session.run(
        Sql(
            "insert into accord_version (id, base_id, base_hash, {}) select {}::uuid, id, content_hash, {}"
            " from accord_version where number = 1",
            join(", ", map(name, names)),
            new_id(),
            join(", ", (Sql("{}" + _CASTS.get(column, ""), row[column]) for column in names)),
        )
    )


async def replace_versions(session: WriteSession, periods: Sequence[AccordPeriod]) -> None:
    """Make some versions the only ones: each in force in its period, the last one active."""
    await delete_versions(session)
    base: Mapping[str, object] = {"id": None, "content_hash": None}
    for number, period in enumerate(periods, start=1):
        row = accord_row(
            period.accord,
            id=period.version_id,
            number=number,
            status="ACTIVE" if period is periods[-1] else "SUPERSEDED",
            base_id=base["id"],
            base_hash=base["content_hash"],
            in_force_from=period.in_force_from,
            in_force_until=period.in_force_until,
        )
        async with unguarded(session):
            await session.run(
                Sql(
                    "insert into accord_version ({}) values ({})",
                    join(", ", map(name, row)),
                    join(", ", (Sql("{}" + _CASTS.get(column, ""), value) for column, value in row.items())),
                )
            )
        base = row


async def activate_document(session: WriteSession, document: Document, at: datetime | None = None) -> None:
    """Put a document in force, now or at an instant, in place of the active version, as an activation does."""
    at = at or await session.value(Sql("select clock_timestamp()"))
    async with unguarded(session):
        number = await session.value(Sql("select max(number) + 1 from accord_version"))
        await add_version(session, document, number)
        await session.run(
            Sql(
                "update accord_version set status = 'SUPERSEDED', in_force_until = {} where status = 'ACTIVE'",
                at,
            )
        )
        await session.run(
            Sql(
                "update accord_version set status = 'ACTIVE', in_force_from = {}, activated_at = {} where number = {}",
                *(at, at, number),
            )
        )
