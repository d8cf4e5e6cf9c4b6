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
    output, errors = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, _environment(data, variables), clear=True),
        redirect_stdout(output),
        redirect_stderr(errors),
        pytest.raises(SystemExit) as end,
    ):
        cli.run(words)
    assert isinstance(end.value.code, int)
    assert end.value.code != cli.EXIT_BUG, errors.getvalue()
    assert "Traceback" not in output.getvalue() + errors.getvalue()
    return Done(words, end.value.code, output.getvalue(), errors.getvalue())


async def run_on(dsn: str, *words: str, data: Path) -> tuple[int, str]:
    """Run a command in this process on a database. Return its exit code, and its output with its errors."""
    done = await asyncio.to_thread(run_command, *words, data=data, DATABASE_URL=dsn)
    return done.returncode, done.stdout + done.stderr


def _environment(data: Path, variables: dict[str, str]) -> dict[str, str]:
    """Return the variables of the tests without those of Accord, and then the given ones."""
    others = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    return {**others, "ACCORD_DATA_DIR": str(data), **variables}
