"""The schema revision of a database: migrate to another revision, and require the current one before use.

The migrations are files that ship beside `api`. Alembic runs them, on the only SQLAlchemy connection of the project.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationInfo
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from api.db import SERVER_SETTINGS, AdvisoryLock, Database, connecting
from api.errors import AccordError, ErrorCode
from api.sql import Sql

MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"
_LOCK_TIMEOUT_SECONDS = 60
_RETRY_SECONDS = 0.1
_REMEDIES = {
    "55P03": "Another program holds a lock that the migration needs. Run `accord migrate` again at a quieter time.",
    "57014": "The migration exceeded its time limit. Run `accord migrate` again at a quieter time.",
    "42501": "Give the user of DATABASE_URL the right to create in the database (being its owner is enough).",
    "42P07": "A table of that name exists, perhaps of another program: use a separate database for Accord.",
}


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """One migration that was run, as an upgrade or a downgrade."""

    revision: str
    title: str
    is_upgrade: bool


@dataclass(frozen=True, slots=True)
class MigrationResult:
    """The result of `migrate`: the steps in order, and the revision of the database now (None: empty)."""

    steps: tuple[MigrationStep, ...]
    revision: str | None


async def migrate(dsn: str, *, to: str = "head", may_go_back: bool = False) -> MigrationResult:
    """Migrate a database to a revision: `head`, `base` or an id. Every migration is one transaction.

    Errors: DATABASE_NEWER if the database is at a revision that this Accord does not know; BAD_INPUT for an unknown
            target, and for a downgrade without `may_go_back`, because a downgrade drops tables with their rows;
            MIGRATION_FAILED if PostgreSQL rejects a migration; DATABASE_UNREACHABLE.
    """
    target = target_revision(to)
    steps: list[MigrationStep] = []
    titles = revision_titles()

    def on_applied(*, step: MigrationInfo, **_rest: object) -> None:
        steps.append(MigrationStep(step.up_revision_ids[0], titles[step.up_revision_ids[0]], step.is_upgrade))

    async with open_connection(dsn) as connection:
        with _converting_errors(steps):
            await connection.execute(text(f"set lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'"))
            await connection.commit()
            await _acquire_lock(connection)
            present = await present_revision(connection)
            move = command.downgrade if is_downgrade(target, present, may_go_back=may_go_back) else command.upgrade
            await connection.run_sync(_run, move, target or "base", on_applied)
    return MigrationResult(tuple(steps), target)


async def require_current(database: Database) -> None:
    """Require the revision of this Accord. Errors: DATABASE_OUTDATED; DATABASE_NEWER."""
    async with database.read() as session:
        is_set_up = await session.value(Sql("select to_regclass('alembic_version') is not null"))
        present = await session.value(Sql("select version_num from alembic_version")) if is_set_up else None
    if present == head_revision():
        return
    if present is None:
        raise AccordError(ErrorCode.DATABASE_OUTDATED, "The database is not set up.", "Run `accord migrate`.")
    if present not in known_revisions():
        raise _newer(present)
    raise AccordError(
        ErrorCode.DATABASE_OUTDATED,
        f"The database is at revision {present}, of an older Accord; this Accord needs {head_revision()}.",
        "Run `accord migrate`.",
    )


async def is_fresh(database: Database) -> bool:
    """Return whether the database has no tables at all."""
    has_tables = Sql("select exists (select from pg_tables where schemaname = current_schema())")
    async with database.read() as session:
        return not await session.value(has_tables)


def head_revision() -> str:
    """Return the newest revision: the one that this Accord needs."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError(f"no migrations in {MIGRATIONS}")
    return head


def known_revisions() -> tuple[str, ...]:
    """Return every revision that this Accord knows, newest first."""
    return tuple(script.revision for script in _scripts().walk_revisions())


def revision_titles() -> dict[str, str]:
    """Return the title of every revision, taken from its file; newest first."""
    return {script.revision: script.doc.rstrip(".") for script in _scripts().walk_revisions()}


