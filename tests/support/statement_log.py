"""A database that logs the statements that it executes."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg

from api.db import Database, ReadSession
from api.sql import Sql, Statement


class LoggingDatabase(Database):
    """The same pools as another database. It logs the statements of read sessions, and single read statements."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool, database._readers, database._writers)
        self.hints = database.hints
        self.statements: list[Sql | Statement] = []  # of read sessions
        self.texts: list[tuple[str, Sequence[object]]] = []  # single statements: text and values

    async def value(self, text: str, values: Sequence[object]) -> object:
        self.texts.append((text, values))
        return await super().value(text, values)

    @asynccontextmanager
    async def read(self, *, timeout_ms: int | None = None) -> AsyncIterator[ReadSession]:
        async with super().read(timeout_ms=timeout_ms) as session:
            # Statistics, which are read with a limit of their own, are not the request's.
            yield _LoggingSession(session.connection, self.statements) if timeout_ms is None else session


@dataclass(frozen=True, slots=True)
class _LoggingSession(ReadSession):
    statements: list[Sql | Statement]

    async def rows(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> list[asyncpg.Record]:
        self.statements.append(statement)
        return await ReadSession.rows(self, statement, parameters)

    async def row(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> asyncpg.Record | None:
        self.statements.append(statement)
        return await ReadSession.row(self, statement, parameters)

    async def value(self, statement: Sql, parameters: Mapping[str, object] | None = None) -> object:
        self.statements.append(statement)
        return await ReadSession.value(self, statement, parameters)
