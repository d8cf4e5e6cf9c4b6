"""Errors on their way out: expected ones are told with their code, bugs are masked and logged under an id."""

import asyncio
import logging
import secrets
from typing import Any

import asyncpg
import orjson
from graphql import GraphQLError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import AccordError, ErrorCode
from api.web.responses import GraphQLResponse, told

logger = logging.getLogger("accord.web")

_STATUS = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.DATABASE_UNREACHABLE: 503,
    ErrorCode.DATABASE_OUTDATED: 503,
    ErrorCode.DATABASE_NEWER: 503,
    ErrorCode.TIMED_OUT: 503,
}

# The server stopped, restarts, or takes no more connections; ConnectionError is the socket's way to say so, and the
# internal error the driver's, where the server's last word came while nothing was asked.
_OUTAGES = (
    ConnectionError,
    asyncpg.InternalClientError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InvalidCatalogNameError,
)


def error_entry(error: GraphQLError) -> dict[str, Any]:
    """The entry of `errors` for one GraphQL error; its path and locations stay, a bug's words do not."""
    entry: dict[str, Any] = dict(error.formatted)
    cause = _root_cause(error)
    expected = _expected(cause)
    if expected is not None:
        entry |= told(expected)
    elif _is_bug(error, cause):
        entry |= masked(cause, ".".join(map(str, error.path)) if error.path else "the request")
    return entry


def is_request_error(error: GraphQLError) -> bool:
    """Whether nothing was executed: an error of the document or its variables has no path into a response."""
    return error.path is None


def masked(bug: BaseException, where: str) -> dict[str, Any]:
    """Log a bug under a new id and return the entry that names the id and nothing else."""
    error_id = secrets.token_hex(6)
    logger.error("Error %s at %s", error_id, where, exc_info=bug)
    return {
        "message": f"Something went wrong in Accord. The server's log has it as error {error_id}.",
        "extensions": {"code": ErrorCode.INTERNAL.value, "errorId": error_id},
    }


def failed(error: Exception, scope: Scope) -> GraphQLResponse:
    """The answer to a request that could not be answered."""
    expected = _expected(error)
    entry = told(expected) if expected else masked(error, f"{scope['method']} {scope['path']}")
    status = _STATUS.get(expected.code, 400) if expected else 500
    return GraphQLResponse(orjson.dumps({"errors": [entry]}), status)


class FaultBarrier:
    """Turns whatever the application raises into an answer, inside the guards: it carries their headers too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and answer for the application if it cannot."""
        has_begun = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except Exception as error:
            if has_begun or scope["type"] != "http":
                raise  # the response is on its way, or there is none: the server's log is all that is left
            await failed(error, scope)(scope, receive, send)


def _expected(error: BaseException) -> AccordError | None:
    """The error as one that is not our bug, if it is none: told by us, or the database's state."""
    if isinstance(error, AccordError):
        return error
    if isinstance(error, asyncpg.QueryCanceledError):
        return AccordError(
            ErrorCode.TIMED_OUT,
            "The question took longer than a question may.",
            "Ask for a shorter period, fewer records or fewer levels.",
        )
    # Leaving a transaction whose connection is gone raises once more, on top of the reason.
    reasons = (*_OUTAGES, asyncio.CancelledError)
    if isinstance(error, _OUTAGES) or (
        isinstance(error, asyncpg.InterfaceError) and isinstance(error.__context__, reasons)
    ):
        return AccordError(
            ErrorCode.DATABASE_UNREACHABLE,
            "The database cannot be reached just now.",
            "Ask again in a moment; /readyz tells when it is back.",
        )
    return None


def _root_cause(error: GraphQLError) -> BaseException:
    """The exception at the bottom: GraphQL errors wrap each other when a variable's inner value is wrong."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_bug(error: GraphQLError, cause: BaseException) -> bool:
    """Whether the words of an error are not meant for the caller.

    GraphQL's own errors are. A foreign exception is the caller's only where a scalar refused a literal or a variable:
    then GraphQL has put it into its own sentence, which points into the document and at no field of the response.
    """
    if isinstance(cause, GraphQLError):
        return False
    return error.path is not None or not error.nodes
