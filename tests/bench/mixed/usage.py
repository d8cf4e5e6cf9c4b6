"""What the server and PostgreSQL hold while they work: memory, dead rows, temporary files, and the system's tables."""

from collections.abc import Mapping
from dataclasses import dataclass

import asyncpg
import psutil

# `n_dead_tup` counts what autovacuum has not taken yet. Temporary tables leave their dead rows in the system's tables.
_TOTALS = """
select
  (select coalesce(sum(n_dead_tup), 0) from pg_stat_user_tables) as dead,
  (select coalesce(sum(n_dead_tup), 0) from pg_stat_sys_tables where schemaname = 'pg_catalog') as catalog_dead,
  (select sum(pg_total_relation_size(oid)) from pg_class
    where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r') as catalog_bytes,
  (select temp_bytes from pg_stat_database where datname = current_database()) as temp_bytes,
  pg_database_size(current_database()) as database_bytes,
  (select coalesce(max(age(backend_xmin)), 0) from pg_stat_activity where datname = current_database()) as oldest_xmin
"""
_TABLES = """
select relname as name, n_live_tup as live, n_dead_tup as dead, autovacuum_count as vacuums
from pg_stat_user_tables union all
select relname, n_live_tup, n_dead_tup, autovacuum_count from pg_stat_sys_tables where schemaname = 'pg_catalog'
"""


@dataclass(frozen=True, slots=True)
class Usage:
    """One sample. Memory in bytes: that of the server, and what PostgreSQL's processes do not share."""

    server: int
    backends: int
    backend_memory: int
    largest_backend: int
    dead: int
    catalog_dead: int
    catalog_bytes: int
    temp_bytes: int
    database_bytes: int
    oldest_xmin: int


@dataclass(frozen=True, slots=True)
class TableRows:
    """Rows of a table, live and dead, and how often autovacuum came."""

    live: int
    dead: int
    vacuums: int


class UsageMeter:
    """Takes samples, on a connection of its own."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", server: psutil.Process) -> None:
        self._connection = connection
        self._server = server
        postmaster = psutil.Process(connection.get_server_pid()).parent()
        if postmaster is None:
            raise RuntimeError("The processes of PostgreSQL are not visible. Use a PostgreSQL server on this machine.")
        self._postmaster = postmaster

    async def usage(self) -> Usage:
        """Take a sample."""
        row = await self._connection.fetchrow(_TOTALS)
        if row is None:
            raise RuntimeError("PostgreSQL has no statistics.")
        own = self._connection.get_server_pid()
        private = [_private(process) for process in self._postmaster.children() if process.pid != own]
        return Usage(
            self._server.memory_info().rss,
            len(private),
            sum(private),
            max(private, default=0),
            **{name: int(value) for name, value in row.items()},
        )

    async def tables(self) -> Mapping[str, TableRows]:
        """Return the rows of all tables, those of the system included, by name."""
        return {
            row["name"]: TableRows(row["live"], row["dead"], row["vacuums"])
            for row in await self._connection.fetch(_TABLES)
        }


def _private(process: psutil.Process) -> int:
    """Return what a process does not share with others; 0 if it has just ended."""
    try:
        usage = process.memory_info()
    except psutil.NoSuchProcess:
        return 0
    return int(usage.rss - getattr(usage, "shared", 0))
