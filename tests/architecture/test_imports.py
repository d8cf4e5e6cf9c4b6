"""The import rule, and rules about imports and module names that no linter checks."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.support.sources import TOP, sources

VAGUE = {"utils", "util", "helpers", "helper", "common", "manager", "managers", "service", "services", "misc"}


def test_the_import_contracts_hold() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run(
        [linter, "--cache-dir", ".cache/import-linter"], cwd=TOP, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_modules_import_at_their_top() -> None:
    found = [
        f"{source.name}:{late.lineno}" for source in sources("api", "schema") for late in late_imports(source.tree)
    ]
    assert found == []


def test_the_graphql_edge_writes_no_sql() -> None:
    """It may use parameters, which are values; it must not import `Sql`, of which statements are made."""
    found = [
        source.name
        for source in sources("api")
        if source.name.startswith("api/graph/")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ImportFrom)
        and node.module == "api.sql"
        and any(name.name == "Sql" for name in node.names)
    ]
    assert found == []


def test_no_module_is_named_like_a_module_of_the_standard_library() -> None:
    names = {
        source.name: source.path.parent.name if source.path.stem == "__init__" else source.path.stem
        for source in sources()
    }
    assert [path for path, name in names.items() if name in sys.stdlib_module_names] == []


def test_no_module_has_a_name_without_meaning() -> None:
    assert [
        source.name for source in sources() if VAGUE & {*source.path.relative_to(TOP).parts, source.path.stem}
    ] == []


def late_imports(tree: ast.Module) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the imports inside functions."""
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for node in ast.walk(function):
                if isinstance(node, ast.Import | ast.ImportFrom):
                    yield node
