"""What every request passes: our names, the origins that may read; and what a browser heeds in a response."""

import re
from collections.abc import Iterable
from functools import lru_cache

from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.web.responses import ANSWER_HEADERS, RefusalError, as_sent, refused

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})

# A front-end in development is served from some port of this machine; a page from anywhere else may not read answers.
_LOOPBACK_ORIGIN = r"https?://(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?"
_PORT = re.compile(r":\d{1,5}$")
_LONGEST_HOST = 300  # bytes; a name has 253 at most

# Pages and files set a policy of their own; whatever else a browser is made to show may load and run nothing.
_HEADERS = as_sent(
    {
        **ANSWER_HEADERS,
        "Referrer-Policy": "no-referrer",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
)


class Gate:
    """Answers only to our own names, and lets no page from elsewhere read; `names` are the hosts beside loopback.

    A foreign name that resolves to loopback (DNS rebinding) is refused: without this a page on evil.example could point
    its own name at 127.0.0.1 and read everything as its own origin.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str]) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | {name.lower() for name in names}
        self._is_ours = lru_cache(1_000)(self._is_one_of_ours)
        self._for_pages = CORSMiddleware(
            app,
            allow_origin_regex=_LOOPBACK_ORIGIN,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "Accord-Explain"],
            max_age=600,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it; a browser is told who may read the answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"")
        if len(host) > _LONGEST_HOST or not self._is_ours(host):
            refusal = RefusalError(
                421, "The host name of this request is not one of this server.", "Use http://localhost or 127.0.0.1."
            )
            await refused(refusal)(scope, receive, send)
        elif b"origin" in headers:
            await self._for_pages(scope, receive, send)
        else:
            await self._app(scope, receive, send)

    def _is_one_of_ours(self, host: bytes) -> bool:
        return _PORT.sub("", host.decode("latin-1")).lower() in self._names


class DocumentHeaders:
    """Puts what a browser heeds in a document on each response, unless the response says it itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and its response back with the headers."""

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in own)]
            await send(message)

        await self._app(scope, receive, send_with_headers)


class Shortcut:
    """Takes what is posted to one path straight to what answers it: routing is dear beside a small question."""

    def __init__(self, app: ASGIApp, path: str, to: ASGIApp) -> None:
        self._app = app
        self._path = path
        self._to = to

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, to the one or the other."""
        is_short = scope["type"] == "http" and scope["path"] == self._path and scope["method"] == "POST"
        await (self._to if is_short else self._app)(scope, receive, send)
