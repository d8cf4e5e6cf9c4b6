"""An installation with an accord, imported people and a pipeline, before anything fails."""

import asyncio
import os
import random
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest

from api.db import Database
from api.embedded import EmbeddedServer
from tests.faults.checks import Written, problems_of
from tests.faults.processes import Installation
from tests.faults.reader import Reader
from tests.faults.writers import Writer
from tests.support.small_export import write_small_export

PEOPLE = 200


@dataclass
class World:
    """An installation, its database, its pipeline, and all that was acknowledged so far."""

    installation: Installation
    dsn: str
    stages: list[str] = field(default_factory=list)
    written: Written = field(default_factory=Written)

    def writers(self, client: httpx.AsyncClient, name: str, count: int, chooser: random.Random) -> list[Writer]:
        """Return new writers, whose names begin with `name`."""
        made = [
            Writer(client, f"{name}w{number}", random.Random(chooser.random()), self.stages) for number in range(count)
        ]
        self.written.writers += made
        return made

    def export(self, prefix: str) -> tuple[str, ...]:
        """Write the files of people whose keys begin with `prefix`. Return the command that imports them."""
        folder = self.installation.folder / prefix
        folder.mkdir()
        people = [f"{prefix}-{number}" for number in range(PEOPLE)]
        preset = write_small_export(
            folder,
            people=(f"{key},{key}@crm.example,,,2026-01-01" for key in people),
            forms=(f"f{key},{key},2026-01-02" for key in people),
        )
        self.written.imports[prefix] = PEOPLE
        return "import", preset, str(folder)

    async def problems(self) -> list[str]:
        """Return all that does not hold of what is stored, and of what the reader got."""
        if self.written.reader is not None:
            await self.written.reader.catch_up()
        async with Database.open(self.dsn, size=1) as database, database.scratch() as session:
            return await problems_of(session, self.written)


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of all random choices. `SEED=…` repeats those of another run; the instants of the kills vary."""
    return int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))


@asynccontextmanager
async def served_world(installation: Installation, postgres: EmbeddedServer) -> AsyncIterator[World]:
    """Set up an installation on a running PostgreSQL, and serve it."""
    world = World(installation, postgres.dsn())
    try:
        await asyncio.to_thread(installation.run, "migrate")
        await asyncio.to_thread(installation.run, "init", "--timezone", "UTC", "--currency", "EUR")
        await asyncio.to_thread(installation.run, *world.export("first"))
        await asyncio.to_thread(installation.run, *world.export("second"))
        await asyncio.to_thread(installation.start_server)
        async with httpx.AsyncClient(base_url=installation.address) as client:
            [writer] = world.writers(client, "setup", 1, random.Random())
            pipeline = (await writer.send("createPipeline", "pipeline { id }", {"name": "New business"}))["pipeline"]
            for rank, (name, category) in enumerate((("First", "OPEN"), ("Second", "OPEN"), ("Won", "WON")), 1):
                given = {"pipeline": {"id": pipeline["id"]}, "name": name, "rank": rank, "category": category}
                made = await writer.send("createPipelineStage", "pipelineStage { id }", given)
                world.stages.append(made["pipelineStage"]["id"])
        world.written.reader = Reader(installation.address)
        yield world
    finally:
        await asyncio.to_thread(installation.stop)
        postgres.close()
