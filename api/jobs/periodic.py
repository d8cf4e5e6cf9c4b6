"""What a periodic job is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from api.db import Database


@dataclass(frozen=True, slots=True)
class PeriodicJob:
    """Work that is repeated. It has to stand being run twice at the same time, and being killed in the middle.

    `run` returns how much it did, for the log; not for that of a job whose lines would fill it (`is_logged`). It runs
    at the start, and again `every` so long; earlier if `next_at` returns an earlier instant, and at once when the
    database notifies `channel`. A job that may take long (`is_long`) runs beside the others, which do not wait for it.
    """

    name: str
    every: timedelta
    run: Callable[[Database], Awaitable[int]]
    next_at: Callable[[Database], Awaitable[datetime | None]] | None = None
    is_logged: bool = True
    channel: str | None = None
    is_long: bool = False
