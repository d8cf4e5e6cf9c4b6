"""GraphQL responses with their headers, and the errors that the HTTP edge returns before any GraphQL runs."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from api.db import NOWHERE, watermark_text
from api.errors import AccordError, ErrorCode
from api.graph.replica_source import Freshness
from api.telemetry.request_record import note_error
from api.web.media_types import MediaType

# For a browser that is made to display a response: do not guess another media type, load nothing, run nothing. For a
# cache: what a response depends on, whether or not the request had these headers.
RESPONSE_HEADERS = {
    "Vary": "Accept, Accept-Encoding, Origin",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def encode_headers(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers in the form that ASGI sends: lower-case names, bytes."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


# A response is true for this moment only, so no cache may store it. One with a secret is not compressed either: from
# the lengths of many compressed responses, a page that can also place text into them could find the secret (BREACH).
SECRET_CACHE_CONTROL = "no-store, no-transform"  # noqa: S105 - the value of a header
_ENCODED_HEADERS = {
    (media_type, is_secret): encode_headers(
        {
            "Content-Type": f"{media_type}; charset=utf-8",
            "Cache-Control": SECRET_CACHE_CONTROL if is_secret else "no-store",
            **RESPONSE_HEADERS,
        }
    )
    for media_type in MediaType
    for is_secret in (False, True)
}

WATERMARK_HEADER, LAG_HEADER = b"accord-watermark", b"accord-replica-lag"
# Where there is no replica, every read has what was written: any watermark will do.
_WITHOUT_REPLICA = [(WATERMARK_HEADER, watermark_text(NOWHERE).encode())]


def freshness_headers(freshness: Freshness | None, *, is_mutation: bool) -> list[tuple[bytes, bytes]]:
    """The headers that say what a mutation has written, or how many seconds the replica was behind that was read.

    Without a read replica there is no `freshness`.
    """
    if freshness is None:
        return _WITHOUT_REPLICA if is_mutation else []
    if freshness.committed is not None:
        return [(WATERMARK_HEADER, watermark_text(freshness.committed).encode())]
    return [] if freshness.lag_seconds is None else [(LAG_HEADER, b"%.1f" % freshness.lag_seconds)]


class HttpError(AccordError):
    """An expected error that is returned with an HTTP status of its own."""

    def __init__(
        self,
        status: int,
        message: str,
        remedy: str,
        *,
        code: ErrorCode = ErrorCode.BAD_REQUEST,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message, remedy)
        self.status = status
        self.headers = dict(headers or {})


def error_entry(error: AccordError) -> dict[str, object]:
    """The entry of `errors` for an expected error: what was wrong, what to do, and a code for programs."""
    return {"message": str(error), "extensions": {"code": error.code.value, "remedy": error.remedy}}


class GraphQLResponse(Response):
    """A GraphQL response. All headers but Content-Length are encoded once, when this module is imported.

    `is_secret` marks a response that shows a key or a session.
    """

    def __init__(
        self, body: bytes, status: int, media_type: MediaType = MediaType.JSON, *, is_secret: bool = False
    ) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [*_ENCODED_HEADERS[media_type, is_secret], (b"content-length", b"%d" % len(body))]


def http_error_response(error: HttpError, media_type: MediaType = MediaType.JSON) -> GraphQLResponse:
    """A GraphQL response with `errors` and no `data`, with the status and headers of the error."""
    note_error(error.code.value)
    response = GraphQLResponse(orjson.dumps({"errors": [error_entry(error)]}), error.status, media_type)
    response.headers.update(error.headers)
    return response
