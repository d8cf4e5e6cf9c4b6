"""Loads empty tables without indexes and constraints, and builds these at the end.

Maintained row by row, indexes and foreign keys cost several times what the rows do; built once at the end they cost a
fraction and hold just as well. All of it is one transaction, so nothing has changed if the load fails. Only an empty
table loses its indexes and constraints: no row depends on them yet, and no reader of the locked table misses a row.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from api.db import WriteSession
from api.errors import AccordError, ErrorCode
from api.intake.staged import StagedRows, record_tables
from api.progress import Progress, no_progress
from api.sql import Sql, join, name
from schema.history import version_name
from schema.tables import SHAPES

FEWEST_ROWS = 50_000  # with fewer rows, dropping and building indexes costs more than maintaining them

# Foreign keys from other tables are dropped too: a primary key cannot go while one refers to it. A constraint on which
# an object of the database's owner depends stays, such as a view that groups by a primary key.
_CONSTRAINTS = """
select format('alter table %s drop constraint %I', c.conrelid::regclass, c.conname) as drop,
       format('alter table %s add constraint %I %s', c.conrelid::regclass, c.conname, pg_get_constraintdef(c.oid))
         as create
from pg_constraint c
where c.contype::text = any({}::text[])
  and (c.conrelid = any({}::text[]::regclass[]) or c.contype = 'f' and c.confrelid = any({}::text[]::regclass[]))
  and not exists (select from pg_depend d where d.refclassid = 'pg_constraint'::regclass and d.refobjid = c.oid
                    and d.deptype = 'n')
order by c.conrelid::regclass::text, c.conname"""
# The indexes of constraints come and go with these.
_INDEXES = """
select format('drop index %s', i.indexrelid::regclass) as drop, pg_get_indexdef(i.indexrelid) as create
from pg_index i
where i.indrelid = any({}::text[]::regclass[]) and not i.indisreplident and not i.indisclustered
  and not exists (select from pg_constraint c where c.conindid = i.indexrelid)
order by i.indexrelid::regclass::text"""


@dataclass(frozen=True, slots=True)
class _DroppedObject:
    """The statements that drop an index or constraint and create it again."""

    drop: str
    create: str


@asynccontextmanager
async def without_indexes_if_first(
    session: WriteSession, inputs: Sequence[StagedRows], rows: int, progress: Progress
) -> AsyncIterator[bool]:
    """Drop the indexes of the written tables while the block runs, if there are many rows and no records yet.

    Yields whether it is such a first load.

    The written tables are locked until the transaction ends; they are empty, so no reader misses anything. In a
    database with records, all tables keep their indexes and stay readable.
    """
    if rows < FEWEST_ROWS or await _has_records(session):
        yield False
        return
    staged = [records for source in inputs for records in source.records]
    written = sorted({records.table for records in staged})
    # Dated history is built from the versions that are there, record by record, and needs their indexes.
    dated = {records.table for records in staged if records.since is not None}
    written += [version_name(table) for table in written if SHAPES[table].has_history and table not in dated]
    # The index of external_key stays: rows look records up by it while others are written. Its rows arrive sorted.
    async with without_indexes(session, written, progress):
        yield True


@asynccontextmanager
async def without_indexes(
    session: WriteSession, tables: Sequence[str], progress: Progress | None = None
) -> AsyncIterator[None]:
    """Drop the indexes and constraints of empty tables while the block loads them, and create them when it ends.

    The block may COPY frozen rows. Writes nothing itself. Locks the tables exclusively until the transaction ends.
    Errors: BAD_INPUT if a table is not empty; what PostgreSQL raises for loaded rows that violate a constraint.
    """
    report = progress or no_progress
    locked = join(", ", map(name, tables))
    await session.run(Sql("lock table {} in access exclusive mode", locked))
    await _require_empty(session, tables)
    names = list(tables)
    # Foreign keys first: the keys that they refer to cannot be dropped before them, nor created after them.
    foreign_keys = await _find(session, Sql(_CONSTRAINTS, ["f"], names, names))
    for constraint in foreign_keys:
        await session.script(constraint.drop)
    keys = await _find(session, Sql(_CONSTRAINTS, ["p", "u"], names, names))
    indexes = await _find(session, Sql(_INDEXES, names))
    for dropped in (*keys, *indexes):
        await session.script(dropped.drop)
    # Tables truncated in this transaction get new files: COPY need not log every row, and may freeze them.
    await session.run(Sql("truncate {}", locked))
    yield
    missing = (*keys, *indexes, *foreign_keys)
    for done, dropped in enumerate(missing):
        report("indexes and links", done, len(missing))
        await session.script(dropped.create)
    report("indexes and links", len(missing), len(missing))


async def _has_records(session: WriteSession) -> bool:
    found = join(" or ", (Sql("exists (select from {})", name(table)) for table in (*record_tables(), "external_key")))
    return bool(await session.value(Sql("select {}", found)))


async def _find(session: WriteSession, statement: Sql) -> list[_DroppedObject]:
    return [_DroppedObject(row["drop"], row["create"]) for row in await session.rows(statement)]


async def _require_empty(session: WriteSession, tables: Sequence[str]) -> None:
    for table in tables:
        if await session.value(Sql("select exists (select from {})", name(table))):
            raise AccordError(
                ErrorCode.BAD_INPUT,
                f"The table {table} has rows; only empty tables can be loaded this way.",
                "Use an empty database; nothing was changed.",
            )
