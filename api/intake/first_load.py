"""The first load of a database: tables without indexes and constraints, which are built at the end."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from api.db import WriteSession
from api.intake.bulk_load import without_indexes
from api.intake.staged import StagedRows, record_tables
from api.progress import Progress
from api.sql import Sql, join, name
from schema.history import version_name
from schema.tables import SHAPES

FEWEST_ROWS = 50_000  # with fewer rows, dropping and building indexes costs more than maintaining them


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


async def _has_records(session: WriteSession) -> bool:
    found = join(" or ", (Sql("exists (select from {})", name(table)) for table in (*record_tables(), "external_key")))
    return bool(await session.value(Sql("select {}", found)))
