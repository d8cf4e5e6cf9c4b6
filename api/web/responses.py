"""A request that the HTTP edge turns away before any GraphQL runs, and how an error of any kind is told."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from api.errors import AccordError, ErrorCode
from api.web.media_types import MediaType

# What a browser heeds in an answer it was made to show: it is what it says, and may load and run nothing.
ANSWER_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}


def as_sent(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Headers as ASGI sends them."""
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


# What an answer says is of this moment, so nobody keeps it.
_SENT = {
    each: as_sent({"Content-Type": f"{each}; charset=utf-8", "Cache-Control": "no-store", **ANSWER_HEADERS})
    for each in MediaType
}


class RefusalError(AccordError):
    """An expected error with the HTTP status it is refused with."""

    def __init__(
        self,
        status: int,
        message: str,
        remedy: str,
        *,
        code: ErrorCode = ErrorCode.BAD_INPUT,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(code, message, remedy)
        self.status = status
        self.headers = dict(headers or {})


def told(error: AccordError) -> dict[str, object]:
    """An expected error as a GraphQL error entry: what was wrong, what to do, and the code programs go by."""
    return {"message": str(error), "extensions": {"code": error.code.value, "remedy": error.remedy}}


class GraphQLResponse(Response):
    """A GraphQL response. Its headers are known beforehand, but for the length: none is put together anew each time."""

    def __init__(self, body: bytes, status: int, media_type: MediaType = MediaType.JSON) -> None:
        self.status_code, self.body, self.background = status, body, None
        self.raw_headers = [*_SENT[media_type], (b"content-length", b"%d" % len(body))]


def refused(refusal: RefusalError, media_type: MediaType = MediaType.JSON) -> Response:
    """A refusal as a GraphQL response that has errors and no data."""
    response = GraphQLResponse(orjson.dumps({"errors": [told(refusal)]}), refusal.status, media_type)
    response.headers.update(refusal.headers)
    return response
