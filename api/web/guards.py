"""What every request passes and every response carries: our names, the origins that may read, the headers."""

import re
from collections.abc import Collection, Iterable

from starlette.datastructures import Headers, MutableHeaders
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


def guards(names: Iterable[str]) -> list[Middleware]:
    """The middleware of the application, outermost first; `names` are the hosts it answers to beside loopback."""
    return [
        Middleware(SecurityHeaders),
        Middleware(HostGuard, names=LOOPBACK_NAMES | {name.lower() for name in names}),
        Middleware(
            CORSMiddleware,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type"],
            max_age=600,
        ),
    ]


class HostGuard:
    """Answers only to our own names: a foreign name that resolves to loopback (DNS rebinding) is refused.

    Without this a page on evil.example could point its own name at 127.0.0.1 and read everything as its own origin.
    """

    def __init__(self, app: ASGIApp, names: Collection[str]) -> None:
        self._app = app
        self._names = frozenset(names)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] == "http" and self._is_foreign(Headers(scope=scope).get("host", "")):
            refusal = RefusalError(
                421, "The host name of this request is not one of this server.", "Use http://localhost or 127.0.0.1."
            )
            await refused(refusal)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _is_foreign(self, host: str) -> bool:
        return _PORT.sub("", host).lower() not in self._names


class SecurityHeaders:
    """Puts the headers on each response that the response does not set itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in _HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)
