"""Where the time of a mutation goes: the statements of its unit of work and Python, on one connection, in process."""

import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import asyncpg

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, WriteSession
from api.graph.contract import gateway
from api.graph.gateway import JsonResult
from api.graph.request import GraphQLRequest
from api.sql import Sql, Statement
from tests.bench.write.writers import AccordWriter
from tests.bench.write.writes import Write, changes

_WARM_UP = 20
_LABEL_LENGTH = 64


@dataclass(slots=True)
class Part:
    """Calls of one kind of statement, and their elapsed seconds."""

    calls: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Parts:
    """The statements of so many requests, with the elapsed seconds and the CPU seconds of Python of all requests."""

    requests: int
    statements: Mapping[str, Part]
    elapsed: float
    python: float


class _Clock:
    """Adds up the elapsed time of statements by their beginnings."""

    def __init__(self) -> None:
        self.parts: dict[str, Part] = defaultdict(Part)

    @contextmanager
    def timing(self, text: str) -> Iterator[None]:
        began = time.perf_counter()
        try:
            yield
        finally:
            part = self.parts[" ".join(text.split())[:_LABEL_LENGTH]]
            part.calls += 1
            part.seconds += time.perf_counter() - began


@dataclass(frozen=True, slots=True)
class _TimedSession(WriteSession):
    clock: _Clock = field(default_factory=_Clock)

    async def rows(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> list[asyncpg.Record]:
        with self.clock.timing(statement.render()[0]):
            return await WriteSession.rows(self, statement, parameters)

    async def row(
        self, statement: Sql | Statement, parameters: Mapping[str, object] | None = None
    ) -> asyncpg.Record | None:
        with self.clock.timing(statement.render()[0]):
            return await WriteSession.row(self, statement, parameters)

    async def value(self, statement: Sql, parameters: Mapping[str, object] | None = None) -> object:
        with self.clock.timing(statement.render()[0]):
            return await WriteSession.value(self, statement, parameters)

    async def run(self, statement: Sql) -> str:
        with self.clock.timing(statement.render()[0]):
            return await WriteSession.run(self, statement)


class _TimedDatabase(Database):
    """The pools of another database, with a clock for its units of work and its reads of payloads."""

    def __init__(self, database: Database) -> None:
        super().__init__(database._pool, database._readers, database._writers)
        self.hints = database.hints
        self.clock = _Clock()

    async def value(self, text: str, values: Sequence[object]) -> object:
        with self.clock.timing(f"payload: {text}"):
            return await super().value(text, values)

    @asynccontextmanager
    async def unit_of_work(self) -> AsyncIterator[WriteSession]:
        began, ended = time.perf_counter(), 0.0
        async with super().unit_of_work() as session:
            begun = time.perf_counter()
            yield _TimedSession(session.connection, self.clock)
            ended = time.perf_counter()
        part = self.clock.parts["begin and commit"]
        part.calls += 1
        part.seconds += begun - began + time.perf_counter() - ended


async def measure_parts(dsn: str, write: Write, writer: AccordWriter, requests: int) -> Parts:
    """Run so many requests one after another, after a warm-up, and return where their time went.

    Errors: ValueError if a request fails.
    """
    given = await changes(dsn, write, requests + _WARM_UP)
    began = python = 0.0
    document = writer.document(write)
    async with Database.open(dsn) as plain:
        database = _TimedDatabase(plain)
        for number, change in enumerate(given):
            if number == _WARM_UP:
                database.clock.parts.clear()
                began, python = time.perf_counter(), time.process_time()
            request = GraphQLRequest(document, writer.variables(write, change))
            validated = gateway().validated(request)
            plan = await gateway().plan(database, request, validated, LOCAL_OPERATOR)
            result = await gateway().execute(database, plan)
            errors = result.errors if isinstance(result, JsonResult) else result.result.errors
            if errors:
                raise ValueError(f"{write.key}: {errors[0]}")
        elapsed, used = time.perf_counter() - began, time.process_time() - python
    return Parts(requests, database.clock.parts, elapsed, used)


def print_parts(title: str, parts: Parts) -> None:
    """Print the elapsed time of every statement of one request, and what Python uses, in microseconds."""
    print(f"\n{title}: {parts.elapsed / parts.requests * 1e6:,.0f} µs a request on one connection")
    print(f"{parts.python / parts.requests * 1e6:>9,.0f} µs  CPU of Python, in it what asyncpg uses")
    for label, part in sorted(parts.statements.items(), key=lambda item: -item[1].seconds):
        elapsed = part.seconds / parts.requests * 1e6
        print(f"{elapsed:>9,.0f} µs  {part.calls / parts.requests:.1f}x {label}", flush=True)