async def present_revision(connection: AsyncConnection) -> str | None:
    """Return the revision that a database is at, None if it is not set up.

    Errors: DATABASE_NEWER if this Accord does not know the revision.
    """
    present = await connection.run_sync(_recorded_revision)
    await connection.commit()
    if present is not None and present not in known_revisions():
        raise _newer(present)
    return present


def is_downgrade(target: str | None, present: str | None, *, may_go_back: bool) -> bool:
    """Return whether the target is older than the present revision.

    Errors: BAD_INPUT if it is older and `may_go_back` is false.
    """
    if not _is_older(target, present):
        return False
    if not may_go_back:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"Revision {target or 'base'} is older than {present}: a downgrade deletes the data that was added since.",
            "Pass --back to downgrade anyway.",
        )
    return True


@asynccontextmanager
async def open_connection(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Yield an SQLAlchemy connection for Alembic.

    asyncpg parses the address, not SQLAlchemy, so that it is read as everywhere else. Errors: DATABASE_UNREACHABLE.
    """

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        with connecting():
            return await asyncpg.connect(dsn, server_settings=SERVER_SETTINGS, timeout=10)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def alembic_config(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Return Alembic's configuration. It is built in code, because an installed Accord has no alembic.ini."""
    config = Config(attributes={"connection": connection}, output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())


def _run(
    connection: Connection, move: Callable[[Config, str], None], target: str, on_applied: Callable[..., None]
) -> None:
    config = alembic_config(connection)
    config.attributes["on_version_apply"] = on_applied
    move(config, target)


async def _acquire_lock(connection: AsyncConnection) -> None:
    """Acquire the advisory lock of migrations. Errors: MIGRATION_FAILED if another program holds it too long.

    It polls, because a statement that waits for the lock would hold a snapshot, and `create index concurrently` of the
    running migration would wait for that snapshot in turn.
    """
    for _ in range(round(_LOCK_TIMEOUT_SECONDS / _RETRY_SECONDS)):
        is_acquired = await connection.scalar(text(f"select pg_try_advisory_lock({AdvisoryLock.LOADING.value})"))
        await connection.commit()
        if is_acquired:
            return
        await asyncio.sleep(_RETRY_SECONDS)
    raise AccordError(
        ErrorCode.MIGRATION_FAILED,
        "Another program is migrating the database. Nothing was changed.",
        _REMEDIES["55P03"],
    )


def _recorded_revision(connection: Connection) -> str | None:
    """Return the revision that Alembic's table records; None without the table."""
    if not connection.scalar(text("select to_regclass('alembic_version') is not null")):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def target_revision(to: str) -> str | None:
    """Return the full id of a revision named by `head`, `base` (None) or the beginning of its id.

    Errors: BAD_INPUT if no revision, or more than one, has that name.
    """
    if to == "base":
        return None
    known = known_revisions()
    found = [head_revision()] if to == "head" else [revision for revision in known if revision.startswith(to)]
    if len(found) != 1 or not to:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"There is no revision '{to}'.",
            f"Pass head, base, or one of {', '.join(known)} (newest first).",
        )
    return found[0]


def _is_older(target: str | None, present: str | None) -> bool:
    if present is None or present == target:
        return False
    newest_first = known_revisions()
    return target is None or newest_first.index(target) > newest_first.index(present)


def _newer(present: str) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_NEWER,
        f"The database is at revision {present}, which this Accord does not know: a newer Accord has migrated it.",
        "Install the newer Accord, or use another database (DATABASE_URL, or --data DIR).",
    )


@contextmanager
def _converting_errors(steps: list[MigrationStep]) -> Iterator[None]:
    """Convert PostgreSQL's error in a migration into MIGRATION_FAILED with a remedy."""
    try:
        yield
    except DBAPIError as error:
        cause: Any = error.orig
        applied = f"{len(steps)} migrations before it stay applied." if steps else "Nothing was changed."
        raise AccordError(
            ErrorCode.MIGRATION_FAILED,
            f"PostgreSQL rejected the migration: {str(cause).partition(': ')[2] or cause}. {applied}",
            _REMEDIES.get(getattr(cause, "sqlstate", ""), "Correct the cause and run `accord migrate`."),
        ) from error
