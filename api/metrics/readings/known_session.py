"""A snapshot in which the statements of KPIs read the facts that were known at an instant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from api.db import ReadSession
from api.funnel.readings.known_facts import with_known_facts
from api.sql import Sql, Statement


@dataclass(frozen=True, slots=True)
class KnownSession(ReadSession):
    """The same snapshot, whose statements have the known facts in place of the tables."""

    known_at: datetime

    async def rows(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> list[asyncpg.Record]:
        """As of a `ReadSession`."""
        return await ReadSession.rows(self, self._known(statement), parameters)

    async def row(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> asyncpg.Record | None:
        """As of a `ReadSession`."""
        return await ReadSession.row(self, self._known(statement), parameters)

    async def value(self, statement: Sql, parameters: Mapping[str, object] | None = None) -> object:
        """As of a `ReadSession`."""
        return await ReadSession.value(self, with_known_facts(statement, self.known_at), parameters)

    def _known(self, statement: Sql | Statement) -> Sql | Statement:
        # A statement that was rendered before is one of the planner's, which reads records as they are now.
        return with_known_facts(statement, self.known_at) if isinstance(statement, Sql) else statement


def facts_session(session: ReadSession, known_at: datetime | None) -> ReadSession:
    """The session that reads the facts known at an instant; the same session without one."""
    return session if known_at is None else KnownSession(session.connection, known_at)
