"""Identification: the principal that an HTTP request comes from."""

from collections.abc import Awaitable, Callable

from starlette.types import Scope

from api.access.principal import EVERYONE, Principal

Identify = Callable[[Scope], Awaitable[Principal]]
"""Returns the principal of a request, given its ASGI scope."""


async def identify_everyone(_scope: Scope) -> Principal:
    """Return EVERYONE. There are no credentials yet, and the server listens on loopback only."""
    return EVERYONE
