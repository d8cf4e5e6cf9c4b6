"""Errors of an execution on their way out: expected ones are told with their code, bugs are masked and logged."""

import logging
import secrets
from typing import Any

from graphql import GraphQLError

from api.errors import AccordError, ErrorCode
from api.web.refusals import told

logger = logging.getLogger("accord.web")


def error_entry(error: GraphQLError) -> dict[str, Any]:
    """The entry of `errors` for one GraphQL error; its path and locations stay, a bug's words do not."""
    entry: dict[str, Any] = dict(error.formatted)
    cause = _root_cause(error)
    if isinstance(cause, AccordError):
        entry |= told(cause)
    elif _is_bug(error, cause):
        entry |= masked(cause, ".".join(map(str, error.path)) if error.path else "the request")
    return entry


def masked(bug: BaseException, where: str) -> dict[str, Any]:
    """Log a bug under a new id and return the entry that names the id and nothing else."""
    error_id = secrets.token_hex(6)
    logger.error("Error %s at %s", error_id, where, exc_info=bug)
    return {
        "message": f"Something went wrong in Accord. The server's log has it as error {error_id}.",
        "extensions": {"code": ErrorCode.INTERNAL.value, "errorId": error_id},
    }


def is_request_error(error: GraphQLError) -> bool:
    """Whether nothing was executed: an error of the document or its variables has no path into a response."""
    return error.path is None


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
