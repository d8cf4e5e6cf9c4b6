"""Spans for OpenTelemetry: one for each request and each statement, if the package `opentelemetry-api` is installed.

The package alone records nothing. What exports spans, such as `opentelemetry-instrument accord serve`, sets a provider
before the site is built.
Attributes are ids, hashes and counts: no text of a document or statement, and no value.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
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


def is_exporting() -> bool:
    """Whether anybody has set a provider: spans that nobody records take 20 µs each, and to look takes 2 µs."""
    return IS_INSTALLED and not isinstance(trace.get_tracer_provider(), trace.ProxyTracerProvider)


def statement_span() -> AbstractContextManager[RecordedSpan] | None:
    """The span of a statement, within that of its request; None if nothing is exported."""
    return _statement_span() if is_exporting() else None


def set_attributes(span: RecordedSpan, values: Mapping[str, object]) -> None:
    """Set the attributes that are known."""
    for name, value in values.items():
        if value is not None:
            span.set_attribute(name, value)


@contextmanager
def request_span(name: str, headers: Headers) -> Iterator[RecordedSpan]:
    """The span of a request, which belongs to the trace that `traceparent` names."""
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
