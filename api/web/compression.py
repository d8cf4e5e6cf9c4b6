"""Compression of responses: the content coding by the request's `Accept-Encoding`, and the levels.

The levels are fast ones. At them a long list takes a quarter of its size, for a twentieth of the time in which
PostgreSQL writes it; higher levels save a few percent more and take several times as long.
`python -m tests.bench.compression` measures them.
"""

import asyncio
import sys
import zlib
from collections.abc import Iterable
from enum import StrEnum

import brotli  # type: ignore[import-untyped]
from isal import isal_zlib
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.media_types import cached_by_header, weighted_values
from api.web.responses import HttpError, http_error_response

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

LEAST_BYTES = 1_400
"""A smaller body fits one packet with its head, so compression would save nothing."""
MOST_BYTES_IN_LOOP = 256 * 1024
"""A larger body takes milliseconds, so a thread compresses it and the event loop serves other requests meanwhile."""

_GZIP = 31  # zlib's number for the format of gzip
_TEXT = (
    b"application/json",
    b"application/graphql-response+json",
    b"text/",
    b"image/svg+xml",
    b"application/javascript",
)


class ContentCoding(StrEnum):
    """The content codings of responses, in the order of preference among those that a client accepts equally."""

    ZSTD = "zstd"
    BROTLI = "br"
    GZIP = "gzip"
    IDENTITY = "identity"

    def compress(self, body: bytes, *, is_kept: bool = False) -> bytes:
        """The body in this coding. One that is kept and sent many times may take longer to become smaller."""
        match self:
            case ContentCoding.ZSTD:
                return zstd.compress(body, 9 if is_kept else 1)
            case ContentCoding.BROTLI:
                compressed: bytes = brotli.compress(body, quality=9 if is_kept else 1)
                return compressed
            case ContentCoding.GZIP:
                return zlib.compress(body, 9, wbits=_GZIP) if is_kept else isal_zlib.compress(body, 2, wbits=_GZIP)
            case ContentCoding.IDENTITY:
                return body


# A client that names no coding and accepts any gets the one that every client can read.
_BY_WILDCARD = (ContentCoding.BROTLI, ContentCoding.ZSTD, ContentCoding.GZIP)
_ALIASES = {"x-gzip": "gzip"}


@cached_by_header
def negotiate_coding(header: bytes | None) -> ContentCoding | None:
    """The coding that the client accepts with the highest weight; None if it accepts none that the server has.

    Equal weights: zstd, Brotli, gzip. A response without any coding is acceptable unless the header excludes it, and
    is sent if the header prefers it or accepts nothing else.
    """
    weights = {_ALIASES.get(name, name): weight for name, weight in weighted_values(header or b"")}
    wildcard = weights.pop("*", None)
    order = list(ContentCoding)
    named = [(weights[coding], True, -order.index(coding), coding) for coding in order if coding in weights]
    others = [(wildcard or 0, False, rank, coding) for rank, coding in enumerate(_BY_WILDCARD) if coding not in weights]
    accepted = [candidate for candidate in (*named, *others) if candidate[0] > 0]
    if accepted:
        return max(accepted)[-1]
    return None if requires_coding(header) else ContentCoding.IDENTITY


@cached_by_header
def requires_coding(header: bytes | None) -> bool:
    """Whether the client excludes responses without any coding, which are compressed then whatever their size."""
    weights = dict(weighted_values(header or b""))
    return weights.get("identity", weights.get("*")) == 0


def accept_encoding(scope: Scope) -> bytes | None:
    """The request's `Accept-Encoding`; None without one."""
    return next((value for name, value in scope["headers"] if name == b"accept-encoding"), None)


class CompressionMiddleware:
    """Compresses responses that are sent in one piece, are text, are large enough, and do not forbid it.

    `Cache-Control: no-transform` forbids it: see `api.web.responses.SECRET_CACHE_CONTROL`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back in a coding that the client accepts."""
        accepted = accept_encoding(scope) if scope["type"] == "http" else None
        if accepted is None:
            await self._app(scope, receive, send)
            return
        coding = negotiate_coding(accepted)
        if coding is None:
            message = "`Accept-Encoding` allows no content coding that the server supports."
            error = HttpError(406, message, "Accept zstd, br, gzip or identity.", code=ErrorCode.NOT_ACCEPTABLE)
            await http_error_response(error)(scope, receive, send)
        elif coding is ContentCoding.IDENTITY:
            await self._app(scope, receive, send)
        else:
            least = 1 if requires_coding(accepted) else LEAST_BYTES
            await self._app(scope, receive, _Compressor(send, coding, least).send)


class _Compressor:
    """Holds the head of one response back until its body shows whether it is compressed."""

    __slots__ = ("_coding", "_least", "_send", "_start")

    def __init__(self, send: Send, coding: ContentCoding, least: int) -> None:
        self._send = send
        self._coding = coding
        self._least = least
        self._start: Message | None = None

    async def send(self, message: Message) -> None:
        """Send a part of the response."""
        if message["type"] == "http.response.start":
            self._start = message
            return
        start, self._start = self._start, None
        if start is not None:
            body = message.get("body", b"")
            if len(body) >= self._least and not message.get("more_body") and is_compressible(start["headers"]):
                compressed = await self._compress(body)
                start = {**start, "headers": coded_headers(start["headers"], self._coding, len(compressed))}
                message = {**message, "body": compressed}
            await self._send(start)
        await self._send(message)

    async def _compress(self, body: bytes) -> bytes:
        if len(body) <= MOST_BYTES_IN_LOOP:
            return self._coding.compress(body)
        return await asyncio.to_thread(self._coding.compress, body)


def is_compressible(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether a whole response may be compressed: it is text, has no coding yet, and does not forbid it."""
    is_text = False
    for name, value in headers:
        if name == b"content-type":
            is_text = value.startswith(_TEXT)
        elif name in (b"content-encoding", b"content-range") or (name == b"cache-control" and b"no-transform" in value):
            return False
    return is_text


def coded_headers(headers: list[tuple[bytes, bytes]], coding: ContentCoding, length: int) -> list[tuple[bytes, bytes]]:
    """The headers of the compressed response. Its bytes differ from the original's, so its ETag becomes a weak one."""
    coded = []
    for name, value in headers:
        if name == b"etag" and not value.startswith(b"W/"):
            coded.append((name, b"W/" + value))
        elif name != b"content-length":
            coded.append((name, value))
    return [*coded, (b"content-encoding", coding.encode()), (b"content-length", b"%d" % length)]
