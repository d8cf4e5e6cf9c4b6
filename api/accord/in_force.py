"""The versions of the accord that are or were in force."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.accord.documents import read_document
from api.db import Session
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.accord import Accord
from schema.accord_vocab import AccordStatus


@dataclass(frozen=True, slots=True)
class AccordInForce:
    """The active version of the accord: its content, and what responses show about it."""

    id: UUID
    number: int
    content_hash: str
    is_signed: bool
    starts_at: datetime | None
    accord: Accord


@dataclass(frozen=True, slots=True)
class AccordPeriod:
    """A version of the accord, and the interval `[in_force_from, in_force_until)` in which it is in force.

    None stands for the beginning and the end of time.
    """

    version_id: UUID
    accord: Accord
    in_force_from: datetime | None = None
    in_force_until: datetime | None = None


async def accord_in_force(session: Session) -> AccordInForce:
    """Read the active version. Errors: NO_ACCORD before the first accord is adopted."""
    version = await active_version(session)
    if version is None:
        raise no_accord()
    return version


async def active_version(session: Session) -> AccordInForce | None:
    """The active version, or None before the first accord is adopted."""
    return await version_where(session, Sql("status = {}", AccordStatus.ACTIVE.value))


async def version_where(session: Session, condition: Sql) -> AccordInForce | None:
    """The one version that a condition on `accord_version` holds for, of whatever status; None if there is none."""
    row = await session.row(
        Sql(
            "select id, number, content_hash, signed_at, in_force_from, document, format from accord_version where {}",
            condition,
        )
    )
    if row is None:
        return None
    return AccordInForce(
        id=row["id"],
        number=row["number"],
        content_hash=row["content_hash"],
        is_signed=row["signed_at"] is not None,
        starts_at=row["in_force_from"],
        accord=read_document(row["document"], row["format"]),
    )


async def accord_periods(session: Session, *, up_to: UUID | None = None) -> tuple[AccordPeriod, ...]:
    """Read every version that is or was in force, oldest first; with `up_to`, none later than that version.

    Errors: NO_ACCORD before the first accord is adopted.
    """
    rows = await session.rows(
        Sql(
            """select id, document, format, in_force_from, in_force_until from accord_version
where status = any({}::text[]) and ({}::uuid is null or coalesce(in_force_from, '-infinity')
  <= (select coalesce(in_force_from, '-infinity') from accord_version where id = {}))
order by in_force_from nulls first""",
            [AccordStatus.SUPERSEDED.value, AccordStatus.ACTIVE.value],
            up_to,
            up_to,
        )
    )
    if not rows:
        raise no_accord()
    return tuple(
        AccordPeriod(
            row["id"], read_document(row["document"], row["format"]), row["in_force_from"], row["in_force_until"]
        )
        for row in rows
    )


def no_accord() -> AccordError:
    """Return the error for a database that has no accord."""
    remedy = "Adopt one with `accord init`, or import data with a preset that names its accord."
    return AccordError(ErrorCode.NO_ACCORD, "This database has no accord yet.", remedy)
