"""Cross-origin access (CORS): which pages of other origins may send requests and read responses."""

import logging
import re
from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.responses import RESPONSE_HEADERS, HttpError, encode_headers, http_error_response

logger = logging.getLogger("accord.web")

PREFLIGHT_SECONDS = 7_200
"""How long a browser may keep the result of a preflight. Chromium keeps none for longer."""

REQUEST_HEADERS = (
    "Accord-Explain",
    "Accord-Watermark",
    "Authorization",
    "Content-Type",
    "GraphQL-Preflight",
    # names of clients and operations
    "Apollo-Require-Preflight",
    "ApolloGraphQL-Client-Name",
    "ApolloGraphQL-Client-Version",
    "GraphQL-Client-Name",
    "GraphQL-Client-Version",
    "X-Apollo-Operation-Id",
    "X-Apollo-Operation-Name",
    "X-Apollo-Operation-Type",
    "X-Requested-With",
    # tracing: W3C, Sentry, B3, Datadog, AWS, and plain ids
    "B3",
    "Baggage",
    "Sentry-Trace",
    "Traceparent",
    "Tracestate",
    "X-Amzn-Trace-Id",
    "X-B3-ParentSpanId",
    "X-B3-Sampled",
    "X-B3-SpanId",
    "X-B3-TraceId",
    "X-Correlation-Id",
    "X-Datadog-Origin",
    "X-Datadog-Parent-Id",
    "X-Datadog-Sampling-Priority",
    "X-Datadog-Trace-Id",
    "X-Request-Id",
)
RESPONSE_HEADERS_READ = (
    "Accord-Replica-Lag",
    "Accord-Watermark",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "Server-Timing",
    "X-Request-Id",
)
METHODS = ("GET", "POST")

# A front-end in development is served from another port of this machine.
_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_IMPLIED_PORTS = {"http": b":80", "https": b":443"}
_LONGEST_ORIGIN = 300  # bytes; longer ones are refused unread
_MOST_LOGGED = 100  # origins; the log says when it is the last one

_TO_ALLOW = "To allow it, add it to ACCORD_ALLOWED_ORIGINS."
_FROM_A_FILE = "It is a file or in a sandbox, and cannot be allowed. Serve it from a web server."

_SAFELISTED = frozenset({"accept", "accept-language", "content-language"})
_ALLOWED_HEADERS = frozenset(name.lower() for name in REQUEST_HEADERS) | _SAFELISTED


class CrossOriginMiddleware:
    """Lets pages of allowed origins send requests and read responses. Browsers send no cookies along.

    `origins` are allowed beside loopback: exact ones, and ones such as `https://*.preview.example`, where the asterisk
    stands for one label of the name. A page of any other origin can read no response, and can send no request that a
    browser checks in advance: a POST, or one with headers of its own. What it sends without a credential is refused:
    the local operator, who needs none, serves no other site, not even blindly.
    """

    def __init__(self, app: ASGIApp, origins: Iterable[str] = ()) -> None:
        self._app = app
        patterns = [_LOOPBACK_ORIGIN, *(re.escape(origin).replace(r"\*", "[a-z0-9-]{1,63}") for origin in origins)]
        self._allowed = re.compile("|".join(f"(?:{pattern})" for pattern in patterns))
        self._logged: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; answer a preflight."""
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        sent = headers.get(b"origin")
        if sent is None:
            is_embedded = (
                headers.get(b"sec-fetch-site") == b"cross-site" and headers.get(b"sec-fetch-mode") == b"no-cors"
            )
            await (_refusal() if is_embedded else self._app)(scope, receive, send)
            return
        origin = sent.decode("latin-1") if len(sent) <= _LONGEST_ORIGIN else ""
        is_allowed = self._allowed.fullmatch(origin) is not None
        is_own = is_own_origin(sent, scope, headers)
        if not is_allowed and not is_own:
            self._log(origin, f"may not read responses. {_FROM_A_FILE if origin == 'null' else _TO_ALLOW}")
        requested = headers.get(b"access-control-request-method")
        if scope["method"] == "OPTIONS" and requested is not None:
            await self._preflight(origin, headers, is_allowed=is_allowed)(scope, receive, send)
        elif is_allowed:
            await self._app(scope, receive, _allowing(sent, send))
        elif is_own or b"authorization" in headers:
            await self._app(scope, receive, send)
        else:
            await _refusal()(scope, receive, send)

    def _preflight(self, origin: str, headers: dict[bytes, bytes], *, is_allowed: bool) -> Response:
        if not is_allowed:
            return _refusal()
        requested = headers.get(b"access-control-request-headers", b"").decode("latin-1").lower()
        refused = sorted({name.strip() for name in requested.split(",")} - _ALLOWED_HEADERS - {""})
        if refused:
            self._log(origin, f"sends headers that are not allowed, so its browser blocks the request: {refused}.")
        return Response(
            status_code=204,
            headers={
                **RESPONSE_HEADERS,
                "Access-Control-Allow-Origin": origin,
                "Access-Control-Allow-Methods": ", ".join(METHODS),
                "Access-Control-Allow-Headers": ", ".join(REQUEST_HEADERS),
                "Access-Control-Max-Age": str(PREFLIGHT_SECONDS),
                "Cache-Control": "no-store",
            },
        )

    def _log(self, origin: str, problem: str) -> None:
        """Warn about an origin, once."""
        if origin in self._logged or len(self._logged) >= _MOST_LOGGED:
            return
        self._logged.add(origin)
        last = " No further origins are logged." if len(self._logged) == _MOST_LOGGED else ""
        logger.warning("A page of the origin %a %s%s", origin, problem, last)


def _refusal() -> Response:
    """The response to a page of an origin that is not allowed."""
    message, remedy = "Pages of this origin may not send requests.", "Add it to ACCORD_ALLOWED_ORIGINS."
    return http_error_response(HttpError(403, message, remedy, code=ErrorCode.ORIGIN_NOT_ALLOWED))


def is_own_origin(origin: bytes, scope: Scope, headers: Mapping[bytes, bytes]) -> bool:
    """Return whether a page was served under the same name as the request, as scheme, host and port say."""
    scheme = scope.get("scheme", "http")
    # A browser leaves the port out where the scheme implies it; a proxy may not.
    host = headers.get(b"host", b"").removesuffix(_IMPLIED_PORTS[scheme])
    return origin == b"%b://%b" % (scheme.encode(), host)


def _allowing(origin: bytes, send: Send) -> Send:
    """Send a response that pages of this origin may read."""
    allowing = [(b"access-control-allow-origin", origin), *_EXPOSED]

    async def send_allowing(message: Message) -> None:
        if message["type"] == "http.response.start":
            message["headers"] = [*message["headers"], *allowing]
        await send(message)

    return send_allowing


_EXPOSED = encode_headers({"Access-Control-Expose-Headers": ", ".join(RESPONSE_HEADERS_READ)})
