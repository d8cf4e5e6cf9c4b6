"""What a GraphQL-over-HTTP request asks, read from a GET or a POST and checked before anything runs."""

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.requests import Request
from starlette.types import Receive, Scope

from api.errors import ErrorCode
from api.graph.request import GraphQLRequest
from api.web.responses import RefusalError

BODY_LIMIT_BYTES = 256 * 1024
"""No document an analyst writes comes near this; a larger body is a mistake or an attack."""


Headers = Mapping[bytes, bytes]


async def posted(headers: Headers, receive: Receive) -> GraphQLRequest:
    """The question in a POST's JSON body. Errors: RefusalError for what is none."""
    # Only this type makes a browser ask first (CORS preflight), so no form on a foreign page can post here.
    content_type = headers.get(b"content-type", b"")
    if content_type != b"application/json":
        _require_json(content_type.decode("latin-1"))
    body = await _bounded_body(headers, receive)
    return _question(_object(_json(body, "The request body"), "The request body"))


def in_address(scope: Scope) -> GraphQLRequest:
    """The question in a GET's parameters. Errors: RefusalError for what is none."""
    parameters: dict[str, Any] = dict(Request(scope).query_params)
    for name in ("variables", "extensions"):
        text = parameters.get(name)
        # An absent parameter and an empty one mean the same; browsers send the latter for an empty field.
        parameters[name] = _json(text.encode(), f"The parameter `{name}`") if text else None
    return _question(parameters)


def _question(given: dict[str, Any]) -> GraphQLRequest:
    query = given.get("query")
    if not isinstance(query, str) or not query.strip():
        raise RefusalError(
            400, "The request has no `query`.", "Give it a GraphQL document as a string that is not empty."
        )
    operation_name = given.get("operationName")
    if operation_name is not None and not isinstance(operation_name, str):
        raise RefusalError(
            400, "`operationName` is not a string.", "Name an operation of the document, or leave it out."
        )
    _optional_object(given, "extensions")  # none is known: what is no object is a mistake all the same
    return GraphQLRequest(query, _optional_object(given, "variables") or {}, operation_name or None)


def _optional_object(given: dict[str, Any], name: str) -> dict[str, Any] | None:
    value = given.get(name)
    return None if value is None else _object(value, f"`{name}`")


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise RefusalError(
            400, f"{what} is {_kind(value)}.", "It must be a JSON object; requests are sent one at a time."
        )
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
        raise RefusalError(415, "The POST is not sent as JSON.", "Set the header `Content-Type: application/json`.")
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        raise RefusalError(415, "The body's encoding is not UTF-8.", "Send UTF-8, the one encoding of JSON.")


async def _bounded_body(headers: Headers, receive: Receive) -> bytes:
    """The body, refused as soon as it is known to be too long: by its header, else while it arrives."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > BODY_LIMIT_BYTES:
        raise _too_large()
    chunks: list[bytes] = []
    length, is_more = 0, True
    while is_more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise RefusalError(400, "The request ended before its body did.", "Send it again.")
        chunks.append(message.get("body", b""))
        is_more = message.get("more_body", False)
        length += len(chunks[-1])
        if length > BODY_LIMIT_BYTES:
            raise _too_large()
    return b"".join(chunks)


def _too_large() -> RefusalError:
    return RefusalError(
        413,
        f"The request is larger than {BODY_LIMIT_BYTES // 1024} KiB.",
        "Ask in several requests, or for less in one.",
        code=ErrorCode.TOO_LARGE,
    )


def _json(text: bytes, what: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise RefusalError(400, f"{what} is not valid JSON: {error}.", "Send JSON text in UTF-8.") from error
