"""Database failures that are not bugs: the driver's exceptions, and the errors that users see for them."""

import asyncio

import asyncpg

from api.db.failures import NoRoomError, no_room
from api.errors import AccordError, ErrorCode

# The remedy depends on what filled the disk, so callers write this message themselves.
DiskFullError = asyncpg.DiskFullError

# The server stopped, restarts, or accepts no more connections. ConnectionError comes from the socket. asyncpg raises
# InternalClientError if the server ends an idle connection while a new statement is being sent.
_OUTAGES = (
    ConnectionError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidCatalogNameError,
)
# The user of the connection, or a database that is read-only as a whole, such as a standby.
_RIGHTS = (asyncpg.InsufficientPrivilegeError, asyncpg.ReadOnlySQLTransactionError)


def expected_error(error: BaseException) -> AccordError | None:
    """The error to show the caller if it was expected; None if it is a bug."""
    if isinstance(error, AccordError):
        return error
    if isinstance(error, asyncpg.QueryCanceledError):
        return AccordError(
            ErrorCode.TIMED_OUT,
            "The request took longer than the time limit.",
            "Request a shorter period, fewer records or fewer levels.",
        )
    if isinstance(error, asyncpg.LockNotAvailableError):
        return AccordError(
            ErrorCode.BUSY,
            "Another transaction holds a lock on a table of the request, and did not release it in time.",
            "Send the request again shortly.",
        )
    if isinstance(error, NoRoomError):
        return no_room()
    if isinstance(error, _OUTAGES) or _is_follow_up(error):
        return AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            "The database cannot be reached at the moment.",
            "Try again shortly; /readyz reports when it is available.",
        )
    if isinstance(error, asyncpg.DiskFullError):
        return AccordError(
            ErrorCode.DISK_FULL,
            f"The disk of the database is full ({_first_line(error)}). Nothing was changed.",
            "Make room there, then try again.",
        )
    if isinstance(error, _RIGHTS):
        return AccordError(
            ErrorCode.DATABASE_RIGHTS,
            f"The database does not let its user do this ({_first_line(error)}). Nothing was changed.",
            "Give the user of DATABASE_URL the right to read and write Accord's tables, on a database that is not "
            "read-only.",
        )
    return None


def _first_line(error: BaseException) -> str:
    return str(error).partition("\n")[0].rstrip(".")


def _is_follow_up(error: BaseException) -> bool:
    """Whether closing a transaction on a lost connection raised a second error on top of the outage."""
    return isinstance(error, asyncpg.InterfaceError) and isinstance(
        error.__context__, (*_OUTAGES, asyncio.CancelledError)
    )
