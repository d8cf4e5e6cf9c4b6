"""The sample company, made once and read by many tests."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date

import pytest

from api.db import Database
from api.sql import Sql, join, name
from api.workflows.make_sample import SampleMade, make_sample
from tests.support.databases import database_address, run_statements

UNTIL = date(2026, 3, 1)
CONTACTS = 2000
SEED = 3

Row = dict[str, object]


@dataclass(frozen=True)
class Company:
    """A sample company in a database, and what its making said."""

    database: Database
    made: SampleMade

    async def rows(self, table: str, order: str = "1") -> list[Row]:
        """Every row of a table."""
        async with self.database.read() as session:
            found = await session.rows(Sql("select * from {} order by {}", name(table), Sql(order)))
        return [dict(row) for row in found]

    async def texts(self, table: str, *columns: str) -> list[str]:
        """Every row as text, in the order of its columns; all columns where none are named."""
        what = join(", ", [name(each) for each in columns]) if columns else Sql("t.*")
        async with self.database.read() as session:
            found = await session.rows(Sql("select row({})::text as line from {} t order by 1", what, name(table)))
        return [row["line"] for row in found]


async def make(
    database: Database, *, contacts: int = CONTACTS, seed: int = SEED, until: date = UNTIL, processes: int | None = None
) -> Company:
    async with database.write() as session:
        made = await make_sample(session, contacts=contacts, seed=seed, until=until, processes=processes)
    return Company(database, made)


@asynccontextmanager
async def made_in(server: str, template: str, own: str, processes: int) -> AsyncIterator[Company]:
    """The company in a database of its own, told by so many processes."""
    await run_statements(server, f"create database {own} template {template}")
    async with Database.open(database_address(server, own), size=2) as opened:
        yield await make(opened, processes=processes)
    await run_statements(server, f"drop database {own} with (force)")


@pytest.fixture(scope="session")
async def company(server: str, template: str) -> AsyncIterator[Company]:
    """The company that every test reads and none changes."""
    async with made_in(server, template, "accord_sample", 0) as made:
        yield made


@pytest.fixture(scope="session")
async def twin(server: str, template: str) -> AsyncIterator[Company]:
    """The same company, told by two processes into another database."""
    async with made_in(server, template, "accord_sample_twin", 2) as made:
        yield made
