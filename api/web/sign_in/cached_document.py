"""A JSON document of another server, kept for an hour and fetched at most once a minute."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

logger = logging.getLogger("accord.sign_in")

FRESH_SECONDS = 3_600
"""How long a document is used without looking for a newer one."""
REFETCH_SECONDS = 60
"""The shortest time between two fetches, so that made-up key ids cannot make Accord flood the provider."""
STALE_SECONDS = 86_400
"""How long the last document is used while no newer one can be fetched."""

Document = TypeVar("Document")


class ProviderError(Exception):
    """The provider cannot be reached, or its response is not valid. The message is for the log."""


class CachedDocument(Generic[Document]):
    """One document with its last value. Requests that need it at the same time share one fetch."""

    def __init__(self, fetch: Callable[[], Awaitable[Document]], clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch
        self._clock = clock
        self._lock = asyncio.Lock()
        self._value: Document | None = None
        self._fetched_at = self._tried_at = float("-inf")

    async def get(self) -> Document:
        """The document, at most an hour old unless the provider fails. Errors: ProviderError."""
        if self._value is not None and self._clock() - self._fetched_at < FRESH_SECONDS:
            return self._value
        return await self.newer()

    async def newer(self) -> Document:
        """The document, fetched now unless the last fetch was less than a minute ago. Errors: ProviderError."""
        async with self._lock:
            if self._clock() - self._tried_at >= REFETCH_SECONDS:
                await self._refetch()
            if self._value is None or self._clock() - self._fetched_at > STALE_SECONDS:
                raise ProviderError("the last attempt to read it failed, and the next one is due within a minute")
            return self._value

    async def _refetch(self) -> None:
        self._tried_at = self._clock()
        try:
            self._value = await self._fetch()
        except ProviderError as error:
            if self._value is None:
                raise
            logger.warning("The identity provider did not respond; its last document stays in use: %s", error)
        else:
            self._fetched_at = self._clock()
