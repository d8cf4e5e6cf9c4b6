"""Reading and validating GraphQL-over-HTTP requests, sent with GET or POST."""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope

from api.db import WalPosition, read_watermark
from api.errors import AccordError, ErrorCode
from api.graph.request import GraphQLRequest
from api.web.responses import WATERMARK_HEADER, HttpError

BODY_LIMIT_BYTES = 2 * 1024 * 1024
"""Documents that people write are far smaller. A larger body is a mistake or an attack."""

PERSISTED_QUERY_VERSION = 1
_SHA256 = re.compile(r"[0-9a-fA-F]{64}")

Headers = Mapping[bytes, bytes]


async def read_post(headers: Headers, receive: Receive) -> GraphQLRequest:
    """The GraphQL request in the JSON body of a POST. Errors: HttpError if it is malformed or too large."""
    # Browsers send this type across origins only after a CORS preflight, so a form on a foreign page cannot post here.
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json":
        _require_json(content_type.decode("latin-1"))
    body = await _read_body(headers, receive)
    return _validated(_json_object(_parse_json(body, "The request body"), "The request body"))


def read_get(scope: Scope) -> GraphQLRequest:
    """The GraphQL request in the parameters of a GET. Errors: HttpError if it is malformed."""
    parameters: dict[str, Any] = dict(Request(scope).query_params)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        # An empty parameter counts as absent; browsers send one for an empty form field.
        parameters[name] = _parse_json(text.encode(), f"The parameter `{name}`") if text else None
    return _validated(parameters)


def sent_watermark(headers: Headers) -> WalPosition | None:
    """What the client has written, which the response may not lack. Errors: HttpError for a malformed header."""
    sent = headers.get(WATERMARK_HEADER)
    if sent is None:
        return None
    try:
        return read_watermark(sent.decode("latin-1"))
    except AccordError as error:
        raise HttpError(400, error.message, error.remedy, code=error.code) from error


def _validated(parameters: dict[str, Any]) -> GraphQLRequest:
    query = parameters.get("query")
    # Persisted queries are the only extension of requests; any other is ignored, but has to be an object as well.
    extensions = _optional_object(parameters, "extensions")
    query_hash = _query_hash(extensions) if extensions else None
    if query_hash is not None and query in (None, ""):
        query = ""
    elif not isinstance(query, str) or not query.strip():
        raise HttpError(400, "The request has no `query`.", "Send a GraphQL document in it, as a non-empty string.")
    operation_name = parameters.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise HttpError(400, "`operationName` is not a string.", "Name an operation of the document, or leave it out.")
    return GraphQLRequest(query, _optional_object(parameters, "variables") or {}, operation_name or None, query_hash)


def _query_hash(extensions: Mapping[str, Any]) -> str | None:
    """The hash of a persisted query. Errors: HttpError if it is malformed, or of an unknown version."""
    persisted = extensions.get("persistedQuery")
    if persisted is None:
        return None
    given = _json_object(persisted, "`extensions.persistedQuery`")
    if given.get("version") != PERSISTED_QUERY_VERSION:
        raise HttpError(
            400,
            f"`extensions.persistedQuery.version` is {given.get('version')!r}.",
            f"The server supports version {PERSISTED_QUERY_VERSION} of automatic persisted queries.",
        )
    query_hash = given.get("sha256Hash")
    if not isinstance(query_hash, str) or not _SHA256.fullmatch(query_hash):
        message = "`extensions.persistedQuery.sha256Hash` is not the SHA-256 of a document."
        raise HttpError(400, message, "Send 64 hexadecimal digits.")
    return query_hash.lower()


def _optional_object(parameters: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = parameters.get(name)
    return None if value is None else _json_object(value, f"`{name}`")


def _json_object(value: object, subject: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise HttpError(400, f"{subject} is {_kind(value)}.", "Send a JSON object; batches are not supported.")
    return value


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "a list"


def _require_json(content_type: str) -> None:
    media_type, _, parameters = content_type.partition(";")
    if media_type.strip().lower() != "application/json":
        raise _not_json("The POST is not sent as JSON.", "Set the header `Content-Type: application/json`.")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        raise _not_json("The encoding of the body is not UTF-8.", "Send JSON in UTF-8.")


def _not_json(message: str, remedy: str) -> HttpError:
    return HttpError(415, message, remedy, code=ErrorCode.UNSUPPORTED_MEDIA_TYPE)


async def _read_body(headers: Headers, receive: Receive) -> bytes:
    """The body. One over the limit is rejected early: by Content-Length, otherwise as soon as the limit is passed."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > BODY_LIMIT_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    length, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise HttpError(400, "The request ended before its body was complete.", "Send it again.")
        chunks.append(message.get("body", b""))
        is_more = message.get("more_body", False)
        length += len(chunks[-1])
        if length > BODY_LIMIT_BYTES:
            raise _too_large()
    return b"".join(chunks)


def _too_large() -> HttpError:
    return HttpError(
        413,
        f"The request is larger than {BODY_LIMIT_BYTES // (1024 * 1024)} MiB.",
        "Split it into several requests, or request less.",
        code=ErrorCode.TOO_LARGE,
    )


def _parse_json(text: bytes, subject: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise HttpError(400, f"{subject} is not valid JSON: {error}.", "Send JSON text in UTF-8.") from error
