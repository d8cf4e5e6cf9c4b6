"""The revision a database is at: how it gets to another, and that it is the right one before anything works with it.

The migrations are files that ship beside `api`. Alembic runs them, on the one SQLAlchemy connection there is.
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
_PATIENCE_SECONDS = 60
_ASK_AGAIN_SECONDS = 0.1
_REMEDIES = {
    "55P03": "Another program holds a lock that it needs. Run `accord migrate` again at a quieter time.",
    "57014": "It took longer than it may. Run `accord migrate` again at a quieter time.",
    "42501": "Give the user of DATABASE_URL the right to create in the database (being its owner is enough).",
    "42P07": "The database holds other tables of that name, perhaps another program's: use one of Accord's own.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One migration that was run, forwards or back."""

    revision: str
    title: str
    is_upgrade: bool


@dataclass(frozen=True, slots=True)
class Migrated:
    """What `migrate` did: the steps in their order, and where the database is now (None: empty)."""

    steps: tuple[Step, ...]
    revision: str | None


async def migrate(dsn: str, *, to: str = "head", may_go_back: bool = False) -> Migrated:
    """Bring a database to a revision (`head`, `base` or an id); each migration is one transaction.

    Errors: DATABASE_NEWER for a revision that this Accord does not know; BAD_INPUT for an unknown target and for one
            that lies behind without `may_go_back` (tables and what is in them are dropped); MIGRATION_FAILED.
    """
    target = target_revision(to)
    steps: list[Step] = []
    titles = revision_titles()

    def note(*, step: MigrationInfo, **_rest: object) -> None:
        steps.append(Step(step.up_revision_ids[0], titles[step.up_revision_ids[0]], step.is_upgrade))

    async with connected(dsn) as connection:
        with _explained(steps):
            await connection.execute(text(f"set lock_timeout = '{_PATIENCE_SECONDS}s'"))
            await connection.commit()
            await _wait_for_others(connection)
            present = await present_revision(connection)
            goes_back = goes_back_to(target, present, may_go_back=may_go_back)
            await connection.run_sync(_run, command.downgrade if goes_back else command.upgrade, target or "base", note)
    return Migrated(tuple(steps), target)


async def require_current(database: Database) -> None:
    """Refuse a database that is not at the revision of this Accord: DATABASE_OUTDATED or DATABASE_NEWER."""
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
        f"The database is of an older Accord (revision {present}; this one needs {head_revision()}).",
        "Run `accord migrate`.",
    )


async def is_fresh(database: Database) -> bool:
    """Whether nothing was ever made in the database."""
    made = Sql("select exists (select from pg_tables where schemaname = current_schema())")
    async with database.read() as session:
        return not await session.value(made)


def head_revision() -> str:
    """The revision that this Accord works with."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError(f"no migrations in {MIGRATIONS}")
    return head


def known_revisions() -> tuple[str, ...]:
    """Every revision that this Accord knows, the newest first."""
    return tuple(each.revision for each in _scripts().walk_revisions())


def revision_titles() -> dict[str, str]:
    """What each revision changes, in the words of its file; the newest first."""
    return {each.revision: each.doc.rstrip(".") for each in _scripts().walk_revisions()}


async def present_revision(connection: AsyncConnection) -> str | None:
    """Read which revision a database is at (None: not set up); DATABASE_NEWER if this Accord does not know it."""
    present = await connection.run_sync(_recorded)
    await connection.commit()
    if present is not None and present not in known_revisions():
        raise _newer(present)
    return present


def goes_back_to(target: str | None, present: str | None, *, may_go_back: bool) -> bool:
    """Whether the way to the target leads back; BAD_INPUT if it does and may not."""
    if not _lies_behind(present, target):
        return False
    if not may_go_back:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"Revision {target or 'base'} lies behind {present}: going back drops what came since, with its data.",
            "Say --back if that is what you want.",
        )
    return True


@asynccontextmanager
async def connected(dsn: str) -> AsyncIterator[AsyncConnection]:
    """Yield an SQLAlchemy connection for Alembic; the address is read as everywhere else, by asyncpg."""

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        with connecting():
            return await asyncpg.connect(dsn, server_settings=SERVER_SETTINGS, timeout=10)

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


def config(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Alembic's configuration without its file, which an installed Accord has not."""
    made = Config(attributes={"connection": connection}, output_buffer=output)
    made.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return made


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(config())


def _run(connection: Connection, move: Callable[[Config, str], None], target: str, note: Callable[..., None]) -> None:
    made = config(connection)
    made.attributes["on_version_apply"] = note
    move(made, target)


async def _wait_for_others(connection: AsyncConnection) -> None:
    """Be the only one who migrates. Asked for again and again: whoever waits inside a statement would keep a snapshot
    that `create index concurrently` waits for in turn.
    """
    for _ in range(round(_PATIENCE_SECONDS / _ASK_AGAIN_SECONDS)):
        is_ours = await connection.scalar(text(f"select pg_try_advisory_lock({AdvisoryLock.LOADING.value})"))
        await connection.commit()
        if is_ours:
            return
        await asyncio.sleep(_ASK_AGAIN_SECONDS)
    raise AccordError(
        ErrorCode.MIGRATION_FAILED,
        "Another program is migrating the database. Nothing was changed.",
        _REMEDIES["55P03"],
    )


def _recorded(connection: Connection) -> str | None:
    """The revision that the database says it is at."""
    if not connection.scalar(text("select to_regclass('alembic_version') is not null")):
        return None
    found: str | None = connection.scalar(text("select version_num from alembic_version"))
    return found


def target_revision(to: str) -> str | None:
    """The whole id of the wanted revision; None for `base`."""
    if to == "base":
        return None
    known = known_revisions()
    found = [head_revision()] if to == "head" else [each for each in known if each.startswith(to)]
    if len(found) != 1 or not to:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"There is no revision '{to}'.",
            f"Name head, base, or one of {', '.join(known)} (newest first).",
        )
    return found[0]


def _lies_behind(present: str | None, target: str | None) -> bool:
    if present is None or present == target:
        return False
    newest_first = known_revisions()
    return target is None or newest_first.index(target) > newest_first.index(present)


def _newer(present: str) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_NEWER,
        f"The database is at revision {present}, which this Accord does not know: it was written by a newer Accord.",
        "Install that newer Accord, or name another database (DATABASE_URL, or --data DIR).",
    )


@contextmanager
def _explained(steps: list[Step]) -> Iterator[None]:
    """Say in a sentence why PostgreSQL refused a migration."""
    try:
        yield
    except DBAPIError as error:
        cause: Any = error.orig
        done = f"{len(steps)} migrations before it stay applied." if steps else "Nothing was changed."
        raise AccordError(
            ErrorCode.MIGRATION_FAILED,
            f"PostgreSQL refused the migration: {str(cause).partition(': ')[2] or cause}. {done}",
            _REMEDIES.get(getattr(cause, "sqlstate", ""), "Correct the cause that it names and run `accord migrate`."),
        ) from error
