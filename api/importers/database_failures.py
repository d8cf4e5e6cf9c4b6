"""Turns what the database raises during an import into errors that name the cause and the remedy."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from api.errors import AccordError, ErrorCode

_LOST = (asyncpg.PostgresConnectionError, asyncpg.AdminShutdownError, asyncpg.CrashShutdownError, ConnectionError)


@contextmanager
def database_failures() -> Iterator[None]:
    """Raise AccordError for a full disk, a lost connection or a violated constraint. The import is rolled back."""
    try:
        yield
    except asyncpg.IntegrityConstraintViolationError as error:
        raise _violation(error) from error
    except asyncpg.DiskFullError as error:
        raise AccordError(
            ErrorCode.DISK_FULL,
            f"The disk of the database is full ({_first_line(error)}). Nothing was imported.",
            "Make room there, then import again.",
        ) from error
    except _LOST as error:
        raise _lost(error) from error
    except asyncpg.InterfaceError as error:
        # A transaction raises this when it ends and finds the connection closed; its context is the cause.
        if not isinstance(error.__context__, _LOST):
            raise
        raise _lost(error.__context__) from error


def _lost(error: BaseException) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_UNREACHABLE,
        f"The connection to the database was lost during the import ({_first_line(error)}). Nothing was imported.",
        "Find the cause in the server's log, such as a full disk; then import again.",
    )


def _violation(error: asyncpg.IntegrityConstraintViolationError) -> AccordError:
    return AccordError(
        ErrorCode.BAD_FILE,
        f"The files describe a {error.table_name} that breaks the rule {error.constraint_name}. Nothing was imported.",
        "Correct the files, or the preset that says what their rows mean.",
    )


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")
