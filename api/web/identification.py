"""Identification: the principal that an HTTP request comes from."""

from collections.abc import Awaitable, Callable

from starlette.types import Scope

from api.access.principal import LOCAL_OPERATOR, Principal

Identify = Callable[[Scope], Awaitable[Principal]]
"""Returns the principal of a request, given its ASGI scope."""


async def identify_local_operator(_scope: Scope) -> Principal:
    """Return LOCAL_OPERATOR. There are no credentials yet, and the server listens on loopback only."""
    return LOCAL_OPERATOR
