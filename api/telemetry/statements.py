"""The time of statements: for the record of their request, the metrics and the trace."""

from collections.abc import Sequence
from time import perf_counter
from types import TracebackType

from api.telemetry.instruments import STATEMENT_SECONDS
from api.telemetry.request_record import CURRENT
from api.telemetry.tracing import statement_span


class timed_statement:  # noqa: N801 - it is used as a function; a generator would take three times as long
    """Times the statement that the block executes."""

    __slots__ = ("_record", "_span", "_started", "_text", "_values")

    def __init__(self, text: str, values: Sequence[object] = ()) -> None:
        self._text = text
        self._values = values
        self._record = record = CURRENT.get()
        self._span = statement_span() if record is None or record.is_traced else None

    def __enter__(self) -> None:
        if self._span is not None:
            self._span.__enter__()
        self._started = perf_counter()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = perf_counter() - self._started
        STATEMENT_SECONDS.observe(seconds)
        if self._record is not None:
            self._record.note_statement(self._text, self._values, seconds)
        if self._span is not None:
            self._span.__exit__(kind, error, trace)
