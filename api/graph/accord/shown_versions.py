"""The versions that a field shows, and the values that one query reads for all of them."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from api.accord.stored_versions import StoredVersion
from api.accord.version_warnings import version_warnings
from api.db import Database


@dataclass(slots=True)
class ShownVersions:
    """Versions whose warnings are read once for all of them, when those of the first one are needed."""

    versions: tuple[StoredVersion, ...]
    _reading: "asyncio.Task[Mapping[int, tuple[str, ...]]] | None" = None

    async def warnings(self, database: Database, number: int) -> tuple[str, ...]:
        """Return the warnings of the version with a number. Shapes: at most three statements for all versions."""
        if self._reading is None:
            self._reading = asyncio.create_task(self._read(database))
        return (await self._reading)[number]

    async def _read(self, database: Database) -> Mapping[int, tuple[str, ...]]:
        async with database.read() as session:
            return await version_warnings(session, self.versions)
