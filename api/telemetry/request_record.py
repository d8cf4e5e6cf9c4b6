"""What one request did, as its log line has it: ids, hashes, counts and durations, and no value of anybody."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter

_PLANNED = ("select ", "select\n", "with ", "insert ", "update ", "delete ", "merge ")


@dataclass(frozen=True, slots=True)
class TimedStatement:
    """A statement with its values, and how long it took. The values are never logged."""

    text: str
    values: Sequence[object]
    seconds: float


@dataclass(slots=True)
class RequestRecord:
    """One HTTP request. What is not known of it is None.

    `route` is a path that the server has, or `other`: a path that a client makes up may say anything. `rows` counts the
    objects in the lists of the answer.
    """

    id: str
    method: str
    route: str
    trace_id: str | None
    started: float
    status: int | None = None
    principal_kind: str | None = None
    principal_id: str | None = None
    operation_kind: str | None = None
    operation: str | None = None
    document_hash: str | None = None
    cost: int | None = None
    rows: int | None = None
    error: str | None = None
    statements: int = 0
    statement_seconds: float = 0.0
    slowest: TimedStatement | None = None

    def note_principal(self, subject: str) -> None:
        """Note who is served: `local`, or a kind and an id, such as `member:…`."""
        self.principal_kind, _, principal_id = subject.partition(":")
        self.principal_id = principal_id or None

    def note_statement(self, statement: TimedStatement) -> None:
        """Add the time of a statement; of those that have a plan, keep the slowest."""
        self.statements += 1
        self.statement_seconds += statement.seconds
        if (self.slowest is None or statement.seconds > self.slowest.seconds) and statement.text.startswith(_PLANNED):
            self.slowest = statement

    @property
    def seconds(self) -> float:
        """How long the request has taken until now."""
        return perf_counter() - self.started


CURRENT: ContextVar[RequestRecord | None] = ContextVar("accord_request", default=None)
"""The record of the request that the current task serves."""


def note_error(code: str) -> None:
    """Note the code of an error in the answer to the current request. The first one stays."""
    record = CURRENT.get()
    if record is not None and record.error is None:
        record.error = code


def row_count(body: bytes) -> int:
    """The number of objects in the lists of a JSON text: PostgreSQL writes it, and it is not parsed.

    An object in a list follows a bracket or a comma. A text that has these characters counts too: the number is for
    logs.
    """
    return body.count(b"[{") + body.count(b",{") + body.count(b", {")
