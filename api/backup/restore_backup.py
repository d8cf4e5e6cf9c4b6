"""Restore the file of a backup into a database, in one transaction.

pg_restore turns the dump into SQL, which psql executes. pg_restore alone cannot do it: of PostgreSQL 17 and newer it
sets a parameter that older servers do not have, and it cannot empty a database in the same transaction.
"""

import asyncio
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from api.backup.backup_file import CHUNK_BYTES, BackupManifest, dump_chunks, read_manifest
from api.backup.client_programs import (
    ClientConnection,
    PostgresServer,
    client_connection,
    end_process,
    fitting_programs,
)
from api.backup.take_backup import SERVER
from api.db import AdvisoryLock, Database, host_of, require_supported_version
from api.embedded.programs import PostgresPrograms
from api.errors import AccordError, ErrorCode
from api.revisions import is_fresh, known_revisions
from api.sql import Sql

LOCK_TIMEOUT_SECONDS = 10
_UNKNOWN_BEFORE_17 = b"SET transaction_timeout = 0;\n"
_BEGIN = f"""begin;
set local lock_timeout = '{LOCK_TIMEOUT_SECONDS}s';
set local client_min_messages = warning;
select pg_advisory_xact_lock({AdvisoryLock.LOADING.value});
"""
# Everything of the schema but what extensions own. The schema itself stays, with its owner and rights.
_EMPTY = """do $$
declare command text;
begin
  for command in
    select o.command from (
      select case c.relkind when 'v' then 1 when 'm' then 1 when 'S' then 3 else 2 end as place,
          format('drop %s if exists %I.%I cascade', k.kind, current_schema(), c.relname)
        from pg_class c join (values ('r', 'table'), ('p', 'table'), ('v', 'view'), ('m', 'materialized view'),
            ('S', 'sequence'), ('f', 'foreign table')) k (letter, kind) on k.letter = c.relkind::text
        where c.relnamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
      union all
      select 4, format('drop routine if exists %s cascade', p.oid::regprocedure)
        from pg_proc p
        where p.pronamespace = current_schema()::regnamespace
          and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
      union all
      select 5, format('drop type if exists %s cascade', t.oid::regtype)
        from pg_type t
        where t.typnamespace = current_schema()::regnamespace and t.typtype in ('e', 'd')
          and not exists (select from pg_depend d where d.objid = t.oid and d.deptype = 'e')
    ) o (place, command) order by o.place
  loop
    execute command;
  end loop;
end $$;
"""


async def restore_backup(dsn: str, path: Path, *, is_private: bool, replaces: bool = False) -> BackupManifest:
    """Restore a backup into an empty database, or with `replaces` in place of what the database has.

    Errors: DAMAGED_BACKUP; DATABASE_NEWER if this Accord does not know the revision of the backup; NOT_EMPTY;
            NO_FITTING_PROGRAMS; RESTORE_FAILED, and then the database is as it was; DATABASE_UNREACHABLE;
            DATABASE_VERSION.
    """
    manifest = read_manifest(path)
    _require_known(manifest)
    async with Database.open(dsn, size=1) as database:
        async with database.read() as session:
            server = await session.row(SERVER)
            host = host_of(session.connection)
        if server is None:
            raise TypeError("a statement without FROM returned no row")
        require_supported_version(server["major"])
        if server["schema"] != manifest.database_schema:
            raise _other_schema(manifest, server["schema"])
        if not replaces and not await is_fresh(database):
            raise AccordError(
                ErrorCode.NOT_EMPTY,
                "The database is not empty. Nothing was restored.",
                "Restore into another one (DATABASE_URL, or --data DIR), or pass --replace to delete what it has.",
            )
        programs = fitting_programs(
            PostgresServer(server["major"], server["uses_tls"]), is_private=is_private, at_least=manifest.pg_dump
        )
        connection = client_connection(dsn, host, is_private=is_private, major=programs.major)
        await _Restoring(programs, connection, manifest, server["major"]).run(path, empties=replaces)
        async with database.write() as session:
            await session.run(Sql("analyze"))  # a dump has no statistics, without which plans are bad
    return manifest


