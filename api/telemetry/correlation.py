"""Ids that connect the lines of one request: `X-Request-Id`, and the trace of a `traceparent` (W3C Trace Context)."""

import os
import re
from itertools import count

_REQUEST_ID = re.compile(rb"[A-Za-z0-9._:-]{1,100}")
# A version that is not ours may have more parts after the flags; `ff` is forbidden.
_TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(?:-.*)?")
_NO_TRACE, _NO_SPAN = b"0" * 32, b"0" * 16


class RequestIds:
    """New ids of requests: a random part for the process, and a number. To ask the system for each takes 1 µs."""

    def __init__(self) -> None:
        self._process = os.urandom(12).hex()
        self._numbers = count(1)

    def new(self) -> str:
        """Return an id that no other request of any process has, in hexadecimal digits."""
        return f"{self._process}{next(self._numbers):08x}"


def sent_request_id(header: bytes | None) -> str | None:
    """The id in the header `X-Request-Id`; None without one, or if it is no plain word."""
    return header.decode("ascii") if header is not None and _REQUEST_ID.fullmatch(header) else None


def sent_trace_id(header: bytes | None) -> str | None:
    """The id of the trace in the header `traceparent`; None without one, or if it is malformed."""
    found = _TRACEPARENT.fullmatch(header) if header is not None else None
    if found is None or found[1] == _NO_TRACE or found[2] == _NO_SPAN:
        return None
    return found[1].decode("ascii")
