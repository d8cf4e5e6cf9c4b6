"""Rules that every migration follows."""

import ast
import re
from pathlib import Path

import pytest

from api.revisions import MIGRATIONS

VERSIONS = sorted((MIGRATIONS / "versions").glob("*.py"))


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_the_name_of_a_migration_begins_with_its_date(path: Path) -> None:
    assert re.fullmatch(r"20\d\d_[01]\d_[0-3]\d_[a-z0-9_]+", path.stem)


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_migration_never_imports_the_declarations(path: Path) -> None:
    modules = {
        name.partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in ([node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names])
    }
    assert modules <= {"sqlalchemy", "alembic"}


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
@pytest.mark.parametrize("direction", ["upgrade", "downgrade"])
def test_a_migration_sets_lock_and_statement_timeouts(path: Path, direction: str) -> None:
    functions = {
        node.name: ast.unparse(node)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    for setting in ("lock_timeout", "statement_timeout"):
        assert f"set local {setting} = " in functions[direction]


def test_there_is_a_migration() -> None:
    assert VERSIONS
