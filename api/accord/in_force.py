"""The accord in force: the one version that judges now."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.db import ReadSession, WriteSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.accord import Accord


@dataclass(frozen=True, slots=True)
class AccordInForce:
    """The active version of the accord: its content, and what answers say about it."""

    id: UUID
    number: int
    content_hash: str
    is_signed: bool
    starts_at: datetime | None
    accord: Accord


async def accord_in_force(session: ReadSession | WriteSession) -> AccordInForce:
    """Read the accord in force. Errors: NO_ACCORD before the first one is adopted."""
    found = await active_version(session)
    if found is None:
        remedy = "Adopt one with `accord init`, or import data with a preset that names its accord."
        raise AccordError(ErrorCode.NO_ACCORD, "This database has no accord yet.", remedy)
    return found


async def active_version(session: ReadSession | WriteSession) -> AccordInForce | None:
    """The accord in force, or None where none was adopted."""
    row = await session.row(
        Sql(
            "select id, number, content_hash, signed_at, in_force_from, body from accord_version where status = {}",
            "ACTIVE",
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
        accord=Accord.model_validate(row["body"]),
    )
