"""`accord serve --workers`: one socket, one process with the jobs, crashed workers come again, a stop ends all."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import httpx
import psutil
import pytest

from api.db import AdvisoryLock
from api.embedded import postmaster, start
from api.embedded.server import cluster_dir
from tests.support.commands import accord

HOLDERS = "select count(*) from pg_locks where locktype = 'advisory' and granted and objid = $1::bigint::oid"


@pytest.fixture
def served(data_dir: Path) -> Iterator[tuple[psutil.Process, str]]:
    """The parent of three workers, and the address."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0", "--workers", "3"],
        env={**environment, "ACCORD_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
    assert found
    try:
        yield psutil.Process(process.pid), found[0]
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def workers(parent: psutil.Process) -> list[psutil.Process]:
    return [child for child in parent.children() if child.status() != psutil.STATUS_ZOMBIE]


def wait_until(condition: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.1)


def holders_of_the_jobs(data_dir: Path) -> int:
    async def count() -> int:
        connection = await asyncpg.connect(dsn)
        try:
            return int(await connection.fetchval(HOLDERS, AdvisoryLock.WORKING.value & 0xFFFFFFFF))
        finally:
            await connection.close()

    server = start(data_dir)
    dsn = server.dsn()
    try:
        return asyncio.run(count())
    finally:
        server.close()


def test_workers_serve_and_one_runs_the_jobs_and_a_crashed_one_comes_again(
    data_dir: Path, served: tuple[psutil.Process, str]
) -> None:
    parent, address = served
    first = workers(parent)
    assert len(first) == 3
    wait_until(lambda: holders_of_the_jobs(data_dir) == 1, "one worker runs the jobs")
    first[0].kill()
    wait_until(lambda: len(workers(parent)) == 3 and first[0] not in workers(parent), "the worker comes again")
    for worker in first[1:]:  # now only the new one serves
        worker.suspend()
    try:
        wait_until(lambda: _is_alive(address), "the new worker serves")
    finally:
        for worker in first[1:]:
            worker.resume()
    assert holders_of_the_jobs(data_dir) <= 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_workers_end_with_their_parent(
    data_dir: Path, served: tuple[psutil.Process, str], number: signal.Signals
) -> None:
    parent, address = served
    wait_until(lambda: _is_alive(address), "it serves")
    children = workers(parent)
    parent.send_signal(number)
    _, alive = psutil.wait_procs(children, timeout=60)
    assert alive == []
    wait_until(lambda: postmaster.running_pid(cluster_dir(data_dir)) is None, "PostgreSQL stops with the last")


def test_an_expected_error_ends_all_and_is_not_tried_again(tmp_path: Path, empty_dsn: str) -> None:
    done = accord("serve", "--port", "0", "--workers", "2", data=tmp_path / ".accord", DATABASE_URL=empty_dsn)
    assert done.returncode == 2
    assert "accord migrate" in done.stderr


def _is_alive(address: str) -> bool:
    try:
        return httpx.get(f"{address}/healthz", timeout=2).is_success
    except httpx.TransportError:
        return False
