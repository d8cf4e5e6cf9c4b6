"""A PgBouncer in transaction mode, in front of a PostgreSQL of the tests. Every database of that server is reached."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

import pytest

from api.database_url import parse_database_url

POOL_SIZE = 2
"""The connections to PostgreSQL for each database, shared by all clients."""

_TIMEOUT_SECONDS = 20


def program() -> str | None:
    """The path of PgBouncer; None if it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")


@dataclass(frozen=True)
class PgBouncer:
    """A PgBouncer that runs: its port, and the folder of its log."""

    port: int
    folder: Path

    def url(self, database: str) -> str:
        """The URL of a database through the pooler."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}"

    def through(self, dsn: str) -> str:
        """The URL of the database of another URL through the pooler, which says so."""
        return f"{self.url(parse_database_url(dsn).database or '')}?pgbouncer=true"

    def log(self) -> str:
        """What it has logged."""
        return (self.folder / "log").read_text(errors="replace")


@contextmanager
def running_pgbouncer(server: str, *, pool_size: int = POOL_SIZE) -> Iterator[PgBouncer]:
    """Run a PgBouncer before the server of a URL."""
    found = program()
    if found is None:
        pytest.skip("PgBouncer is not installed (on Debian: apt-get install pgbouncer)")
    [host] = parse_database_url(server).hosts
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
    folder = Path(tempfile.mkdtemp(prefix="accord-pgbouncer-"))
    # It does not run as root, and the socket of the server belongs to one account.
    account = Path(host.name).stat()
    (folder / "users").write_text('"postgres" ""\n')
    (folder / "ini").write_text(
        f"""[databases]
* = host={host.name} port={host.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
admin_users = postgres
pool_mode = transaction
default_pool_size = {pool_size}
max_client_conn = 500
server_reset_query =
server_round_robin = 1
logfile = {folder}/log
pidfile = {folder}/pid
"""
    )
    if os.geteuid() == 0:
        for parent in Path(host.name).resolve().parents:
            if parent.is_relative_to(tempfile.gettempdir()) and parent != Path(tempfile.gettempdir()):
                parent.chmod(parent.stat().st_mode | 0o011)
        for path in (folder, *folder.iterdir()):
            os.chown(path, account.st_uid, account.st_gid)
    uid, gid = (account.st_uid, account.st_gid) if os.geteuid() == 0 else (None, None)
    with (folder / "output").open("w") as output:
        process = subprocess.Popen([found, str(folder / "ini")], stdout=output, stderr=output, user=uid, group=gid)
    try:
        _wait_for(process, port, folder)
        yield PgBouncer(port, folder)
    finally:
        process.terminate()
        process.wait(_TIMEOUT_SECONDS)
        shutil.rmtree(folder)


def _wait_for(process: "subprocess.Popen[bytes]", port: int, folder: Path) -> None:
    deadline = monotonic() + _TIMEOUT_SECONDS
    while process.poll() is None and monotonic() < deadline:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        sleep(0.05)
    pytest.fail(f"PgBouncer does not run:\n{(folder / 'output').read_text()}")