@dataclass(frozen=True, slots=True)
class _Restoring:
    """One restore: the programs, the database, and what the file says."""

    programs: PostgresPrograms
    connection: ClientConnection
    manifest: BackupManifest
    server_major: int

    async def run(self, path: Path, *, empties: bool) -> None:
        """Restore the dump, and commit if all of it was restored. Errors: RESTORE_FAILED."""
        with tempfile.TemporaryFile() as reader_errors, tempfile.TemporaryFile() as writer_errors:
            reader = await self._start(reader_errors, "pg_restore", *self._reader_options())
            writer = await self._start(writer_errors, "psql", *self._writer_options())
            try:
                feeding = asyncio.create_task(_feed(_input(reader), path))
                # If psql has ended, its pipe is closed: its status and message say why.
                with suppress(BrokenPipeError, ConnectionResetError):
                    await self._execute(reader, _input(writer), empties=empties)
                    await feeding
                    if await reader.wait() == 0:
                        # Only a whole dump is committed: psql would take the end of a broken one for its end.
                        _input(writer).write(b"commit;\n")
                        await _input(writer).drain()
                        _input(writer).close()
                        if await writer.wait() == 0:
                            return
                feeding.cancel()
            finally:
                await end_process(reader)
                await end_process(writer)
            raise _failed(_text(writer_errors) or _text(reader_errors))

    async def _execute(self, reader: asyncio.subprocess.Process, sink: asyncio.StreamWriter, *, empties: bool) -> None:
        """Send the SQL to psql, within a transaction that is not committed yet."""
        sink.write((_BEGIN + (_EMPTY if empties else "")).encode())
        if reader.stdout is None:
            raise TypeError("the output of pg_restore is no pipe")
        is_filtered = self.server_major >= 17
        while chunk := await reader.stdout.read(CHUNK_BYTES):
            if not is_filtered and _UNKNOWN_BEFORE_17 in chunk:  # of the head: no row comes before it
                chunk, is_filtered = chunk.replace(_UNKNOWN_BEFORE_17, b"", 1), True
            sink.write(chunk)
            await sink.drain()

    async def _start(self, errors: IO[bytes], program: str, *options: str) -> asyncio.subprocess.Process:
        return await asyncio.create_subprocess_exec(
            self.programs.path(program),
            *options,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE if program == "pg_restore" else asyncio.subprocess.DEVNULL,
            stderr=errors,
            env=self.connection.environment,
        )

    def _reader_options(self) -> tuple[str, ...]:
        return ("--no-owner", "--no-privileges", f"--schema={self.manifest.database_schema}", "--file=-")

    def _writer_options(self) -> tuple[str, ...]:
        return ("-X", "-q", "-w", "-v", "ON_ERROR_STOP=1", "-d", self.connection.url, "-f", "-")


async def _feed(sink: asyncio.StreamWriter, path: Path) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # the status of pg_restore says why it ended
        for chunk in dump_chunks(path):
            sink.write(chunk)
            await sink.drain()
    sink.close()


def _input(process: asyncio.subprocess.Process) -> asyncio.StreamWriter:
    if process.stdin is None:
        raise TypeError("the input of a program is no pipe")
    return process.stdin


def _text(errors: IO[bytes]) -> str:
    errors.seek(0)
    return errors.read().decode(errors="replace").strip()


def _require_known(manifest: BackupManifest) -> None:
    if manifest.revision in known_revisions():
        return
    raise AccordError(
        ErrorCode.DATABASE_NEWER,
        f"The backup is of revision {manifest.revision} (Accord {manifest.accord}), which this Accord does not know.",
        "Install the Accord that wrote it, or a newer one. Nothing was restored.",
    )


def _other_schema(manifest: BackupManifest, present: str | None) -> AccordError:
    return AccordError(
        ErrorCode.BAD_INPUT,
        f"The backup is of the schema {manifest.database_schema}, and this database uses {present or 'none'}.",
        f"Set it for the role: alter role … in database … set search_path = {manifest.database_schema}. "
        "Nothing was restored.",
    )


def _failed(output: str) -> AccordError:
    return AccordError(
        ErrorCode.RESTORE_FAILED,
        f"The backup was not restored, and the database is as it was: {output or 'a program was ended'}",
        "Correct the cause and run `accord restore` again.",
    )
