"""The versions that a preview compares, of any status, as the metrics read the one in force."""

from dataclasses import dataclass
from uuid import UUID

from api.accord.in_force import AccordInForce, version_where
from api.accord.unknown_version import unknown_version
from api.db import Session
from api.sql import Sql


@dataclass(frozen=True, slots=True)
class ComparedVersions:
    """The previewed version (`after`), and the one that it is compared to (`before`)."""

    before: AccordInForce
    after: AccordInForce


async def version_by_number(session: Session, number: int) -> AccordInForce:
    """Read the version of that number. Errors: UNKNOWN_VALUE if there is none."""
    found = await version_where(session, Sql("number = {}::numeric", number))
    if found is None:
        raise await unknown_version(session, number)
    return found


async def version_by_id(session: Session, id_: UUID) -> AccordInForce:
    """Read the version with an id. Errors: LookupError if there is none."""
    found = await version_where(session, Sql("id = {}", id_))
    if found is None:
        raise LookupError(f"there is no version {id_}")
    return found
