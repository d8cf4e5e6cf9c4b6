"""Allowed host names of requests."""

import re
from collections.abc import Awaitable, Callable, Iterable
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.error_responses import failure_response
from api.web.responses import HttpError, http_error_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})

HasCredentials = Callable[[], Awaitable[bool]]
"""Returns whether real credentials exist: an API key that is no demo key, or an identity provider."""

_PORT = re.compile(r":\d{1,5}$")
LONGEST_HOST = 300  # bytes; a host name has 253 at most


class HostMiddleware:
    """Rejects requests for host names that are not names of this server.

    `names` are allowed beside loopback, but only once there are real credentials (`has_credentials`). A foreign name
    that resolves to loopback is rejected: otherwise a page on evil.example could point its own name at 127.0.0.1 (DNS
    rebinding) and read every response as one of its own origin. Health checks are served under any name, because a
    load balancer sends an address as the host, and because their responses contain no data.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], has_credentials: HasCredentials) -> None:
        self._app = app
        self._names = frozenset(name.lower() for name in names)
        self._has_credentials = has_credentials
        self._is_loopback = lru_cache(1_000)(is_loopback_name)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it with 421."""
        if scope["type"] == "http" and scope["path"] not in HEALTH_PATHS:
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if len(host) > LONGEST_HOST or not self._is_loopback(host):
                try:
                    rejection = await self._rejection(host)
                except Exception as error:  # noqa: BLE001 - such as an outage of the database; bugs are logged
                    await failure_response(error, scope)(scope, receive, send)
                    return
                if rejection is not None:
                    await http_error_response(rejection)(scope, receive, send)
                    return
        await self._app(scope, receive, send)

    async def _rejection(self, host: bytes) -> HttpError | None:
        """Return the error for a host name beside loopback that is not allowed; None for one that is."""
        message = "The host name of the request is not a name of this server."
        remedy = "Use http://localhost or 127.0.0.1, or list the name in ACCORD_ALLOWED_HOSTS."
        if _name(host[:LONGEST_HOST]) in self._names:
            if await self._has_credentials():
                return None
            message = "ACCORD_ALLOWED_HOSTS lists this host name, but other names than loopback need credentials."
            remedy = "Create an API key with `accord key create`, or use http://localhost."
        return HttpError(421, message, remedy, code=ErrorCode.HOST_NOT_ALLOWED)


def is_loopback_name(host: bytes) -> bool:
    """Return whether a `Host` header names this machine: `localhost`, or an address such as 127.0.0.2."""
    name = _name(host)
    return name in LOOPBACK_NAMES or _is_loopback_address(name)


def _is_loopback_address(name: str) -> bool:
    """Whether it is an address such as 127.0.0.2. No page has an address of this machine as its own name."""
    try:
        return ip_address(name).is_loopback and ":" not in name
    except ValueError:
        return False


def _name(host: bytes) -> str:
    return _PORT.sub("", host.decode("latin-1")).lower()
