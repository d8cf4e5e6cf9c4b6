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

import typer

from api.embedded import unusable_folder
from api.settings import Settings


@contextmanager
def held_pidfile(settings: Settings) -> Iterator[None]:
    """Hold the pidfile of this process while the block runs.

    A server with a `DATABASE_URL` needs no folder: where none can be written it goes without, and `accord stop` does
    not find it. Errors: DATA_FOLDER for the private PostgreSQL, which needs one.
    """
    path = settings.data_dir / f"serve-{settings.port}-{os.getpid()}.pid"
    try:
        file = _locked_file(path)
    except OSError as error:
        if settings.database_url is None:
            raise unusable_folder(settings.data_dir, error) from error
        reason = f"The folder {settings.data_dir} cannot be written ({error.strerror})"
        typer.echo(f"{reason}, so that `accord stop` does not find this server; all else works without it.", err=True)
        yield
        return
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)


def _locked_file(path: Path) -> int:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        os.ftruncate(file, 0)
        os.write(file, str(os.getpid()).encode())
    except OSError:
        os.close(file)
        path.unlink(missing_ok=True)
        raise
    return file


def stop_all(data_dir: Path, seconds: float) -> list[int]:
    """Stop all servers of the folder, and remove their files; the ids of the processes that were stopped.

    One that still runs after so many seconds is killed.
    """
    stopped = []
    for path in sorted(data_dir.glob("serve-*.pid")):
        pid = _holder(path)
        if pid is not None:
            _stop(path, pid, seconds)
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


def _stop(path: Path, pid: int, seconds: float) -> None:
    """Send SIGTERM and wait until open requests end; then send SIGKILL."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if not path.exists() or _holder(path) is None:
                return
            time.sleep(0.05)
