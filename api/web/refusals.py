"""A request that the HTTP edge turns away before any GraphQL runs, and how an error of any kind is told."""

from collections.abc import Mapping

import orjson
from starlette.responses import Response

from api.errors import AccordError, ErrorCode
from api.web.media import MediaType


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


def refused(refusal: RefusalError, media_type: MediaType = MediaType.JSON) -> Response:
    """A refusal as a GraphQL response that has errors and no data."""
    response = graphql_response(orjson.dumps({"errors": [told(refusal)]}), refusal.status, media_type)
    response.headers.update(refusal.headers)
    return response


def graphql_response(body: bytes, status: int, media_type: MediaType = MediaType.JSON) -> Response:
    """A GraphQL response; what it says is of this moment, so nobody keeps it."""
    return Response(
        body,
        status_code=status,
        headers={"Content-Type": f"{media_type}; charset=utf-8", "Cache-Control": "no-store", "Vary": "Accept"},
    )
