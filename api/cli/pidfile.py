"""Which `accord serve` processes run on a data folder, so that `accord stop` finds those left behind.

Each holds a lock on a file of its own that has its process id in it. The lock goes with the process, however it ends:
a file without a holder is a leftover, and a number in a held file is right.
"""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PATIENCE_SECONDS = 20


@contextmanager
def announced(data_dir: Path, port: int) -> Iterator[None]:
    """Be findable by `stop_all` while the block runs."""
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
    """End every server that runs on the folder; return their process ids."""
    ended = []
    for path in sorted(data_dir.glob("serve-*.pid")):
        pid = _holder(path)
        if pid is not None:
            _end(path, pid)
            ended.append(pid)
        path.unlink(missing_ok=True)
    return ended


def _holder(path: Path) -> int | None:
    with path.open("r") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return int(file.read() or 0) or None
    return None


def _end(path: Path, pid: int) -> None:
    """Ask, wait for open requests to end, and insist."""
    for request in (signal.SIGTERM, signal.SIGKILL):
        os.kill(pid, request)
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while time.monotonic() < deadline:
            if not path.exists() or _holder(path) is None:
                return
            time.sleep(0.05)
