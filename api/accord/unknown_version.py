"""The error for a version of the accord that does not exist."""

from api.db import Session
from api.errors import AccordError, ErrorCode
from api.sql import Sql


async def unknown_version(session: Session, number: int) -> AccordError:
    """Return the error (UNKNOWN_VALUE) for a number that no version has. Shapes: one statement, for the newest one."""
    newest = await session.value(Sql("select max(number) from accord_version"))
    known = f"The newest is version {newest}" if newest else "There is none yet"
    return AccordError(
        ErrorCode.UNKNOWN_VALUE,
        f"There is no version {number} of the accord.",
        f"{known}; `accordVersions` and `accord versions` list all of them.",
    )
