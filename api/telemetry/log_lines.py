"""Log lines: one line of JSON or of plain text for each event. Those of uvicorn go through the same handler."""

import logging
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, TextIO

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
    handler = _LineHandler(sys.stderr)
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


class RequestLogRecord(logging.LogRecord):
    """The log record of a request, with the fields of its line.

    The standard class looks up the process, the thread and the task, which no line has, and takes six times as long.
    """

    def __init__(self, level: int, message: str, fields: Mapping[str, object]) -> None:
        self.__dict__.update(_OF_ANY_REQUEST)
        self.levelno = level
        self.levelname = logging.getLevelName(level)
        self.msg = message
        self.created = time.time()
        self.msecs = self.created % 1 * 1_000
        setattr(self, FIELDS, fields)


_UNKNOWN = dict.fromkeys(("process", "processName", "thread", "threadName", "taskName"))
_OF_ANY_REQUEST = vars(logging.LogRecord(REQUEST_LOGGER, logging.INFO, __file__, 0, "", None, None)) | _UNKNOWN


class _LineHandler(logging.Handler):
    """Writes each line at once, so that a process that is killed loses none.

    `logging.StreamHandler` flushes twice for each line where the stream has lines of its own, and takes twice as long.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream, self._bytes = stream, stream.buffer

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line of a log record."""
        try:
            self._bytes.write(f"{self.format(record)}\n".encode(self._stream.encoding, "backslashreplace"))
            self._bytes.flush()
        except Exception:  # noqa: BLE001 - as the handlers of the standard library
            self.handleError(record)


class JsonFormatter(logging.Formatter):
    """One JSON object on one line."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line of a log record."""
        line: dict[str, Any] = {
            "time": _time(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        _add_fields(line, record)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = masked_exception(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


class TextFormatter(logging.Formatter):
    """Time, level, logger and message, then the fields as `name=value`. A traceback and a plan follow on own lines."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a log record."""
        message = _message(record).replace("\n", " ")
        parts, below = [f"{_time(record)} {record.levelname:<7} {record.name}: {message}"], []
        fields: dict[str, Any] = {}
        _add_fields(fields, record)
        for name, value in fields.items():
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
    second = int(record.created)
    return f"{_text_of_second(second)}.{int((record.created - second) * 1_000):03d}Z"


@lru_cache(1)
def _text_of_second(second: int) -> str:
    """An instant without its fraction. Many lines have the same second, and to write an instant takes 3 µs."""
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _add_fields(line: dict[str, Any], record: logging.LogRecord) -> None:
    """Add the fields that are known; of a request, its ids come first."""
    request = CURRENT.get()
    if request is not None:
        line["request_id"] = request.id
        if request.trace_id is not None:
            line["trace_id"] = request.trace_id
    own: Mapping[str, Any] = getattr(record, FIELDS, {})
    line.update({name: value for name, value in own.items() if value is not None})
