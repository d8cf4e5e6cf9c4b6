"""What the database refuses in the middle of an import, in words. Nothing of the import is kept then."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from api.errors import AccordError, ErrorCode

_LOST = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, ConnectionError)


@contextmanager
def database_failures() -> Iterator[None]:
    """Turn what the database refuses into an error that says what to do."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise _contradiction(error) from error
    except asyncpg.DiskFullError as error:
        raise AccordError(
            ErrorCode.DISK_FULL,
            f"The disk of the database is full ({_first_line(error)}). Nothing was imported.",
            "Make room there, then import again.",
        ) from error
    except _LOST as error:
        raise _lost(error) from error
    except asyncpg.InterfaceError as error:
        # What a transaction says when its end finds the connection closed; before it stands why.
        if not isinstance(error.__context__, _LOST):
            raise
        raise _lost(error.__context__) from error


def _lost(error: BaseException) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_UNREACHABLE,
        f"The database went away during the import ({_first_line(error)}). Nothing was imported.",
        "The server's log says why; a full disk is one reason. Then import again.",
    )


def _contradiction(error: asyncpg.IntegrityConstraintViolationError) -> AccordError:
    return AccordError(
        ErrorCode.BAD_FILE,
        f"The files say something of a {error.table_name} that cannot be ({error.constraint_name}); nothing was kept.",
        "Correct the files, or the preset that says what their rows mean.",
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")
