"""The reading that a request names, and what it means: which versions of the accord judge, and which facts count."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from asyncpg import Record

from api.access.evaluation import RequestedReading
from api.accord.documents import read_document
from api.accord.in_force import AccordPeriod, accord_in_force
from api.accord.unknown_version import unknown_version
from api.db import Session
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.accord import Accord
from schema.accord_vocab import AccordStatus, Reading


@dataclass(frozen=True, slots=True)
class JudgingVersion:
    """A version of the accord by which entries are judged, and when it was in force; never, if both are null."""

    id: UUID
    number: int
    content_hash: str
    signed_at: datetime | None
    status: AccordStatus
    in_force_from: datetime | None
    in_force_until: datetime | None
    accord: Accord

    @property
    def was_in_force(self) -> bool:
        """Whether the version is or was in force."""
        return self.status in (AccordStatus.ACTIVE, AccordStatus.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class ReadingKey:
    """What an evaluation that is kept is found by. RESTATED is kept as PINNED to the version in force."""

    reading: Reading
    version_id: UUID
    content_hash: str
    known_at: datetime | None


@dataclass(frozen=True, slots=True)
class AppliedReading:
    """The versions that judge, in the order in which they are in force, and the evaluation that has the entries.

    `key` is None for the current evaluation, which follows every write.
    """

    versions: tuple[JudgingVersion, ...]
    key: ReadingKey | None
    known_at: datetime | None

    @property
    def periods(self) -> tuple[AccordPeriod, ...]:
        """What the evaluator judges by."""
        if self.key is not None and self.key.reading is Reading.PINNED:
            return tuple(AccordPeriod(version.id, version.accord) for version in self.versions)
        return tuple(
            AccordPeriod(version.id, version.accord, version.in_force_from, version.in_force_until)
            for version in self.versions
        )


async def apply_reading(session: Session, requested: RequestedReading, now: datetime) -> AppliedReading:
    """Find what a request means.

    While one version alone was ever in force, RESTATED, and PINNED to that version, equal IN_FORCE.

    Shapes: one statement.
    Errors: BAD_INPUT for a version without PINNED, PINNED without a version, and an instant without a zone or in the
            future; UNKNOWN_VALUE for a version that does not exist; NO_ACCORD.
    """
    _require_valid(requested, now)
    versions = await judging_versions(session, requested.accord_version)
    in_force = tuple(version for version in versions if version.was_in_force)
    if not in_force:
        await accord_in_force(session)  # raises NO_ACCORD
    judging = in_force
    if requested.reading is Reading.RESTATED:
        judging = in_force[-1:]
    elif requested.accord_version is not None:  # PINNED: no other reading names a version
        judging = tuple(version for version in versions if version.number == requested.accord_version)
        if not judging:
            raise await unknown_version(session, requested.accord_version)
    if requested.known_at is None and judging == in_force:
        return AppliedReading(judging, None, None)
    is_one = len(judging) == 1
    newest = judging[-1]
    reading = Reading.PINNED if is_one else Reading.IN_FORCE
    return AppliedReading(
        judging, ReadingKey(reading, newest.id, newest.content_hash, requested.known_at), requested.known_at
    )


async def apply_key(session: Session, key: ReadingKey) -> AppliedReading | None:
    """Find the versions of a reading that is kept; None if its version has another content now, or is in force no more.

    Shapes: one statement.
    """
    rows = await session.rows(_versions(Sql("status in ('ACTIVE', 'SUPERSEDED') or id = {}", key.version_id)))
    versions = tuple(map(_version, rows))
    if key.reading is Reading.PINNED:
        versions = tuple(version for version in versions if version.id == key.version_id)
    else:
        versions = tuple(version for version in versions if version.was_in_force)
    if not versions or (versions[-1].id, versions[-1].content_hash) != (key.version_id, key.content_hash):
        return None
    return AppliedReading(versions, key, key.known_at)


async def judging_versions(session: Session, number: int | None = None) -> tuple[JudgingVersion, ...]:
    """Read every version that is or was in force, oldest first, and the one with a number, whatever its status."""
    rows = await session.rows(_versions(Sql("status in ('ACTIVE', 'SUPERSEDED') or number = {}::numeric", number)))
    return tuple(map(_version, rows))


def in_force_at(versions: Sequence[JudgingVersion], at: datetime) -> JudgingVersion:
    """The one of several versions that is in force at an instant; the first one before all of them."""
    started = [version for version in versions if version.in_force_from is None or version.in_force_from <= at]
    return started[-1] if started else versions[0]


def _versions(condition: Sql) -> Sql:
    return Sql(
        "select id, number, content_hash, signed_at, status, in_force_from, in_force_until, document, format"
        " from accord_version"
        " where {} order by in_force_from nulls first, number",
        condition,
    )


def _version(row: Record) -> JudgingVersion:
    return JudgingVersion(
        id=row["id"],
        number=row["number"],
        content_hash=row["content_hash"],
        signed_at=row["signed_at"],
        status=AccordStatus[row["status"]],
        in_force_from=row["in_force_from"],
        in_force_until=row["in_force_until"],
        accord=read_document(row["document"], row["format"]),
    )


def _require_valid(requested: RequestedReading, now: datetime) -> None:
    if requested.reading is Reading.PINNED and requested.accord_version is None:
        raise _bad("reading=PINNED names no version.", "Name one with accordVersion.")
    if requested.reading is not Reading.PINNED and requested.accord_version is not None:
        message = f"accordVersion={requested.accord_version} needs reading=PINNED."
        raise _bad(message, "Set reading to PINNED, or leave accordVersion out.")
    known_at = requested.known_at
    if known_at is None:
        return
    if known_at.tzinfo is None or known_at.year < 1000:
        message = f"knownAt={known_at.isoformat()} has no time zone, or its year is before 1000."
        raise _bad(message, "Write an instant with its zone, like 2026-04-01T00:00:00Z.")
    if known_at > now:
        message = f"knownAt={known_at.isoformat().replace('+00:00', 'Z')} lies in the future."
        raise _bad(message, "What will be known then is not known yet. Name an instant that is not after now.")


def _bad(message: str, remedy: str) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, message, remedy)
