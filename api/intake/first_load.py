"""The first import of a database: its tables are loaded bare; indexes and foreign keys are built at the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from api.db import WriteSession
from api.importers.mapping import importable
from api.importers.plan import StagedFile
from api.intake.bulk_load import bare
from api.progress import Progress
from api.sql import Sql, join, name
from schema.history import version_name
from schema.tables import SHAPES

FEWEST_ROWS = 50_000  # with less, taking indexes away and building them anew costs more than they do


@asynccontextmanager
async def bare_if_first(
    session: WriteSession, files: Sequence[StagedFile], rows: int, progress: Progress
) -> AsyncIterator[None]:
    """Lay the tables that the files tell of bare while the block runs, if there are many rows and no records yet.

    Nobody can read these tables until the import ends; there is nothing in them to read. In a database with records
    they stay as they are, and readable.
    """
    if rows < FEWEST_ROWS:
        yield
        return
    there = join(" or ", (Sql("exists (select from {})", name(each)) for each in (*importable(), "external_key")))
    if await session.value(Sql("select {}", there)):
        yield
        return
    tellings = [telling for file in files for telling in file.tellings]
    tables = sorted({each.record.table for each in tellings})
    # History that the rows tell is put together from what is there, person by person: its indexes are needed.
    dated = {each.record.table for each in tellings if each.record.since is not None}
    tables += [version_name(each) for each in tables if SHAPES[each].has_history and each not in dated]
    if not any(each.alias is not None for each in tellings):
        # Of two rows that bring one key, the index keeps one out; without second keys, a statement brings each once.
        tables.append("external_key")
    async with bare(session, tables, progress):
        yield
