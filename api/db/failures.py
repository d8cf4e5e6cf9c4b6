"""Failures of connecting and executing, and the errors that users see for them."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from api.errors import AccordError, ErrorCode

logger = logging.getLogger("accord.db")

# What connecting and executing can raise; a timeout is an OSError, too.
DATABASE_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)


@contextmanager
def connecting() -> Iterator[None]:
    """Convert errors of connecting into an AccordError with a remedy."""
    try:
        yield
    except asyncpg.InvalidPasswordError as error:
        raise _unreachable("The database refuses the user name or password.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise _unreachable(f"The server does not have this database: {error}.") from error
    except (*DATABASE_FAILURES, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise _unreachable(f"The database cannot be reached: {reason}.") from error


@contextmanager
def reconnecting() -> Iterator[None]:
    """Convert errors of reconnecting into a ConnectionError. The cause is only logged: it may name hosts and users."""
    try:
        yield
    except DATABASE_FAILURES as error:
        logger.warning("The database cannot be reached: %s", str(error) or type(error).__name__)
        raise ConnectionError("the database cannot be reached") from error


def _unreachable(message: str) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_UNREACHABLE,
        message,
        "Check DATABASE_URL (postgresql://user:password@host:5432/database), or unset it to use Accord's own server.",
    )
