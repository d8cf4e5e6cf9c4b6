"""Servers of one and of several processes hand their port over under load, and no request fails."""

import asyncio
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families

from api.embedded import stop
from tests.faults.processes import Installation, free_port
from tests.support.served import TIMEOUT_SECONDS, accord

pytestmark = pytest.mark.faults

QUERY = {"query": "query Load { contacts { totalCount } }"}
STOP_SECONDS = 36.0  # the default grace period, 25 seconds, and one for the parent of the workers
WORKERS = 3


@dataclass
class Load:
    """Clients that send requests one after another: on one connection each, and on a new one for every request."""

    address: str
    served: int = 0
    failed: list[str] = field(default_factory=list)

    async def send(self, *, keeps_connection: bool) -> None:
        client = httpx.AsyncClient(base_url=self.address, timeout=60)
        try:
            while True:
                if not keeps_connection:
                    await client.aclose()
                    client = httpx.AsyncClient(base_url=self.address, timeout=60)
                try:
                    response = await client.post("/graphql", json=QUERY)
                except httpx.HTTPError as error:
                    self.failed.append(repr(error))
                    continue
                if response.status_code != 200 or "errors" in response.json():
                    self.failed.append(response.text)
                self.served += 1
        finally:
            await client.aclose()


@asynccontextmanager
async def load(address: str) -> AsyncIterator[Load]:
    """Send requests by eight clients while the block runs."""
    sent = Load(address)
    tasks = [asyncio.create_task(sent.send(keeps_connection=number % 2 == 0)) for number in range(8)]
    try:
        yield sent
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """A migrated installation on its private PostgreSQL."""
    made = Installation(tmp_path)
    made.run("migrate")
    made.run("init", "--timezone", "UTC", "--currency", "EUR")
    yield made
    subprocess.run(accord("stop"), env=made.environment, check=True, timeout=TIMEOUT_SECONDS)
    stop(made.data)


@dataclass
class Served:
    """A server process and what it prints."""

    process: "subprocess.Popen[bytes]"
    log: Path

    async def until_it_listens(self) -> None:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while "Accord listens on" not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            await asyncio.sleep(0.05)

    async def end(self) -> None:
        """Send SIGTERM. The server and its workers end within the stated time."""
        of_it = [psutil.Process(self.process.pid), *psutil.Process(self.process.pid).children()]
        workers = [process for process in of_it if "postgres" not in process.name()]
        self.process.terminate()
        await asyncio.to_thread(self.process.wait, STOP_SECONDS)
        assert psutil.wait_procs(workers, timeout=0)[1] == []


def serve(installation: Installation, name: str, *options: str, passed: socket.socket | None = None) -> Served:
    """Start a server, on a socket that a supervisor passes if there is one."""
    words, log = accord("serve", *options), installation.folder / f"{name}.log"
    if passed is not None:
        words = [sys.executable, "-c", PASS_SOCKET, str(passed.fileno()), *words]
    with log.open("wb") as output:
        process = subprocess.Popen(
            words,
            env=installation.environment,
            stdout=output,
            stderr=subprocess.STDOUT,
            pass_fds=() if passed is None else (passed.fileno(),),
        )
    return Served(process, log)


PASS_SOCKET = """
import os, sys
os.dup2(int(sys.argv[1]), 3)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[2], sys.argv[2:])
"""


@pytest.mark.parametrize("workers", [1, WORKERS])
async def test_a_new_server_takes_a_shared_port_over(installation: Installation, workers: int) -> None:
    port, metrics = free_port(), free_port()
    installation.settings["ACCORD_METRICS_ADDRESS"] = f"127.0.0.1:{metrics}"
    options = ("--port", str(port), "--reuse-port", "--workers", str(workers))
    old = serve(installation, "old", *options)
    await old.until_it_listens()
    async with load(f"http://127.0.0.1:{port}") as sent:
        await asyncio.sleep(1)
        new = serve(installation, "new", *options)
        await new.until_it_listens()
        await asyncio.sleep(1)
        await old.end()
        served = sent.served
        await asyncio.sleep(2)
    assert sent.failed == [], (len(sent.failed), old.log.read_text()[-3000:])
    assert sent.served > served > 0
    assert "accord_requests_total" in httpx.get(f"http://127.0.0.1:{metrics}/metrics").text
    await new.end()
    print(f"  {workers} workers: {sent.served} requests, none failed")


@pytest.mark.parametrize("workers", [1, WORKERS])
async def test_connections_wait_in_a_passed_socket_between_two_servers(
    installation: Installation, workers: int
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address, options = f"http://127.0.0.1:{listener.getsockname()[1]}", ("--workers", str(workers))
        old = serve(installation, "old", *options, passed=listener)
        await old.until_it_listens()
        async with load(address) as sent:
            await asyncio.sleep(1)
            await old.end()
            new = serve(installation, "new", *options, passed=listener)
            await new.until_it_listens()
            served = sent.served
            await asyncio.sleep(2)
        assert sent.failed == [], old.log.read_text()[-3000:]
        assert sent.served > served > 0
        await new.end()


async def test_all_workers_serve_and_any_of_them_has_the_metrics_of_all(installation: Installation) -> None:
    port = free_port()
    server = serve(installation, "server", "--port", str(port), "--workers", str(WORKERS))
    await server.until_it_listens()
    async with load(f"http://127.0.0.1:{port}") as sent:
        await asyncio.sleep(10)
        first = psutil.Process(server.process.pid).children()[0]
        first.kill()
        await asyncio.sleep(10)
    assert len(sent.failed) <= 8, sent.failed  # those that the killed worker was serving
    await asyncio.sleep(2.5)  # the others have written their metrics since
    counted: dict[str, float] = {}
    texts = [httpx.get(f"http://127.0.0.1:{port}/metrics").text for _ in range(6)]
    for text in texts:
        families = list(text_string_to_metric_families(text))
        assert len({family.name for family in families}) == len(families)
        samples = [sample for family in families for sample in family.samples]
        counted = {
            sample.labels["worker"]: sample.value
            for sample in samples
            if sample.name == "accord_requests_total" and sample.labels["operation"] == "Load"
        }
        assert set(counted) == {str(number) for number in range(WORKERS)}
        assert min(counted.values()) > 0
        assert sum(sample.value for sample in samples if sample.name == "accord_jobs_leading") == 1
        assert [sample.labels for sample in samples if sample.name == "accord_database_up"] == [{}]
    print(f"  {sent.served} requests, of which since the last start of each worker: {counted}")
    log = server.log.read_text()
    assert len(re.findall(r"The worker \d+ crashed \(signal 9\), and is started again", log)) == 1
    await server.end()
