"""Middleware: allowed host names, cross-origin access, security headers, and a direct route to the endpoint."""

import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.responses import RESPONSE_HEADERS, HttpError, encode_headers, http_error_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

# A front-end in development is served from another port of this machine. No other page may read responses.
_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_PORT = re.compile(r":\d{1,5}$")
_LONGEST_HOST = 300  # bytes; a host name has 253 at most

# Pages and static files set a content policy of their own. Any other response may load and run nothing in a browser.
_SECURITY_HEADERS = encode_headers(
    {
        **RESPONSE_HEADERS,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)


class HostAndOriginMiddleware:
    """Rejects requests for unknown host names, and lets only pages of this machine read responses.

    `names` are the host names that are allowed beside loopback. A foreign name that resolves to loopback is rejected:
    otherwise a page on evil.example could point its own name at 127.0.0.1 (DNS rebinding) and read every response as
    one of its own origin.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}
        self._is_allowed = lru_cache(1_000)(self._is_allowed_host)
        self._with_cors = CORSMiddleware(
            app,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accord-Explain"],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it with 421. Requests with an Origin header go through CORS."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"")
        if len(host) > _LONGEST_HOST or not self._is_allowed(host):
            error = HttpError(
                421, "The host name of the request is not a name of this server.", "Use http://localhost or 127.0.0.1."
            )
            await http_error_response(error)(scope, receive, send)
        elif b"origin" in headers:
            await self._with_cors(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_allowed_host(self, host: bytes) -> bool:
        return _PORT.sub("", host.decode("latin-1")).lower() in self._names


class SecurityHeadersMiddleware:
    """Adds the security headers to every response that does not set them itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers added."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [
                    *message["headers"],
                    *((name, value) for name, value in _SECURITY_HEADERS if name not in own),
                ]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class DirectRouteMiddleware:
    """Sends POST requests for one path directly to its endpoint, because routing is costly beside a small query."""

    def __init__(self, app: ASGIApp, path: str, endpoint: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the endpoint or to the application."""
        is_direct = scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST"
        await (self._endpoint if is_direct else self._app)(scope, receive, send)
