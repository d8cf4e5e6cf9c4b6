"""The versions that a field shows, and the values that one query reads for all of them."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from api.accord.stored_versions import StoredVersion
from api.accord.version_warnings import version_warnings
from api.db import ReadSession

Snapshot = Callable[[], AbstractAsyncContextManager[ReadSession]]


@dataclass(slots=True)
class ShownVersions:
    """Versions whose warnings are read once for all of them, when those of the first one are needed."""

    versions: tuple[StoredVersion, ...]
    _reading: "asyncio.Task[Mapping[int, tuple[str, ...]]] | None" = None

    async def warnings(self, snapshot: Snapshot, number: int) -> tuple[str, ...]:
        """Return the warnings of the version with a number. Shapes: at most three statements for all versions."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(snapshot))
        return (await self._reading)[number]

    async def _read(self, snapshot: Snapshot) -> Mapping[int, tuple[str, ...]]:
        async with snapshot() as session:
            return await version_warnings(session, self.versions)
