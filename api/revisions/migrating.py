"""Running migrations: only one process at a time, and none if there is nothing to do."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationInfo
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from api.db import AdvisoryLock
from api.errors import AccordError, ErrorCode
from api.revisions.compatibility import newer_database, stored_compatibility
from api.revisions.connection import open_connection, present_revision
from api.revisions.migration_files import alembic_config, known_revisions, revision_titles, target_revision
from api.revisions.waiting import Report, report_nothing, reporting_waits

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


async def migrate(
    dsn: str, *, to: str = "head", may_go_back: bool = False, report: Report = report_nothing
) -> MigrationResult:
    """Migrate a database to a revision: `head`, `base` or an id. Every migration is one transaction.

    With nothing to do it takes no lock. While it waits for another session, it reports for which one.

    Errors: DATABASE_NEWER if the database is at a revision that this Accord does not know, unless the target is `head`
            and this Accord runs on it; BAD_INPUT for an unknown target, and for a downgrade without `may_go_back`,
            because a downgrade drops tables with their rows; MIGRATION_FAILED if PostgreSQL rejects a migration;
            DATABASE_UNREACHABLE; DATABASE_VERSION.
    """
    target = target_revision(to)
    steps: list[MigrationStep] = []
    titles = revision_titles()

    def on_applied(*, step: MigrationInfo, **_rest: object) -> None:
        steps.append(MigrationStep(step.up_revision_ids[0], titles[step.up_revision_ids[0]], step.is_upgrade))

    async with open_connection(dsn) as connection:
        present = await present_revision(connection)
        if await nothing_to_do(connection, present, to):
            return MigrationResult((), present)
        process = await connection.scalar(text("select pg_backend_pid()"))
        with _converting_errors(steps):
            await connection.execute(text(f"set lock_timeout = '{_LOCK_TIMEOUT_SECONDS}s'"))
            await connection.commit()
            async with reporting_waits(dsn, int(process or 0), report):
                await _acquire_lock(connection)
                # Another process may have migrated meanwhile.
                present = await present_revision(connection)
                if await nothing_to_do(connection, present, to):
                    return MigrationResult((), present)
                move = command.downgrade if is_downgrade(target, present, may_go_back=may_go_back) else command.upgrade
                await connection.run_sync(_run, move, target or "base", on_applied)
    return MigrationResult(tuple(steps), target)


async def nothing_to_do(connection: AsyncConnection, present: str | None, to: str) -> bool:
    """Return whether a database at a revision is at the target, or this Accord runs on it, expanded by a newer one.

    Errors: DATABASE_NEWER if a newer Accord migrated it, and this one does not run on it or has another target.
    """
    if present == target_revision(to):
        return True
    if present is None or present in known_revisions():
        return False
    found = await connection.run_sync(stored_compatibility, present)
    await connection.commit()
    if to == "head" and found.fits:
        return True
    raise newer_database(found)


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
        "Another program imports into the database, or migrates it. Nothing was changed.",
        _REMEDIES["55P03"],
    )


def _is_older(target: str | None, present: str | None) -> bool:
    if present is None or present == target:
        return False
    newest_first = known_revisions()
    return target is None or newest_first.index(target) > newest_first.index(present)


@contextmanager
def _converting_errors(steps: list[MigrationStep]) -> Iterator[None]:
    """Convert PostgreSQL's error in a migration into MIGRATION_FAILED with a remedy."""
    try:
        yield
    except DBAPIError as error:
        cause: Any = error.orig
        applied = f"{len(steps)} migrations before it stay applied." if steps else "Nothing was changed."
        state = getattr(cause, "sqlstate", "")
        if state == asyncpg.DiskFullError.sqlstate:
            reason = "The disk of the database is full, so that the migration was rolled back"
            raise AccordError(
                ErrorCode.DISK_FULL, f"{reason}. {applied}", "Make room there, then run `accord migrate`."
            ) from error
        raise AccordError(
            ErrorCode.MIGRATION_FAILED,
            f"PostgreSQL rejected the migration: {str(cause).partition(': ')[2] or cause}. {applied}",
            _REMEDIES.get(state, "Correct the cause and run `accord migrate`."),
        ) from error
