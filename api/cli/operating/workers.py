"""Several processes of one server: they share its listening socket, and one that crashes is started again.

The processes are forked before anything is opened, so that each has connections of its own. Their parent opens nothing
but the socket.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from api.cli.error_reports import report_bug, report_expected
from api.errors import AccordError

logger = logging.getLogger("accord.serve")

SHORTEST_LIFE_SECONDS = 5.0
"""A worker that ends sooner is started again only after this time, so that a broken set-up does not fill the log."""

_PAUSE_SECONDS = 0.05
_EXIT_EXPECTED = 2
_EXIT_BUG = 70


def run_workers(
    count: int, work: Callable[[int], None], *, stop_seconds: float, on_stopping: Callable[[], None]
) -> None:
    """Run `work` in so many processes until SIGTERM or Ctrl-C; in this one if it is one.

    `work` gets the number of the worker, from 0. One that crashes is started again with the same number. If a worker
    ends by itself or with an expected error, the others are stopped, and this process exits as that worker did.
    `on_stopping` is called in this process before they are told to stop: a socket that it keeps open would go on
    getting connections, which nobody accepts. Workers that do not stop within `stop_seconds` are killed.
    """
    if count == 1:
        work(0)
        return
    _Workers(count, work, stop_seconds, on_stopping).run()


@dataclass
class _Workers:
    """The processes by their ids, each with its number and the time at which it began."""

    count: int
    work: Callable[[int], None]
    stop_seconds: float
    on_stopping: Callable[[], None]
    began: dict[int, tuple[int, float]] = field(default_factory=dict)
    due: list[tuple[float, int]] = field(default_factory=list)

    def run(self) -> None:
        """Start the workers, and again those that crash, until one ends by itself or a signal comes."""
        lifeline, held = os.pipe()  # closed with this process, however it ends: then the workers stop
        try:
            for number in range(self.count):
                self._start(lifeline, held, number)
            while (status := self._ended()) is None:
                now = time.monotonic()
                for at, number in [due for due in self.due if due[0] <= now]:
                    self.due.remove((at, number))
                    self._start(lifeline, held, number)
                time.sleep(_PAUSE_SECONDS)
        finally:
            self.on_stopping()
            self._stop()
        if status:
            sys.exit(status)

    def _start(self, lifeline: int, held: int, number: int) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        pid = os.fork()
        if pid == 0:
            os.close(held)
            os._exit(_run_worker(lifeline, self.work, number))
        self.began[pid] = number, time.monotonic()

    def _ended(self) -> int | None:
        """Note which workers crashed. Return the exit code of one that ended in another way; None if none did."""
        for pid in list(self.began):
            ended, status = os.waitpid(pid, os.WNOHANG)
            if not ended:
                continue
            (number, began), code = self.began.pop(pid), os.waitstatus_to_exitcode(status)
            if code in (0, _EXIT_EXPECTED):
                return code
            cause = f"signal {-code}" if code < 0 else f"exit code {code}"
            logger.warning("The worker %d crashed (%s), and is started again", pid, cause)
            self.due.append((max(time.monotonic(), began + SHORTEST_LIFE_SECONDS), number))
        return None

    def _stop(self) -> None:
        """Stop all workers; kill those that do not stop in time."""
        for stop in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.began:
                os.kill(pid, stop)
            deadline = time.monotonic() + self.stop_seconds
            while self.began and time.monotonic() < deadline:
                for pid in list(self.began):
                    if os.waitpid(pid, os.WNOHANG)[0]:
                        del self.began[pid]
                time.sleep(_PAUSE_SECONDS)


def _run_worker(lifeline: int, work: Callable[[int], None], number: int) -> int:
    """Work in a process that was just forked. Return its exit code."""
    threading.Thread(target=_stop_with_parent, args=(lifeline,), name="accord-lifeline", daemon=True).start()
    try:
        work(number)
    except AccordError as error:
        report_expected(error)
        return _EXIT_EXPECTED
    except KeyboardInterrupt:
        return 0
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 1
    except Exception as error:  # noqa: BLE001 - the outermost edge of this process: a bug is logged
        report_bug(error)
        return _EXIT_BUG
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _stop_with_parent(lifeline: int) -> None:
    with suppress(OSError):
        os.read(lifeline, 1)
    os.kill(os.getpid(), signal.SIGTERM)
