"""Load into empty tables that have no indexes and no foreign keys meanwhile.

Kept up row by row, indexes and foreign keys cost several times what the rows do; built once at the end they cost a
fraction, and hold just as well. All of it is one transaction, so that nothing has changed if the load fails. Only an
empty table is ever laid bare: what is taken away holds for no row, and nobody reads what is locked for so long.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.progress import Progress
from api.sql import Sql, join, name

# A constraint that something of the owner's own depends on, such as a view that groups by a primary key, stays.
_CONSTRAINTS = """
select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as away,
       format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
         as back
from pg_constraint c
where c.contype::text = any({}::text[])
  and (c.conrelid = any({}::text[]::regclass[]) or c.contype = 'f' and c.confrelid = any({}::text[]::regclass[]))
  and not exists (select from pg_depend d where d.refclassid = 'pg_constraint'::regclass and d.refobjid = c.oid
                    and d.deptype = 'n')
order by c.conrelid::regclass::text, c.conname"""
_INDEXES = """
select format('drop index %s', i.indexrelid::regclass) as away, pg_get_indexdef(i.indexrelid) as back
from pg_index i
where i.indrelid = any({}::text[]::regclass[]) and not i.indisreplident and not i.indisclustered
  and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
order by i.indexrelid::regclass::text"""


@dataclass(frozen=True, slots=True)
class _Part:
    """What is taken from a table and given back."""

    away: str
    back: str


@asynccontextmanager
async def bare(session: WriteSession, tables: Sequence[str], progress: Progress | None = None) -> AsyncIterator[None]:
    """Let the block load these tables with COPY, frozen rows included; indexes and constraints hold when it ends.

    Writes nothing else. Locks the tables against everybody until the transaction ends.
    Errors: BAD_INPUT if one of them is not empty; what PostgreSQL says of rows that break a constraint.
    """
    named, tell = join(", ", map(name, tables)), progress or (lambda _step, _done, _total: None)
    await session.run(Sql("lock table {} in access exclusive mode", named))
    await _require_empty(session, tables)
    names = list(tables)
    links = await _parts(session, Sql(_CONSTRAINTS, ["f"], names, names))
    for each in links:
        await session.script(each.away)
    keys = await _parts(session, Sql(_CONSTRAINTS, ["p", "u"], names, names))
    indexes = await _parts(session, Sql(_INDEXES, names))
    for each in (*keys, *indexes):
        await session.script(each.away)
    # New files, which the same transaction may fill without logging every row, and with rows that are frozen.
    await session.run(Sql("truncate {}", named))
    yield
    whole = (*keys, *indexes, *links)
    for done, each in enumerate(whole):
        tell("indexes and links", done, len(whole))
        await session.script(each.back)
    tell("indexes and links", len(whole), len(whole))


async def _parts(session: WriteSession, statement: Sql) -> list[_Part]:
    return [_Part(row["away"], row["back"]) for row in await session.rows(statement)]


async def _require_empty(session: WriteSession, tables: Sequence[str]) -> None:
    for table in tables:
        if await session.value(Sql("select exists (select from {})", name(table))):
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"There are rows in {table}, which has to be empty.",
                "Use an empty database; nothing was changed.",
            )
