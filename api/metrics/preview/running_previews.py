"""Previews that are being computed: whoever asks first starts one, and others that ask for the same wait for it."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Hashable
from datetime import timedelta
from weakref import WeakKeyDictionary

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.preview.figures import Preview

logger = logging.getLogger("accord.previews")

# In a request. A preview of a large company goes on after it, and is stored. It is less than a request waits for a
# place in its lane, so that those behind two previews get theirs.
WAIT = timedelta(seconds=5)
# In one process. Each holds a connection for as long as it takes, beside those of the lanes.
MOST_AT_ONCE = 2

_Task = asyncio.Task[Preview]
_running: WeakKeyDictionary[Database, dict[Hashable, _Task]] = WeakKeyDictionary()


async def computed_once(
    database: Database, key: Hashable, compute: Callable[[], Awaitable[Preview]], wait: timedelta | None
) -> Preview:
    """Return what `compute` returns, or what the one that runs under the same key in this process does.

    It goes on when the request ends, whether the caller has left or `wait` is over. None waits for its end.
    Errors: EVALUATING if it takes longer than `wait`, or while `MOST_AT_ONCE` others run; those of `compute`.
    """
    running = _running.setdefault(database, {})
    task = running.get(key)
    if task is None:
        if len(running) >= MOST_AT_ONCE:
            raise AccordError(
                ErrorCode.EVALUATING,
                f"The server computes {len(running)} other previews, and no more at once.",
                "Send the request again in a while.",
            )
        task = running[key] = asyncio.ensure_future(compute())
        task.add_done_callback(lambda done: _finished(running, key, done))
    done, _ = await asyncio.wait({task}, timeout=None if wait is None else wait.total_seconds())
    if not done:
        raise AccordError(
            ErrorCode.EVALUATING,
            "The preview is not computed yet, which takes longer than a request may.",
            "It is being computed. Send the request again in a while.",
        )
    return task.result()


def _finished(running: dict[Hashable, _Task], key: Hashable, done: _Task) -> None:
    running.pop(key, None)
    if done.cancelled() or isinstance(error := done.exception(), AccordError | None):
        return
    logger.error("A preview failed", exc_info=error)
