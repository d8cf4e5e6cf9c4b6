"""What every request passes and every response carries: our names, the origins that may read, the headers."""

import re
from collections.abc import Collection, Iterable
from functools import lru_cache, partial

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.refusals import RefusalError, refused

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

# A front-end in development is served from some port of this machine; a page from anywhere else may not read answers.
_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_PORT = re.compile(r":\d{1,5}$")

_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    # Pages set a policy of their own; whatever else a browser is made to show may load and run nothing.
    "Content-Security-Policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
}

_RAW_HEADERS = [(name.lower().encode(), value.encode()) for name, value in _HEADERS.items()]


def guards(names: Iterable[str]) -> list[Middleware]:
    """The middleware of the application, outermost first; `names` are the hosts it answers to beside loopback."""
    return [
        Middleware(SecurityHeaders),
        Middleware(HostGuard, names=LOOPBACK_NAMES | {name.lower() for name in names}),
        Middleware(
            Cors,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accord-Explain"],
            max_age=600,
        ),
    ]


class Cors(CORSMiddleware):
    """Starlette's, for requests that come from a page: all others need no word about origins."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with what a browser asks."""
        is_from_page = any(name == b"origin" for name, _ in scope.get("headers", ()))
        await (super().__call__ if is_from_page else self.app)(scope, receive, send)


class HostGuard:
    """Answers only to our own names: a foreign name that resolves to loopback (DNS rebinding) is refused.

    Without this a page on evil.example could point its own name at 127.0.0.1 and read everything as its own origin.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._is_foreign = lru_cache(1_000)(partial(_is_foreign, frozenset(names)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and self._is_foreign(Headers(scope=scope).get("host", "")):
            refusal = RefusalError(
                421, "The host name of this request is not one of this server.", "Use http://localhost or 127.0.0.1."
            )
            await refused(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)


def _is_foreign(names: frozenset[str], host: str) -> bool:
    return _PORT.sub("", host).lower() not in names


class SecurityHeaders:
    """Puts the headers on each response that the response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _RAW_HEADERS if each[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Shortcut:
    """Takes requests for one path straight to what answers them: routing is dear beside a small question."""

    def __init__(self, app: ASGIApp, path: str, to: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the one or the other."""
        await (self._to if scope["type"] == "http" and scope["path"] == self._path else self._app)(scope, receive, send)
