"""Spans for OpenTelemetry: one for each request and each statement, if the package `opentelemetry-api` is installed.

The package alone records nothing. What exports spans, such as `opentelemetry-instrument accord serve`, sets a provider.
Attributes are ids, hashes and counts: no text of a document or statement, and no value.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Protocol

try:
    from opentelemetry import propagate, trace
except ImportError:
    IS_INSTALLED = False
else:
    IS_INSTALLED = True

_SCOPE = "accord"
_TRACE_HEADERS = (b"traceparent", b"tracestate")

Headers = Iterable[tuple[bytes, bytes]]


class RecordedSpan(Protocol):
    """What of a span is used here."""

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401 - as OpenTelemetry's
        """Set an attribute."""


class _NoSpan:
    """A span that records nothing."""

    def set_attribute(self, key: str, value: Any) -> None:  # noqa: ANN401 - as OpenTelemetry's
        """Ignore an attribute."""


_NO_SPAN: AbstractContextManager[RecordedSpan] = nullcontext(_NoSpan())


def request_span(name: str, headers: Headers) -> AbstractContextManager[RecordedSpan]:
    """The span of a request. It belongs to the trace that `traceparent` names."""
    return _request_span(name, headers) if _is_exporting() else _NO_SPAN


def statement_span() -> AbstractContextManager[RecordedSpan]:
    """The span of a statement, within that of its request."""
    return _statement_span() if _is_exporting() else _NO_SPAN


def _is_exporting() -> bool:
    """Whether anybody has set a provider: spans that nobody records take 20 µs each."""
    return IS_INSTALLED and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def set_attributes(span: RecordedSpan, values: Mapping[str, object]) -> None:
    """Set the attributes that are known."""
    for name, value in values.items():
        if value is not None:
            span.set_attribute(name, value)


@contextmanager
def _request_span(name: str, headers: Headers) -> Iterator[RecordedSpan]:
    carrier = {key.decode(): value.decode("latin-1") for key, value in headers if key in _TRACE_HEADERS}
    tracer = trace.get_tracer(_SCOPE)
    with tracer.start_as_current_span(
        name, propagate.extract(carrier), trace.SpanKind.SERVER, record_exception=False, set_status_on_exception=False
    ) as span:
        yield span


@contextmanager
def _statement_span() -> Iterator[RecordedSpan]:
    tracer = trace.get_tracer(_SCOPE)
    # The exception of a statement may have values of rows.
    with tracer.start_as_current_span(
        "PostgreSQL statement",
        kind=trace.SpanKind.CLIENT,
        attributes={"db.system.name": "postgresql"},
        record_exception=False,
    ) as span:
        yield span
