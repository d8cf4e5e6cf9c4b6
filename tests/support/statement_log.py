"""A database that remembers the statements it was asked."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from api.db import STATEMENT_TIMEOUT_MS, Database, ReadSession
from api.sql import Sql


class Watched(Database):
    """The same pool, with an ear at each read session."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool, database._readers)
        self.statements: list[Sql] = []
        self.texts: list[tuple[str, Sequence[object]]] = []

    async def value(self, text: str, values: Sequence[object]) -> object:
        self.texts.append((text, values))
        return await super().value(text, values)

    @asynccontextmanager
    async def read(self, *, timeout_ms: int = STATEMENT_TIMEOUT_MS) -> AsyncIterator[ReadSession]:
        async with super().read(timeout_ms=timeout_ms) as session:
            yield _Heard(session.connection, self.statements)


@dataclass(frozen=True, slots=True)
class _Heard(ReadSession):
    statements: list[Sql]

    async def rows(self, statement: Sql) -> list[asyncpg.Record]:
        self.statements.append(statement)
        return await ReadSession.rows(self, statement)

    async def row(self, statement: Sql) -> asyncpg.Record | None:
        self.statements.append(statement)
        return await ReadSession.row(self, statement)

    async def value(self, statement: Sql, given: Mapping[str, object] | None = None) -> object:
        self.statements.append(statement)
        return await ReadSession.value(self, statement, given)
