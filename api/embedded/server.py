"""Start, attach to, leave and stop the private server of a data folder."""

import atexit
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
from api.embedded.os_account import account_for
from api.embedded.programs import ENVIRONMENT, installed, runnable_by
from api.errors import AccordError, ErrorCode

DATABASE = "accord"
_LONGEST_SOCKET_PATH = 100
_PATIENCE_SECONDS = 180


class EmbeddedServer:
    """One process's hold on the server. The server stops when the last process that holds it lets go.

    Holding is a shared lock on a file: the kernel gives it back even after `kill -9`, so no list of processes can go
    stale. A server whose holders were all killed keeps running until the next one attaches and leaves, or `stop`.
    """

    def __init__(self, data_dir: Path, hold: int) -> None:
        self.data_dir = data_dir
        self._hold: int | None = hold
        self._link = _short_link(cluster_of(data_dir))
        atexit.register(self.close)

    @property
    def host(self) -> str:
        """The folder of the server's socket, in a form short enough to connect to."""
        return str(cluster_of(self.data_dir)) if self._link is None else f"{self._link.name}/pg"

    def dsn(self, database: str = DATABASE) -> str:
        """Return the address of a database of this server, for asyncpg and SQLAlchemy alike."""
        return f"postgresql://{clusters.SUPERUSER}@/{quote(database, safe='')}?host={quote(self.host)}"

    def psql(self, statement: str) -> str:
        """Run a statement in the maintenance database: what has to happen before there is one to connect to."""
        done = subprocess.run(  # noqa: S603 - a program of the wheel, run as ourselves
            [
                installed().path("psql"),
                *("-XAtq", "-h", self.host, "-U", clusters.SUPERUSER, "-d", "postgres", "-c", statement),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=ENVIRONMENT,
        )
        if done.returncode != 0:
            raise AccordError(
                ErrorCode.DATA_FOLDER,
                f"The private PostgreSQL runs but does not answer: {done.stderr.strip()}",
                "Stop it with `accord stop` and try again.",
            )
        return done.stdout.strip()

    def close(self) -> None:
        """Let go; the last one to do so stops the server."""
        atexit.unregister(self.close)
        if self._hold is None:
            return
        hold, self._hold = self._hold, None
        try:
            with _changing(self.data_dir):
                if _is_last(hold):
                    place = cluster_of(self.data_dir)
                    account = account_for(place)
                    postmaster.halt(place, account, runnable_by(account, installed()))
        finally:
            os.close(hold)
            if self._link is not None:
                self._link.cleanup()


def cluster_of(data_dir: Path) -> Path:
    """Return PostgreSQL's own folder inside Accord's data folder."""
    return data_dir / "postgres"


def start(data_dir: Path, *, is_durable: bool = True) -> EmbeddedServer:
    """Start the server of a data folder, or attach to it, and make sure that the database is there.

    Errors: AccordError with what to do, for a folder that cannot be used and a server that does not start.
    `is_durable=False` is for throw-away data: faster, and lost when the machine (not Accord) goes down.
    """
    data_dir = Path(os.path.abspath(data_dir.expanduser()))  # noqa: PTH100 - resolve() would need rights on parents
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _changing(data_dir):
            place = cluster_of(data_dir)
            account = account_for(place)
            programs = runnable_by(account, installed())
            is_new = not place.exists()
            if is_new:
                clusters.create(place, account, programs)
            clusters.require_version(place, programs)
            if postmaster.running_pid(place) is None:
                clusters.write_settings(place, is_durable=is_durable)
            postmaster.ensure_running(place, account, programs)
            server = EmbeddedServer(data_dir, _take_hold(data_dir))
            _ensure_database(server)
            return server
    except OSError as error:
        raise _unusable(data_dir, error) from error


def stop(data_dir: Path) -> bool:
    """Stop the server of a data folder whoever holds it; False if none was running."""
    place = cluster_of(Path(os.path.abspath(data_dir.expanduser())))  # noqa: PTH100
    if not place.exists():
        return False
    try:
        with _changing(place.parent):
            if postmaster.running_pid(place) is None:
                return False
            account = account_for(place)
            postmaster.halt(place, account, runnable_by(account, installed()))
            return True
    except OSError as error:
        raise _unusable(place.parent, error) from error


@contextmanager
def _changing(data_dir: Path) -> Iterator[None]:
    """Be the only process that makes, starts or stops this server."""
    lock = _open_lock(data_dir / "postgres.lock")
    try:
        deadline = time.monotonic() + _PATIENCE_SECONDS
        while not _try_lock(lock, fcntl.LOCK_EX):
            if time.monotonic() > deadline:
                raise AccordError(
                    ErrorCode.DATA_FOLDER,
                    f"Another process has been starting or stopping the database in {data_dir} for too long.",
                    f"See which with `fuser {data_dir / 'postgres.lock'}`, end it, and try again.",
                )
            time.sleep(0.02)
        yield
    finally:
        os.close(lock)


def _take_hold(data_dir: Path) -> int:
    """Share the lock that says that the server is in use. Call it while `_changing`."""
    hold = _open_lock(data_dir / "postgres.users")
    fcntl.flock(hold, fcntl.LOCK_SH)
    return hold


def _is_last(hold: int) -> bool:
    """Tell whether no other process holds the server. Call it while `_changing`."""
    return _try_lock(hold, fcntl.LOCK_EX)


def _open_lock(path: Path) -> int:
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if os.geteuid() == 0:
        # Root may be visiting: what it makes in somebody's folder stays usable for them.
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
    """Make a short link of our own to a folder whose path does not fit a socket address; None where it fits.

    A link in a private folder, so the socket itself stays inside the data folder, closed to everybody else.
    """
    if len(os.fsencode(cluster / postmaster.SOCKET)) <= _LONGEST_SOCKET_PATH and re.fullmatch(
        r"[\w./ +@=-]+", str(cluster)
    ):
        return None
    parent = tempfile.gettempdir()
    if len(os.fsencode(parent)) > 60:
        parent = "/tmp"  # noqa: S108 - a fresh folder of mode 0700 is made in it
    folder = tempfile.TemporaryDirectory(dir=parent, prefix="accord-")
    Path(folder.name, "pg").symlink_to(cluster, target_is_directory=True)
    return folder


def _ensure_database(server: EmbeddedServer) -> None:
    """Create Accord's database unless it is there."""
    if server.psql(f"SELECT 1 FROM pg_database WHERE datname = '{DATABASE}'") != "1":
        server.psql(f"CREATE DATABASE {DATABASE}")


def _unusable(data_dir: Path, error: OSError) -> AccordError:
    where = error.filename or data_dir
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"The data folder {data_dir} cannot be used: {where}: {error.strerror}.",
        "Give yourself the right to write there, or name another folder with --data DIR or ACCORD_DATA_DIR.",
    )
