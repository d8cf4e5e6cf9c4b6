"""`accord serve` as a process: it serves, prints its address, and leaves nothing running."""

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from api.embedded import postmaster
from api.embedded.server import cluster_dir
from tests.support.commands import run_command


@contextmanager
def serving(data_dir: Path, **variables: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    """A server, and the lines that it printed until it was ready."""
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = subprocess.Popen(
        [sys.executable, "-c", "from api.cli import main; main()", "serve", "--port", "0"],
        env={**environment, "ACCORD_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1", **variables},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = []
    for line in process.stdout:
        printed.append(line.rstrip())
        if line.startswith("Ctrl-C"):
            break
    try:
        yield process, printed
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()


def address(printed: list[str]) -> str:
    found = re.search(r"http://127\.0\.0\.1:\d+", printed[0])
    assert found, printed
    return found[0]


def test_it_prints_its_address_and_three_examples_and_serves_requests(data_dir: Path) -> None:
    with serving(data_dir) as (process, printed):
        response = httpx.get(f"{address(printed)}/graphql", params={"query": "{ __typename }"})
        assert response.json()["data"] == {"__typename": "Query"}
        assert sum(line.startswith("      accord ") for line in printed) == 3
        assert any(f"{address(printed)}/accord " in line for line in printed)
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM
    assert postmaster.running_pid(cluster_dir(data_dir)) is None
    assert list(data_dir.glob("serve-*.pid")) == []


def test_the_metrics_have_an_address_of_their_own(data_dir: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
    with serving(data_dir, ACCORD_METRICS_ADDRESS=f"127.0.0.1:{port}") as (process, printed):
        found = httpx.get(f"http://127.0.0.1:{port}/metrics", headers={"Host": "metrics.example"})
        assert "accord_database_up 1.0" in found.text
        assert httpx.get(f"{address(printed)}/metrics").status_code == 404
        taken = run_command("serve", "--port", "0", data=data_dir, ACCORD_METRICS_ADDRESS=f"127.0.0.1:{port}")
        assert taken.returncode == 2
        assert f"The metrics cannot be served at 127.0.0.1:{port}" in taken.stderr
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 128 + signal.SIGTERM


def test_it_compresses_responses_and_believes_a_trusted_proxy(data_dir: Path) -> None:
    forwarded = {"x-forwarded-for": "203.0.113.7", "x-forwarded-host": "accord.example"}
    variables = {"ACCORD_TRUSTED_PROXIES": "127.0.0.1", "ACCORD_ALLOWED_HOSTS": "accord.example"}
    with serving(data_dir, **variables) as (_, printed), httpx.Client(base_url=address(printed)) as client:
        query = {"query": "{ __schema { types { name description } } }"}
        assert client.post("/graphql", json=query, headers=forwarded).status_code == 421
        assert client.get("/healthz", headers=forwarded).status_code == 200
        plain = client.post("/graphql", json=query, headers={"accept-encoding": "identity"})
        compressed = client.post("/graphql", json=query, headers={"accept-encoding": "gzip"})
        assert compressed.headers["content-encoding"] == "gzip"
        assert compressed.json() == plain.json()
        assert int(compressed.headers["content-length"]) * 3 < len(plain.content)


def test_after_a_kill_the_next_server_uses_the_data_and_stop_ends_what_is_left(data_dir: Path) -> None:
    with serving(data_dir) as (process, _):
        process.kill()
        process.wait(10)
    assert postmaster.running_pid(cluster_dir(data_dir)) is not None
    with serving(data_dir) as (process, printed):
        assert httpx.get(f"{address(printed)}/graphql", params={"query": "{ __typename }"}).status_code == 200
        stopped = run_command("stop", data=data_dir)
        assert f"server (process {process.pid})" in stopped.stdout
        assert process.wait(60) == 128 + signal.SIGTERM
    assert postmaster.running_pid(cluster_dir(data_dir)) is None
    assert run_command("stop", data=data_dir).stdout.startswith("Nothing runs on")


def test_a_database_without_tables_is_an_error_that_names_the_migrate_command(tmp_path: Path) -> None:
    result = run_command("serve", "--port", "0", data=tmp_path)
    assert result.returncode == 2
    assert "Run `accord migrate`" in result.stderr
    assert postmaster.running_pid(cluster_dir(tmp_path)) is None
