"""The processes of an installation, all of which can be killed: server, commands, and private PostgreSQL."""

import os
import random
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep

import httpx
import psutil
import pytest

from api.embedded import postmaster
from api.embedded.server import cluster_dir
from tests.support.served import TIMEOUT_SECONDS, accord


def free_port() -> int:
    """Return a port that nobody listens on, so that a server can come back at the same address."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@dataclass
class Installation:
    """A data folder, the server process on it, and the commands that run beside it."""

    folder: Path
    database_url: str | None = None
    port: int = field(default_factory=free_port)
    server: "subprocess.Popen[bytes] | None" = None
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def address(self) -> str:
        """The address of the server."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def data(self) -> Path:
        """The data folder."""
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        """The environment variables of every process."""
        own = {"ACCORD_DATA_DIR": str(self.data), "PYTHONUNBUFFERED": "1"}
        own |= {"DATABASE_URL": self.database_url} if self.database_url else {}
        return {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name} | own | self.settings

    def command(self, *arguments: str) -> "subprocess.Popen[bytes]":
        """Start an `accord` command, whose output goes to the log."""
        with (self.folder / "accord.log").open("ab") as output:
            return subprocess.Popen(accord(*arguments), env=self.environment, stdout=output, stderr=subprocess.STDOUT)

    def run(self, *arguments: str) -> None:
        """Run an `accord` command, which must succeed."""
        code = self.command(*arguments).wait(TIMEOUT_SECONDS)
        assert code == 0, f"accord {' '.join(arguments)} ended with exit code {code}:\n{self.log()[-4000:]}"

    def start_server(self) -> None:
        """Start the server and wait until it is ready."""
        self.server = self.command("serve", "--port", str(self.port))
        self.wait_until_ready()

    def wait_until_ready(self) -> None:
        """Wait until the server serves requests; the test fails with the log if it does not."""
        deadline = monotonic() + TIMEOUT_SECONDS
        while monotonic() < deadline and self.server is not None and self.server.poll() is None:
            try:
                if httpx.get(f"{self.address}/readyz", timeout=5).is_success:
                    return
            except httpx.TransportError:
                pass
            sleep(0.1)
        pytest.fail(f"the server is not ready again:\n{self.log()[-4000:]}")

    def stop(self) -> None:
        """Stop everything that runs."""
        subprocess.run(accord("stop"), env=self.environment, check=True, timeout=TIMEOUT_SECONDS)
        if self.server is not None:
            self.server.wait(TIMEOUT_SECONDS)

    def log(self) -> str:
        """What all processes have printed."""
        return (self.folder / "accord.log").read_text(errors="replace")

    def postmaster(self) -> psutil.Process:
        """Return the main process of PostgreSQL."""
        pid = postmaster.running_pid(cluster_dir(self.data))
        assert pid is not None, "PostgreSQL does not run"
        return psutil.Process(pid)


@contextmanager
def frozen(main: psutil.Process) -> Iterator[None]:
    """Stop all processes of a PostgreSQL halfway (SIGSTOP): connections stay open, and nothing answers."""
    processes = [main, *main.children()]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def kill(process: "subprocess.Popen[bytes]") -> None:
    """Kill a process without a warning, as the kernel does when memory runs out."""
    process.send_signal(signal.SIGKILL)
    process.wait(30)


def kill_backend(installation: Installation, chooser: random.Random) -> None:
    """Kill one process of PostgreSQL that serves a connection; PostgreSQL then ends all sessions and recovers."""
    backends = []
    for process in installation.postmaster().children():
        try:
            if "[local]" in " ".join(process.cmdline()):
                backends.append(process)
        except psutil.NoSuchProcess:
            continue  # it ended while the list was read
    if backends:
        chooser.choice(sorted(backends, key=lambda process: process.pid)).send_signal(signal.SIGKILL)
