"""A real server: the commands `accord sample` and `accord serve` in a folder of their own."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import monotonic, sleep

import pytest

TIMEOUT_SECONDS = 120


def accord(*arguments: str) -> list[str]:
    """The `accord` command, run by the interpreter of the tests."""
    return [sys.executable, "-c", "from api.cli import main; main()", *arguments]


@contextmanager
def served_sample(folder: Path, *, contacts: int, until: date = date(2026, 7, 1)) -> Iterator[str]:
    """The address of a server with a sample of so many people, until a day."""
    environment = {name: value for name, value in os.environ.items() if "DATABASE_URL" not in name}
    environment |= {"ACCORD_DATA_DIR": str(folder / "data"), "PYTHONUNBUFFERED": "1"}
    sample = accord("sample", "--contacts", str(contacts), "--until", until.isoformat())
    for command in (accord("migrate"), sample):
        subprocess.run(command, env=environment, check=True, timeout=TIMEOUT_SECONDS)
    try:
        with served(environment, folder / "serve.log") as address:
            yield address
    finally:
        subprocess.run(accord("stop"), env=environment, check=True, timeout=TIMEOUT_SECONDS)


@contextmanager
def served(environment: dict[str, str], log: Path, *, port: int = 0) -> Iterator[str]:
    """The address of a server with these environment variables, which writes its output to a file."""
    with log.open("w") as output:
        server = subprocess.Popen(
            accord("serve", "--port", str(port)), env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _address_of(server, log)
    finally:
        server.terminate()
        server.wait(timeout=30)


def _address_of(server: "subprocess.Popen[bytes]", log: Path) -> str:
    """The address that the server prints; the test fails with the server's output if it prints none."""
    deadline = monotonic() + TIMEOUT_SECONDS
    while server.poll() is None and monotonic() < deadline:
        if found := re.search(r"http://[\d.]+:\d+", log.read_text()):
            return found[0]
        sleep(0.1)
    pytest.fail(f"`accord serve` printed no address:\n{log.read_text()}")
