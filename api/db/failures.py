"""Failures of connecting and executing, and the errors that users see for them."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

from api.errors import AccordError, ErrorCode

# What connecting and executing can raise; a timeout is an OSError, too.
DATABASE_FAILURES = (OSError, asyncpg.PostgresError, asyncpg.InterfaceError)
# The same, and what asyncpg raises if the server ends an idle connection while a new statement is being sent.
LOST_CONNECTION = (*DATABASE_FAILURES, asyncpg.InternalClientError)


class UnreachableError(ConnectionError):
    """No connection could be had, so that nothing was executed. The message names no hosts and users."""


class PrimaryNeededError(ConnectionError):
    """A read replica cannot serve a request, which can run on the primary. `reason` is a label of the metrics."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"the read replica cannot serve the request: {reason}")
        self.reason = reason


@contextmanager
def connecting() -> Iterator[None]:
    """Convert errors of connecting into an AccordError with a remedy."""
    try:
        yield
    except asyncpg.InvalidPasswordError as error:
        raise _unreachable("The database refuses the user name or password.") from error
    except asyncpg.InvalidCatalogNameError as error:
        raise _unreachable(f"The server does not have this database: {error}.") from error
    except asyncpg.ProtocolViolationError as error:
        if "startup parameter" not in str(error):
            raise _unreachable(f"The database cannot be reached: {error}.") from error
        raise AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            f"A pooler refuses a setting of the connection ({error}).",
            "Set ACCORD_POOLER=transaction, or add pgbouncer=true to the parameters of DATABASE_URL.",
        ) from error
    except asyncpg.DiskFullError as error:
        raise no_room() from error
    except TimeoutError as error:
        raise _unreachable("The database cannot be reached: it does not answer.") from error
    except (*DATABASE_FAILURES, ValueError) as error:
        reason = str(error) or type(error).__name__
        raise _unreachable(f"The database cannot be reached: {reason}.") from error


class NoRoomError(UnreachableError):
    """The database opens no connection because its disk is full."""


def unreachable(cause: BaseException | None) -> UnreachableError:
    """The error for whoever needs a connection during an outage that has this cause."""
    kind = NoRoomError if isinstance(cause, asyncpg.DiskFullError) else UnreachableError
    return kind("the database cannot be reached")


def no_room() -> AccordError:
    """The error to show for a database that opens no connection because its disk is full."""
    return AccordError(
        ErrorCode.DISK_FULL,
        "The disk of the database is full, so that it opens no connection. Nothing was changed.",
        "Make room there, then try again.",
    )


def unanswered() -> ConnectionError:
    """The error for a statement that the database did not answer before our deadline. It may have been executed."""
    return ConnectionError("the database did not answer in time")


def all_busy() -> AccordError:
    """The error for whoever gets no connection because all are used. Nothing was executed."""
    return AccordError(
        ErrorCode.BUSY,
        "All connections to the database are busy with other requests.",
        "Nothing was executed. Send the request again shortly.",
    )


def _unreachable(message: str) -> AccordError:
    return AccordError(
        ErrorCode.DATABASE_UNREACHABLE,
        message,
        "Check DATABASE_URL (postgresql://user:password@host:5432/database), or unset it to use Accord's own server.",
    )
