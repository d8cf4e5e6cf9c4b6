"""Allowed host names of requests."""

import re
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from starlette.types import ASGIApp, Receive, Scope, Send

from api.errors import ErrorCode
from api.web.responses import HttpError, http_error_response

LOOPBACK_NAMES = frozenset({"localhost", "127.0.0.1", "[::1]"})
HEALTH_PATHS = frozenset({"/healthz", "/readyz"})

_PORT = re.compile(r":\d{1,5}$")
_LONGEST_HOST = 300  # bytes; a host name has 253 at most


class HostMiddleware:
    """Rejects requests for host names that are not names of this server.

    `names` are allowed beside loopback, but only if requests have credentials (`has_credentials`). A foreign name that
    resolves to loopback is rejected: otherwise a page on evil.example could point its own name at 127.0.0.1 (DNS
    rebinding) and read every response as one of its own origin. Health checks are served under any name, because a load
    balancer sends an address as the host, and because their responses contain no data.
    """

    def __init__(self, app: ASGIApp, names: Iterable[str], *, has_credentials: bool) -> None:
        self._app = app
        self._listed = frozenset(name.lower() for name in names)
        self._names = LOOPBACK_NAMES | (self._listed if has_credentials else frozenset())
        self._is_allowed = lru_cache(1_000)(self._is_allowed_host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it with 421."""
        if scope["type"] == "http":
            host = next((value for name, value in scope["headers"] if name == b"host"), b"")
            if (len(host) > _LONGEST_HOST or not self._is_allowed(host)) and scope["path"] not in HEALTH_PATHS:
                await http_error_response(self._rejection(host))(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _is_allowed_host(self, host: bytes) -> bool:
        name = _name(host)
        return name in self._names or _is_loopback_address(name)

    def _rejection(self, host: bytes) -> HttpError:
        message = "The host name of the request is not a name of this server."
        remedy = "Use http://localhost or 127.0.0.1, or list the name in ACCORD_ALLOWED_HOSTS."
        if _name(host[:_LONGEST_HOST]) in self._listed:
            message = "ACCORD_ALLOWED_HOSTS lists this host name, but other names than loopback need credentials."
            remedy = "Accord has no credentials yet. Use http://localhost or 127.0.0.1."
        return HttpError(421, message, remedy, code=ErrorCode.HOST_NOT_ALLOWED)


def _is_loopback_address(name: str) -> bool:
    """Whether it is an address such as 127.0.0.2. No page has an address of this machine as its own name."""
    try:
        return ip_address(name).is_loopback and ":" not in name
    except ValueError:
        return False


def _name(host: bytes) -> str:
    return _PORT.sub("", host.decode("latin-1")).lower()
