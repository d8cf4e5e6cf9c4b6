"""Files with the process ids of the running servers of a data folder, by which `accord stop` finds them.

Every `accord serve` holds a lock on a file of its own, which contains its process id. The kernel releases the lock when
the process ends, however it ends. So a file without a lock is left over, and the id in a locked file is valid.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_TIMEOUT_SECONDS = 20


@contextmanager
def held_pidfile(data_dir: Path, port: int) -> Iterator[None]:
    """Hold the pidfile of this process while the block runs."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = data_dir / f"serve-{port}.pid"
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def stop_all(data_dir: Path) -> list[int]:
    """Stop all servers of the folder, and remove their files; the ids of the processes that were stopped."""
    stopped = []
    for path in sorted(data_dir.glob("serve-*.pid")):
        pid = _holder(path)
        if pid is not None:
            _stop(path, pid)
            stopped.append(pid)
        path.unlink(missing_ok=True)
    return stopped


def _holder(path: Path) -> int | None:
    """The process that holds a pidfile; None if it is left over."""
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0) or None
    return None


def _stop(path: Path, pid: int) -> None:
    """Send SIGTERM and wait until open requests end; after the timeout send SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(pid, number)
        deadline = time.monotonic() + _TIMEOUT_SECONDS
        while time.monotonic() < deadline:
            if not path.exists() or _holder(path) is None:
                return
            time.sleep(0.05)
