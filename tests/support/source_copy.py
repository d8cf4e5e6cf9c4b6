"""A copy of the source tree that a test may change, and the programs that run in it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.support.sources import TOP

_NOT_COPIED = (".*", "node_modules", "dist", "__pycache__")
# What an outer `make test` hands down, and what would lead to another database.
_NOT_INHERITED = ("ACCORD_", "DATABASE_", "MAKE", "MFLAGS", "PYTEST_")


def copy_source_tree(to: Path) -> Path:
    """Copy everything but installed, built and hidden files."""
    shutil.copytree(TOP, to, ignore=shutil.ignore_patterns(*_NOT_COPIED), dirs_exist_ok=True)
    shutil.copy(TOP / ".squawk.toml", to)
    return to


def run_python(tree: Path, *words: str) -> str:
    """Run Python in the copy, on its packages; return what it printed."""
    return _run(tree, [sys.executable, "-W", "error", *words])


def run_make(tree: Path, *words: str, may_fail: bool = False) -> str:
    """Run make in the copy, with the programs of this environment; return what it printed."""
    installed = [option for stamp in (".venv/.installed", ".venv/.installed-dev") for option in ("-o", stamp)]
    return _run(tree, ["make", *installed, f"BIN={Path(sys.executable).parent}", *words], may_fail=may_fail)


def _run(tree: Path, words: list[str], *, may_fail: bool = False) -> str:
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    done = subprocess.run(
        words,
        cwd=tree,
        env=inherited | {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert may_fail or done.returncode == 0, done.stdout + done.stderr
    return done.stdout
