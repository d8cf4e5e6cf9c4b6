"""Carry out an activation that is due: the version and all stage entries by it become visible in one commit."""

from datetime import datetime

from api.db import Database, WriteSession
from api.funnel.evaluate import begin_evaluation, discard_former_entries, evaluate
from api.outbox.record_changes import Author, RecordChange, write_changes
from api.progress import Progress
from api.sql import Sql
from api.workflows.accord.versions import (
    OPEN,
    LockedVersion,
    find_version,
    lock_versions,
    void_signatures,
    write_version,
)
from schema.accord_vocab import AccordStatus

_AUTHOR = Author("Accord", "activateAccord")
_IS_DUE = Sql("status = {} and activates_at <= clock_timestamp()", AccordStatus.SIGNED.value)


async def activate_due(database: Database, progress: Progress | None = None) -> int:
    """Activate the version whose planned instant has come, if there is one.

    Whoever comes second finds nothing to do. If the process dies before the commit, the former version stays in force,
    and the next run begins anew. The version is in force from the moment at which the work begins: never from one that
    has passed, so that no result of the past changes.

    Shapes: a database -> the number of versions activated, 0 or 1. Writes accord_version (it, the one it replaces, and
            the open ones, which get it as their base), accord_signature (of the open ones), what `evaluate` writes.
    """
    if await next_activation(database, only_due=True) is None:
        return 0
    async with database.write() as session:
        # Before any row is locked: this waits for the writers at work, and for an import.
        await begin_evaluation(session)
        await lock_versions(session)
        changes = await _activate(session)
        if not changes:
            return 0
        await evaluate(session, progress=progress)
        await write_changes(session, _AUTHOR, changes)
    async with database.write() as session:
        await discard_former_entries(session)
    return 1


async def next_activation(database: Database, *, only_due: bool = False) -> datetime | None:
    """The instant of the planned activation; None if none is planned, or with `only_due` if it has not come."""
    async with database.read() as session:
        at: datetime | None = await session.value(
            Sql(
                "select min(activates_at) from accord_version where status = {}"
                " and (not {}::bool or activates_at <= clock_timestamp())",
                *(AccordStatus.SIGNED.value, only_due),
            )
        )
    return at


async def _activate(session: WriteSession) -> list[RecordChange]:
    """Write the rows of the versions; return the changes, for the audit, or nothing if no version is due."""
    row = await session.row(Sql("select number, clock_timestamp() as at from accord_version where {}", _IS_DUE))
    if row is None:
        return []
    version = await find_version(session, row["number"])
    former = await _active(session)
    if version is None or former is None:
        raise TypeError("a signed version replaces the one in force")
    at: datetime = row["at"]
    changes = await write_version(session, former, {"status": AccordStatus.SUPERSEDED.value, "in_force_until": at})
    changes += await write_version(
        session, version, {"status": AccordStatus.ACTIVE.value, "activated_at": at, "in_force_from": at}
    )
    return changes + await _rebase(session, version)


async def _active(session: WriteSession) -> LockedVersion | None:
    number = await session.value(Sql("select number from accord_version where status = {}", AccordStatus.ACTIVE.value))
    return None if number is None else await find_version(session, number)


async def _rebase(session: WriteSession, active: LockedVersion) -> list[RecordChange]:
    """Give every open version the new base. Its signatures were given on another one, and no longer count."""
    rows = await session.rows(
        Sql(
            "select * from accord_version where status = any({}::text[]) and id <> {} order by number",
            *([status.value for status in OPEN], active.id),
        )
    )
    changes: list[RecordChange] = []
    for row in rows:
        version = LockedVersion(dict(row))
        changes += await void_signatures(session, version, f"Version {active.number} came into force.")
        is_signed = version.status is AccordStatus.SIGNED
        after = {
            "base_id": active.id,
            "base_hash": active.content_hash,
            "status": (AccordStatus.IN_REVIEW if is_signed else version.status).value,
            "signed_at": None,
            "activates_at": None,
        }
        changes += await write_version(session, version, after)
    return changes
