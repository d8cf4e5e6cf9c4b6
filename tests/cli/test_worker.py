"""`accord worker` as a process: it runs the background jobs, and leaves nothing running."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from api.embedded import postmaster
from api.embedded.server import cluster_dir
from tests.support.commands import run_command

# A shell that starts the tests in the background lets them ignore SIGINT, and a process inherits that.
WORKER = """
import signal
from api.cli import main

signal.signal(signal.SIGINT, signal.default_int_handler)
main()
"""


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 128 + signal.SIGTERM)])
def test_it_runs_the_jobs_until_a_signal(data_dir: Path, number: signal.Signals, status: int) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    process = subprocess.Popen(
        [sys.executable, "-c", WORKER, "worker"],
        env={**environment, "ACCORD_DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        assert process.stdout.readline().startswith("Accord runs the background jobs")
        assert process.stderr.readline().endswith(" INFO    accord.jobs: This process runs the background jobs\n")
        process.send_signal(number)
        assert process.wait(60) == status
    finally:
        process.kill()
        process.communicate(timeout=10)
    assert postmaster.running_pid(cluster_dir(data_dir)) is None


def test_it_says_what_to_do_about_a_database_without_tables(tmp_path: Path, empty_dsn: str) -> None:
    result = run_command("worker", data=tmp_path / ".accord", DATABASE_URL=empty_dsn)
    assert result.returncode == 2
    assert "accord migrate" in result.stderr
