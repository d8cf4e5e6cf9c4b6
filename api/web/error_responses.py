"""Responses for exceptions: expected errors with their code; bugs masked, and logged under an id."""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from graphql import GraphQLError, GraphQLSyntaxError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.db import expected_error
from api.errors import AccordError, ErrorCode, RetryLaterError
from api.telemetry.request_record import note_error
from api.traffic.deadline import ClientLeft
from api.traffic.rate_limit import WINDOW_SECONDS, Balance
from api.web.media_types import MediaType
from api.web.responses import GraphQLResponse, HttpError, error_entry, http_error_response

logger = logging.getLogger("accord.web")

_STATUS = {
    ErrorCode.NOT_FOUND: 404,
    ErrorCode.TOO_LARGE: 413,
    ErrorCode.DATABASE_UNREACHABLE: 503,
    ErrorCode.DATABASE_RIGHTS: 503,
    ErrorCode.DISK_FULL: 503,
    ErrorCode.BUSY: 503,
    ErrorCode.DATABASE_OUTDATED: 503,
    ErrorCode.DATABASE_NEWER: 503,
    ErrorCode.DATABASE_VERSION: 503,
    ErrorCode.TIMED_OUT: 503,
    ErrorCode.OVERLOADED: 503,
    ErrorCode.RATE_LIMITED: 429,
}
_TRAFFIC = frozenset({ErrorCode.TIMED_OUT, ErrorCode.OVERLOADED, ErrorCode.RATE_LIMITED})

# What passes by itself: the same request can be sent again after so many seconds. An outage is tried every 0.25 s.
_PASSING = {ErrorCode.DATABASE_UNREACHABLE.value, ErrorCode.DISK_FULL.value, ErrorCode.BUSY.value}
RETRY_AFTER = {"Retry-After": "1"}


def unavailable_response(entries: Sequence[Mapping[str, Any]], media_type: MediaType) -> GraphQLResponse | None:
    """The response to a request of which nothing was executed because of an outage; None if that is not the reason.

    It has status 503 and `Retry-After` for both media types, so that clients and balancers try again.
    """
    codes = {entry.get("extensions", {}).get("code") for entry in entries}
    if not codes or not codes <= _PASSING:
        return None
    response = GraphQLResponse(orjson.dumps({"errors": entries}), 503, media_type)
    response.headers.update(RETRY_AFTER)
    return response


def graphql_error_entry(error: GraphQLError, code: ErrorCode = ErrorCode.BAD_INPUT) -> dict[str, Any]:
    """The entry of `errors` for a GraphQL error. Path and locations are kept; the message of a bug is masked.

    `code` is that of an error of GraphQL itself: by default a variable or an argument whose value is not valid.
    """
    entry: dict[str, Any] = dict(error.formatted)
    cause = _root_cause(error)
    expected = expected_error(cause)
    if expected is not None:
        entry |= error_entry(expected)
    elif _is_bug(error, cause):
        entry |= masked_entry(cause, ".".join(map(str, error.path)) if error.path else "the request")
    else:
        own = ErrorCode.GRAPHQL_PARSE_FAILED if isinstance(error, GraphQLSyntaxError) else code
        entry["extensions"] = {**entry.get("extensions", {}), "code": own.value}
    note_error(entry["extensions"]["code"])
    return entry


def is_request_error(error: GraphQLError) -> bool:
    """Whether nothing was executed: an error in the document or its variables has no path into a response."""
    return error.path is None


def masked_entry(bug: BaseException, where: str) -> dict[str, Any]:
    """Log a bug under a new id, and return an entry of `errors` that has the id and no other detail."""
    error_id = secrets.token_hex(6)
    logger.error("Error %s at %s", error_id, where, exc_info=bug)
    return {
        "message": f"An internal error occurred. The server log records it as error {error_id}.",
        "extensions": {"code": ErrorCode.INTERNAL.value, "errorId": error_id},
    }


def failure_response(error: Exception, scope: Scope, media_type: MediaType = MediaType.JSON) -> GraphQLResponse:
    """The response for an exception that ended a request."""
    expected = expected_error(error)
    if isinstance(expected, HttpError):
        return http_error_response(expected, media_type)
    if expected is not None and (refusal := unexecuted_response(expected, media_type)) is not None:
        return refusal
    entry = error_entry(expected) if expected else masked_entry(error, f"{scope['method']} {scope['path']}")
    if (response := unavailable_response([entry], media_type)) is not None:
        return response
    status = _STATUS.get(expected.code, 400) if expected else 500
    note_error(expected.code.value if expected else ErrorCode.INTERNAL.value)
    return GraphQLResponse(orjson.dumps({"errors": [entry]}), status, media_type)


def unexecuted_response(error: AccordError, media_type: MediaType = MediaType.JSON) -> GraphQLResponse | None:
    """The response to a request that the traffic rules ended; None for any other error."""
    if error.code not in _TRAFFIC:
        return None
    headers = {"Retry-After": str(error.retry_after)} if isinstance(error, RetryLaterError) else {}
    status = _STATUS[error.code]
    return http_error_response(
        HttpError(status, error.message, error.remedy, code=error.code, headers=headers), media_type
    )


def balance_headers(balance: Balance) -> list[tuple[bytes, bytes]]:
    """What a principal has left, as the IETF draft `RateLimit header fields for HTTP` writes it.

    `q` is the cost per window of `w` seconds, `r` what is left of it, `t` the seconds until it is whole again.
    """
    return [
        (b"ratelimit-policy", b'"cost";q=%d;w=%d' % (balance.quota, WINDOW_SECONDS)),
        (b"ratelimit", b'"cost";r=%d;t=%d' % (balance.left, balance.seconds)),
    ]


class ErrorMiddleware:
    """Turns exceptions into responses. It runs inside the other middleware, which adds its headers to them too."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on. If the application raises before it responds, send an error response."""
        has_started = False

        async def send_and_note(message: Message) -> None:
            nonlocal has_started
            has_started = True
            await send(message)

        try:
            await self._app(scope, receive, send_and_note)
        except ClientLeft:
            return  # nobody reads a response
        except Exception as error:
            if has_started or scope["type"] != "http":
                raise  # no response can be sent any more; uvicorn logs the exception
            await failure_response(error, scope)(scope, receive, send)


def _root_cause(error: GraphQLError) -> BaseException:
    """The innermost exception. GraphQL wraps an error several times if the inner value of a variable is invalid."""
    cause: BaseException = error
    while isinstance(cause, GraphQLError) and cause.original_error is not None:
        cause = cause.original_error
    return cause


def _is_bug(error: GraphQLError, cause: BaseException) -> bool:
    """Whether the message of an error must not be shown to the caller.

    Messages of GraphQL's own errors may be shown. So may those of a scalar that rejects a literal or a variable:
    GraphQL puts them into a sentence of its own, with a location in the document and without a response path.
    """
    if isinstance(cause, GraphQLError):
        return False
    return error.path is not None or not error.nodes
