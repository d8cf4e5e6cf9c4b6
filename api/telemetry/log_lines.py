"""Log lines: one line of JSON or of plain text for each event. Those of uvicorn go through the same handler."""

import logging
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import orjson

from api.settings import LogFormat, LogLevel
from api.telemetry.masking import masked, masked_exception
from api.telemetry.request_record import CURRENT

FIELDS = "accord_fields"
"""The attribute of a log record with the fields of its line beside its message: `extra={FIELDS: {...}}`."""

REQUEST_LOGGER = "accord.request"

# Of the libraries, only what needs somebody: at the level info, httpx logs the addresses that it requests.
_LIBRARIES_LEVEL = logging.WARNING


def configure_logging(log_format: LogFormat, level: LogLevel) -> None:
    """Log to the standard error. It replaces whatever was configured before."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format == "json" else TextFormatter())
    root = logging.getLogger()
    for former in list(root.handlers):
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(_LIBRARIES_LEVEL)
    logging.getLogger("accord").setLevel(level.upper())
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.NOTSET)
    logging.captureWarnings(capture=True)


class JsonFormatter(logging.Formatter):
    """One JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a log record."""
        line = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **_fields(record),
        }
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = masked_exception(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """Time, level, logger and message, then the fields as `name=value`. A traceback and a plan follow on own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a log record."""
        message = _message(record).replace("\n", " ")
        parts, below = [f"{_time(record)} {record.levelname:<7} {record.name}: {message}"], []
        for name, value in _fields(record).items():
            if isinstance(value, str) and "\n" in value:
                below.append(value)
            else:
                parts.append(f"{name}={value}")
        if record.exc_info and record.exc_info[1] is not None:
            below.append(masked_exception(record.exc_info[1]))
        return "\n".join((" ".join(parts), *below))


def _message(record: logging.LogRecord) -> str:
    """The message, masked. That of a request is made of known words, and of most lines: to mask takes 15 µs."""
    message = record.getMessage()
    return message if record.name == REQUEST_LOGGER else masked(message)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _fields(record: logging.LogRecord) -> Mapping[str, Any]:
    """The fields of a line that are known; of a request, its ids come first."""
    fields: dict[str, Any] = {}
    request = CURRENT.get()
    if request is not None:
        fields["request_id"] = request.id
        if request.trace_id is not None:
            fields["trace_id"] = request.trace_id
    own: Mapping[str, Any] = getattr(record, FIELDS, {})
    fields.update((name, value) for name, value in own.items() if value is not None)
    return fields
