"""A copy of the source tree that a test may change, and the programs that run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.sources import TOP

_NOT_COPIED = (".*", "node_modules", "dist", "__pycache__")
# What an outer `make test` hands down, and what would lead to another database.
_NOT_INHERITED = ("ACCORD_", "DATABASE_", "MAKE", "MFLAGS", "MIGRATED_BY", "PYTEST_")


def copy_source_tree(to: Path) -> Path:
    """Copy everything but installed, built and hidden files."""
    shutil.copytree(TOP, to, ignore=shutil.ignore_patterns(*_NOT_COPIED), dirs_exist_ok=True)
    shutil.copy(TOP / ".squawk.toml", to)
    return to


def run_python(tree: Path, *words: str, **variables: str) -> str:
    """Run Python in the copy, on its packages and with these variables; return what it printed."""
    return _run(tree, [sys.executable, "-W", "error", *words], variables)


def run_make(tree: Path, *words: str, may_fail: bool = False) -> str:
    """Run make in the copy, with the programs of this environment; return what it printed."""
    return _run(tree, make_words(*words), {}, may_fail=may_fail)


def make_words(*words: str) -> list[str]:
    """The command line of make that uses the programs of this environment and installs nothing."""
    installed = [option for stamp in (".venv/.installed", ".venv/.installed-dev") for option in ("-o", stamp)]
    return ["make", *installed, f"BIN={Path(sys.executable).parent}", *words]


def environment_of(tree: Path) -> dict[str, str]:
    """The variables of a program that runs in the copy, on its packages."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return inherited | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}


def _run(tree: Path, words: list[str], variables: dict[str, str], *, may_fail: bool = False) -> str:
    done = subprocess.run(
        words,
        cwd=tree,
        env=environment_of(tree) | variables,
        capture_output=True,
        text=True,
        check=False,
    )
    assert may_fail or done.returncode == 0, done.stdout + done.stderr
    return done.stdout
