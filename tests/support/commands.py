"""Commands of `accord`, in a process of their own or in that of the tests, which does not import Accord again."""

import asyncio
import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest import mock

import pytest

from api import cli

Done = subprocess.CompletedProcess[str]


class _Stream(io.TextIOWrapper):
    """A stream in memory like the standard ones: log lines are written to it as bytes."""

    def __init__(self) -> None:
        self._written = io.BytesIO()
        super().__init__(self._written, encoding="utf-8", write_through=True)

    def text(self) -> str:
        return self._written.getvalue().decode()


def accord(*words: str, data: Path, **variables: str) -> Done:
    """Run the command in a process of its own, which takes a second."""
    return subprocess.run(
        [sys.executable, "-c", "from api.cli import main; main()", *words],
        env=_environment(data, variables),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def run_command(*words: str, data: Path, **variables: str) -> Done:
    """Run the command in this process; a bug fails the test."""
    output, errors = _Stream(), _Stream()
    with (
        mock.patch.dict(os.environ, _environment(data, variables), clear=True),
        redirect_stdout(output),
        redirect_stderr(errors),
        pytest.raises(SystemExit) as end,
    ):
        cli.run(words)
    done = Done(words, int(end.value.code or 0), output.text(), errors.text())
    assert done.returncode != cli.EXIT_BUG, done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    return done


async def run_on(dsn: str, *words: str, data: Path) -> tuple[int, str]:
    """Run a command in this process on a database. Return its exit code, and its output with its errors."""
    done = await asyncio.to_thread(run_command, *words, data=data, DATABASE_URL=dsn)
    return done.returncode, done.stdout + done.stderr


def _environment(data: Path, variables: dict[str, str]) -> dict[str, str]:
    """Return the variables of the tests without those of Accord, and then the given ones."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    return {**others, "ACCORD_DATA_DIR": str(data), **variables}
