"""What one request did, as its log line has it: ids, hashes, counts and durations, and no value of anybody."""

from collections.abc import Sequence
from contextvars import ContextVar
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple

_PLANNED = ("select ", "select\n", "with ", "insert ", "update ", "delete ", "merge ")


class TimedStatement(NamedTuple):
    """A statement with its values, and how long it took. The values are never logged."""

    text: str
    values: Sequence[object]
    seconds: float


@dataclass(slots=True)
class RequestRecord:
    """One HTTP request. What is not known of it is None.

    `route` is a path that the server has, or `other`: a path that a client makes up may say anything. `rows` is about
    the number of records in the answer, see `row_count`. `is_traced`: its spans are exported.
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
    is_traced: bool = False

    def note_principal(self, subject: str) -> None:
        """Note who is served: `local`, or a kind and an id, such as `member:…`."""
        self.principal_kind, _, principal_id = subject.partition(":")
        self.principal_id = principal_id or None

    def note_statement(self, text: str, values: Sequence[object], seconds: float) -> None:
        """Add the time of a statement; of those that have a plan, keep the slowest."""
        self.statements += 1
        self.statement_seconds += seconds
        if (self.slowest is None or seconds > self.slowest.seconds) and text.startswith(_PLANNED):
            self.slowest = TimedStatement(text, values, seconds)

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


def row_count(data: bytes) -> int:
    """About how many records the data of a response have, linked ones too: its objects, without one for each list.

    PostgreSQL writes the JSON, and it is not parsed. A list of records stands in an object of its own, such as
    `{"nodes": [...]}`. To look for one character takes a twentieth of the time that looking for two takes, which was
    130 µs for 24 KB; the cost: an object that holds only figures counts, and so do braces within a text.
    """
    return max(0, data.count(b"{") - 1 - data.count(b"["))
