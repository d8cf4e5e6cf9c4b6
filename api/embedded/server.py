"""Start the private server of a data folder or attach to it, release it, and stop it."""

import atexit
import errno
import fcntl
import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from api.embedded import cluster as clusters
from api.embedded import postmaster
from api.embedded.os_account import server_account
from api.embedded.programs import ENVIRONMENT, failure_of_program, installed, runnable_by
from api.errors import AccordError, ErrorCode

DATABASE = "accord"
_LONGEST_SOCKET_PATH = 100
_LOCK_TIMEOUT_SECONDS = 180


class EmbeddedServer:
    """One process's use of the server. The server stops when the last process that uses it closes its use.

    A use is a shared lock on a file, which the kernel releases even after `kill -9`. If all processes that use a server
    are killed, it runs until another process attaches and closes, or until `stop`.
    """

    def __init__(self, data_dir: Path, usage_lock: int) -> None:
        self.data_dir = data_dir
        self._usage_lock: int | None = usage_lock
        self._link = _short_link(cluster_dir(data_dir))
        atexit.register(self.close)

    @property
    def host(self) -> str:
        """The folder of the server's socket, as a path that is short enough for a socket address."""
        return str(cluster_dir(self.data_dir)) if self._link is None else f"{self._link.name}/pg"

    def dsn(self, database: str = DATABASE) -> str:
        """Return the connection URL of a database of this server, for asyncpg and SQLAlchemy."""
        return f"postgresql://{clusters.SUPERUSER}@/{quote(database, safe='')}?host={quote(self.host)}"

    def psql(self, statement: str) -> str:
        """Run a statement in the maintenance database `postgres`, which exists before Accord's database does."""
        result = subprocess.run(  # noqa: S603 - a program of the wheel, run as our own account
            [
                installed().path("psql"),
                *("-XAtq", "-h", self.host, "-U", clusters.SUPERUSER, "-d", "postgres", "-c", statement),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
        if result.returncode != 0:
            raise failure_of_program(
                result.stderr,
                f"The private PostgreSQL runs but could not execute a statement: {result.stderr.strip()}",
                "Stop it with `accord stop` and try again.",
            )
        return result.stdout.strip()

    def revive(self) -> bool:
        """Start the server again if it ended, however it ended: a crash, `kill`, or a program that stopped it.

        Return whether it had. One that was stopped by `stop` stays stopped. Errors: DATA_FOLDER if it does not start.
        """
        cluster = cluster_dir(self.data_dir)
        if not _has_ended(cluster):
            if not _stopped_mark(cluster).exists():
                postmaster.end_smart_stop(cluster)
            return False
        with _exclusive(self.data_dir):
            if not _has_ended(cluster):
                return False  # another process that uses it was faster
            account = server_account(cluster)
            postmaster.ensure_running(cluster, account, runnable_by(account, installed()))
        return True

    def close(self) -> None:
        """Release the server, and stop it if no other process uses it."""
        atexit.unregister(self.close)
        if self._usage_lock is None:
            return
        usage_lock, self._usage_lock = self._usage_lock, None
        try:
            with _exclusive(self.data_dir):
                if _is_last(usage_lock):
                    _halt(cluster_dir(self.data_dir))
        finally:
            os.close(usage_lock)
            if self._link is not None:
                self._link.cleanup()


def cluster_dir(data_dir: Path) -> Path:
    """Return PostgreSQL's own folder inside Accord's data folder."""
    return data_dir / "postgres"


def has_database(data_dir: Path) -> bool:
    """Return whether the data folder has a private database, so that to start it makes none."""
    return cluster_dir(_absolute(data_dir)).exists()


def start(data_dir: Path, *, is_durable: bool = True) -> EmbeddedServer:
    """Start the server of a data folder, or attach to it, and create the database unless it exists.

    `is_durable=False` is for temporary data: faster, but lost if the machine (not Accord) fails.
    Errors: DATA_FOLDER if the folder cannot be used, or the server does not start.
    """
    data_dir = _absolute(data_dir)
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _exclusive(data_dir):
            cluster = cluster_dir(data_dir)
            account = server_account(cluster)
            programs = runnable_by(account, installed())
            if not cluster.exists():
                clusters.create(cluster, account, programs)
            clusters.require_version(cluster, programs)
            if postmaster.running_pid(cluster) is None:
                clusters.write_settings(cluster, is_durable=is_durable)
            _stopped_mark(cluster).unlink(missing_ok=True)
            postmaster.ensure_running(cluster, account, programs)
            server = EmbeddedServer(data_dir, _lock_usage(data_dir))
            _ensure_database(server)
            return server
    except OSError as error:
        raise unusable_folder(data_dir, error) from error


def stop(data_dir: Path) -> bool:
    """Stop the server of a data folder even if processes use it. Return False if none was running."""
    cluster = cluster_dir(_absolute(data_dir))
    if not cluster.exists():
        return False
    try:
        with _exclusive(cluster.parent):
            _mark_stopped(cluster)
            if postmaster.running_pid(cluster) is None:
                return False
            _halt(cluster)
            return True
    except OSError as error:
        raise unusable_folder(cluster.parent, error) from error


def _has_ended(cluster: Path) -> bool:
    """Whether the server does not run, although nobody stopped it with `stop`."""
    return postmaster.running_pid(cluster) is None and not _stopped_mark(cluster).exists()


def _stopped_mark(cluster: Path) -> Path:
    """The file that says that `stop` stopped the server, for the processes that would start it again."""
    return cluster.with_name("postgres.stopped")


def _mark_stopped(cluster: Path) -> None:
    os.close(_open_lock(_stopped_mark(cluster)))


def _absolute(data_dir: Path) -> Path:
    return Path(os.path.abspath(data_dir.expanduser()))  # noqa: PTH100 - resolve() would need access to the parents


def _halt(cluster: Path) -> None:
    account = server_account(cluster)
    postmaster.halt(cluster, account, runnable_by(account, installed()))


@contextmanager
def _exclusive(data_dir: Path) -> Iterator[None]:
    """Let no other process create, start or stop this server during the block. Errors: DATA_FOLDER on a timeout."""
    lock = _open_lock(data_dir / "postgres.lock")
    try:
        deadline = time.monotonic() + _LOCK_TIMEOUT_SECONDS
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise AccordError(
                    ErrorCode.DATA_FOLDER,
                    f"Another process has been starting or stopping the database in {data_dir} for "
                    f"{_LOCK_TIMEOUT_SECONDS} seconds.",
                    f"Find it with `fuser {data_dir / 'postgres.lock'}`, end it, and try again.",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _lock_usage(data_dir: Path) -> int:
    """Acquire the shared lock that marks the server as used. Call it inside `_exclusive`."""
    usage_lock = _open_lock(data_dir / "postgres.users")
    fcntl.flock(usage_lock, fcntl.LOCK_SH)
    return usage_lock


def _is_last(usage_lock: int) -> bool:
    """Return whether no other process uses the server. Call it inside `_exclusive`."""
    return _try_lock(usage_lock, fcntl.LOCK_EX)


def _open_lock(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        # Root may use the folder of another user, who must be able to open the lock later.
        owner = path.parent.stat()
        os.fchown(lock, owner.st_uid, owner.st_gid)
    return lock


def _try_lock(lock: int, kind: int) -> bool:
    try:
        fcntl.flock(lock, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _short_link(cluster: Path) -> tempfile.TemporaryDirectory[str] | None:
    """Make a short link to a folder whose path does not fit in a socket address; None if it fits.

    The link is in a private temporary folder. The socket itself stays inside the data folder, closed to other users.
    """
    if len(os.fsencode(cluster / postmaster.SOCKET)) <= _LONGEST_SOCKET_PATH and re.fullmatch(
        r"[\w./ +@=-]+", str(cluster)
    ):
        return None
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > 60:
        parent = "/tmp"  # noqa: S108 - a new folder of mode 0700 is made in it
    folder = tempfile.TemporaryDirectory(dir=parent, prefix="accord-")
    Path(folder.name, "pg").symlink_to(cluster, target_is_directory=True)
    return folder


def _ensure_database(server: EmbeddedServer) -> None:
    """Create Accord's database unless it exists."""
    if server.psql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") != "1":
        server.psql(f"CREATE DATABASE {DATABASE}")


def unusable_folder(data_dir: Path, error: OSError) -> AccordError:
    """The error for a data folder that cannot be read or written."""
    where = error.filename or data_dir
    message = f"The data folder {data_dir} cannot be used: {where}: {error.strerror}."
    if error.errno == errno.ENOSPC:
        return AccordError(ErrorCode.DISK_FULL, message, "Make room on that disk, then try again.")
    return AccordError(
        ErrorCode.DATA_FOLDER,
        message,
        "Make it writable for your user, or name another folder with --data DIR or ACCORD_DATA_DIR.",
    )
