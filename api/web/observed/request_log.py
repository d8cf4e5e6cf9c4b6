"""Every request: its id, its log line, its figures and its span."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from time import perf_counter

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.telemetry import tracing
from api.telemetry.correlation import RequestIds, sent_request_id, sent_trace_id
from api.telemetry.instruments import OTHER, SLOW_REQUESTS, count_request
from api.telemetry.log_lines import FIELDS, REQUEST_LOGGER, RequestLogRecord
from api.telemetry.masking import masked_plan
from api.telemetry.request_record import CURRENT, RequestRecord, TimedStatement

logger = logging.getLogger(REQUEST_LOGGER)

PlanOf = Callable[[str, Sequence[object]], Awaitable[str]]
"""Returns PostgreSQL's plan of a statement with its values."""

_QUIET = frozenset({"/healthz", "/readyz", "/metrics", "/favicon.ico"})
"""What is requested all the time, and says little: logged at the level debug."""


@dataclass(frozen=True, slots=True)
class SlowRequests:
    """From how many seconds a request is slow, and how the plan of its slowest statement is found; None: it is not."""

    seconds: float = 1.0
    plan_of: PlanOf | None = None


NO_PLANS = SlowRequests()


class RequestLogMiddleware:
    """Gives every request an id, which its answer has as `X-Request-Id`, and reports it when it ends.

    It is the outermost layer, so that refused requests are reported, too.
    """

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute], slow: SlowRequests = NO_PLANS) -> None:
        self._app = app
        routes = list(routes)
        self._paths = frozenset(route.path for route in routes if isinstance(route, Route))
        self._prefixes = tuple(route.path for route in routes if isinstance(route, Mount))
        self._slow = slow
        self._ids = RequestIds()
        self._is_traced = tracing.is_exporting()
        self._planning: asyncio.Task[None] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and report it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        record = self._record(scope)
        sent_id = (b"x-request-id", record.id.encode("ascii"))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                record.status = message["status"]
                message["headers"] = [*message["headers"], sent_id]
            await send(message)

        token = CURRENT.set(record)
        try:
            if record.is_traced:
                await self._traced(record, scope, receive, send_with_id)
            else:
                await self._app(scope, receive, send_with_id)
        finally:
            self._report(record)
            CURRENT.reset(token)

    async def _traced(self, record: RequestRecord, scope: Scope, receive: Receive, send: Send) -> None:
        with tracing.request_span(f"{record.method} {record.route}", scope["headers"]) as span:
            try:
                await self._app(scope, receive, send)
            finally:
                tracing.set_attributes(span, _span_attributes(record))

    def _record(self, scope: Scope) -> RequestRecord:
        request_id = parent = None
        for name, value in scope["headers"]:
            if name == b"x-request-id":
                request_id = value
            elif name == b"traceparent":
                parent = value
        return RequestRecord(
            sent_request_id(request_id) or self._ids.new(),
            scope["method"],
            self._route(scope["path"]),
            sent_trace_id(parent),
            perf_counter(),
            is_traced=self._is_traced,
        )

    def _route(self, path: str) -> str:
        """The path, if the server has it. Clients can make up any number of others, with any content."""
        if path in self._paths:
            return path
        return next((prefix for prefix in self._prefixes if path.startswith(f"{prefix}/")), OTHER)

    def _report(self, record: RequestRecord) -> None:
        seconds = record.seconds
        status = "none" if record.status is None else str(record.status)
        operation = None if record.operation_kind is None else record.operation or ""
        count_request(record.route, operation, status, seconds, record.error)
        is_slow = seconds >= self._slow.seconds
        level = logging.DEBUG if _is_quiet(record) else logging.INFO
        if is_slow:
            SLOW_REQUESTS.inc()
            level = logging.WARNING
        if not logger.isEnabledFor(level):
            return
        speed = " (slow)" if is_slow else ""
        message = f"{record.method} {record.route} {status} in {seconds * 1_000:.1f} ms{speed}"
        logger.handle(RequestLogRecord(level, message, _fields(record, seconds)))
        if is_slow and self._slow.plan_of is not None and record.slowest is not None:
            self._start_planning(self._slow.plan_of, record.slowest)

    def _start_planning(self, plan_of: PlanOf, statement: TimedStatement) -> None:
        """Log the plan of a statement after the answer was sent. Where many requests are slow, one at a time."""
        if self._planning is None or self._planning.done():
            self._planning = asyncio.create_task(_log_plan(plan_of, statement))


async def _log_plan(plan_of: PlanOf, statement: TimedStatement) -> None:
    seconds = statement.seconds
    try:
        plan = masked_plan(await plan_of(statement.text, statement.values))
    except Exception as error:  # noqa: BLE001 - the statement may read temporary tables of its transaction
        reason = type(error).__name__
        logger.warning("The slowest statement took %.1f ms; it has no plan by itself (%s)", seconds * 1_000, reason)
        return
    logger.warning("The slowest statement took %.1f ms", seconds * 1_000, extra={FIELDS: {"plan": plan}})


def _is_quiet(record: RequestRecord) -> bool:
    return record.route in _QUIET or record.route.startswith("/static/")


def _fields(record: RequestRecord, seconds: float) -> dict[str, object]:
    return {
        "method": record.method,
        "route": record.route,
        "status": record.status,
        "duration_ms": round(seconds * 1_000, 1),
        "principal_kind": record.principal_kind,
        "principal_id": record.principal_id,
        "operation_kind": record.operation_kind,
        "operation": record.operation,
        "document_hash": record.document_hash,
        "cost": record.cost,
        "rows": record.rows,
        "statements": record.statements or None,
        "statement_ms": round(record.statement_seconds * 1_000, 1) if record.statements else None,
        "error": record.error,
    }


def _span_attributes(record: RequestRecord) -> dict[str, object]:
    """The attributes of a span, by the names of OpenTelemetry where it has one."""
    return {
        "http.request.method": record.method,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "graphql.operation.type": record.operation_kind,
        "graphql.operation.name": record.operation,
        "accord.document_hash": record.document_hash,
        "accord.request_id": record.id,
        "accord.cost": record.cost,
        "accord.rows": record.rows,
        "error.type": record.error,
    }
