"""A primary and a streaming standby, and an installation that reads from the standby."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import psutil

from api.embedded import EmbeddedServer, postmaster, start
from api.embedded.os_account import server_account
from api.embedded.programs import ENVIRONMENT, installed
from api.embedded.server import cluster_dir
from tests.faults.processes import Installation

SECONDS = 30.0


@dataclass
class Replication:
    """A primary, its standby, and the folder of the standby: it can be killed and started again."""

    primary: EmbeddedServer
    standby: EmbeddedServer
    installation: Installation

    def pause(self) -> None:
        """Let the standby replay nothing: it lags from now on."""
        self.standby.psql("select pg_wal_replay_pause()")
        self._wait(lambda: self.standby.psql("select pg_get_wal_replay_pause_state()") == "paused")

    def resume(self) -> None:
        """Let the standby replay again."""
        self.standby.psql("select pg_wal_replay_resume()")

    def catch_up(self) -> None:
        """Wait until the standby has replayed what the primary has written."""
        position = self.primary.psql("select pg_current_wal_flush_lsn()")
        self._wait(lambda: self.standby.psql(f"select pg_last_wal_replay_lsn() >= '{position}'") == "t")

    def kill_standby(self) -> None:
        """Kill the standby and its sessions without a warning."""
        main = self.main_process()
        processes = [main, *main.children()]
        for process in processes:
            process.kill()
        psutil.wait_procs(processes, timeout=SECONDS)

    def start_standby(self) -> None:
        """Start the standby again."""
        assert self.standby.revive(), "the standby was not gone"

    def main_process(self) -> psutil.Process:
        """The main process of the standby."""
        pid = postmaster.running_pid(cluster_dir(self.standby.data_dir))
        assert pid is not None, "the standby does not run"
        return psutil.Process(pid)

    @staticmethod
    def _wait(is_done: Callable[[], bool]) -> None:
        deadline = monotonic() + SECONDS
        while not is_done():
            assert monotonic() < deadline, "the standby does not follow"
            sleep(0.02)


@contextmanager
def replicated(settings: dict[str, str] | None = None) -> Iterator[Replication]:
    """Start a primary, set Accord up on it, copy it with pg_basebackup, and start the copy as its standby."""
    with TemporaryDirectory(prefix="accord-replica-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o711)  # the standby reaches the socket of the primary as another account, if root runs the tests
        first = _replicable(_folder(folder, "primary"))
        installation = Installation(_folder(folder, "accord"), first.dsn(), settings=dict(settings or {}))
        standby: EmbeddedServer | None = None
        try:
            installation.run("migrate")
            installation.run("init", "--timezone", "UTC", "--currency", "EUR")
            standby = start(_copy(first, _folder(folder, "standby")))
            installation.settings["DATABASE_URL_READ"] = standby.dsn()
            yield Replication(first, standby, installation)
        finally:
            if installation.server is not None and installation.server.poll() is None:
                installation.server.kill()
                installation.server.wait(SECONDS)
            if standby is not None:
                standby.close()
            first.close()


def _folder(parent: Path, name: str) -> Path:
    made = parent / name
    made.mkdir()
    made.chmod(0o711)
    return made


def _replicable(data: Path) -> EmbeddedServer:
    """Start a server that streams its log. The private PostgreSQL does not: it is told to, and started again."""
    server = start(data)
    for setting in ("wal_level = 'replica'", "max_wal_senders = 5", "wal_keep_size = '1GB'"):
        server.psql(f"alter system set {setting}")
    # So that a pause of the replay lets no query of the standby fail, and none of it waits for long.
    server.psql("alter system set max_standby_streaming_delay = '200ms'")
    server.close()
    return start(data)


def _copy(primary: EmbeddedServer, data: Path) -> Path:
    """Copy a running server into the data folder of a standby."""
    cluster = cluster_dir(data)
    subprocess.run(
        [
            installed().path("pg_basebackup"),
            *("-h", primary.host, "-U", "postgres", "-D", str(cluster), "-R", "-X", "stream", "-c", "fast"),
        ],
        check=True,
        env=ENVIRONMENT,
    )
    account = server_account(cluster_dir(primary.data_dir))
    if account.is_other:
        for path in (cluster, *cluster.rglob("*")):
            shutil.chown(path, account.uid, account.gid)
    return data
