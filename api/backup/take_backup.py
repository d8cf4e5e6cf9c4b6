"""Dump a database into the file of a backup."""

import asyncio
import tempfile
from importlib.metadata import version
from pathlib import Path

from api.backup.backup_file import CHUNK_BYTES, BackupManifest, BackupSource, new_backup_file
from api.backup.client_programs import PostgresServer, client_connection, end_process, fitting_programs
from api.db import Database, ReadSession, host_of
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.base import now

SERVER = Sql(
    "select current_setting('server_version_num')::int / 10000 as major, current_schema() as schema,"
    " coalesce((select s.ssl from pg_stat_ssl s where s.pid = pg_backend_pid()), false) as uses_tls"
)


async def take_backup(dsn: str, path: Path, *, is_private: bool) -> BackupManifest:
    """Write a backup of the database, at whatever revision it is. Writers go on; the backup is of one snapshot.

    Errors: DATABASE_OUTDATED if the database is not set up; NO_FITTING_PROGRAMS; BACKUP_FAILED if pg_dump fails;
            BAD_FILE and DISK_FULL if the file cannot be written; DATABASE_UNREACHABLE.
    """
    async with Database.open(dsn, size=1) as database, database.read() as session:
        server = await session.row(SERVER)
        if server is None:
            raise TypeError("a statement without FROM returned no row")
        # The revision is that of the dump, even if a migration runs meanwhile: both read the same snapshot.
        await session.connection.execute("set local idle_in_transaction_session_timeout = 0")
        snapshot = await session.value(Sql("select pg_export_snapshot()"))
        programs = fitting_programs(PostgresServer(server["major"], server["uses_tls"]), is_private=is_private)
        source = BackupSource(
            accord=version("accord-graphql"),
            revision=await _revision(session),
            database_schema=server["schema"],
            postgresql=server["major"],
            pg_dump=programs.major,
            taken_at=now(),
        )
        connection = client_connection(dsn, host_of(session.connection), is_private=is_private, major=programs.major)
        command = [
            programs.path("pg_dump"),
            *("--format=custom", "--no-owner", "--no-privileges", "--no-password"),
            *(f'--schema="{source.database_schema}"', f"--snapshot={snapshot}", f"--dbname={connection.url}"),
        ]
        with new_backup_file(path) as file, tempfile.TemporaryFile() as errors:
            process = await asyncio.create_subprocess_exec(
                *command, stdout=asyncio.subprocess.PIPE, stderr=errors, env=connection.environment
            )
            try:
                if process.stdout is None:
                    raise TypeError("the output of pg_dump is no pipe")
                while chunk := await process.stdout.read(CHUNK_BYTES):
                    file.write(chunk)
                status = await process.wait()
            finally:
                await end_process(process)
            if status != 0:
                errors.seek(0)
                raise _failed(errors.read().decode(errors="replace").strip(), status)
            return file.finish(source)


async def _revision(session: ReadSession) -> str:
    is_set_up = await session.value(Sql("select to_regclass('alembic_version') is not null"))
    revision: str | None = await session.value(Sql("select version_num from alembic_version")) if is_set_up else None
    if revision is None:
        raise AccordError(
            ErrorCode.DATABASE_OUTDATED,
            "The database is not set up, so there is nothing to back up.",
            "Name the database with DATABASE_URL, or the data folder with --data DIR.",
        )
    return revision


def _failed(output: str, status: int) -> AccordError:
    return AccordError(
        ErrorCode.BACKUP_FAILED,
        f"pg_dump failed, and no backup was written: {output or f'it ended with status {status}'}",
        "Correct the cause and run `accord backup` again.",
    )
