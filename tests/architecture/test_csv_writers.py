"""Every CSV file is written by `api.csv_text`, which protects spreadsheets against formulas in the cells."""

import ast
from pathlib import Path

from tests.support.sources import Source, sources

WRITERS = {"writer", "DictWriter"}


def writers_in(modules: list[Source]) -> list[str]:
    """The modules that use the writers of Python's csv module."""
    found = []
    for module in modules:
        for node in ast.walk(ast.parse(module.text)):
            if isinstance(node, ast.Attribute):
                is_writer = node.attr in WRITERS and ast.unparse(node.value) == "csv"
            elif isinstance(node, ast.ImportFrom):
                is_writer = node.module == "csv" and bool(WRITERS & {alias.name for alias in node.names})
            else:
                continue
            if is_writer:
                found.append(module.name)
    return found


def test_only_csv_text_uses_the_writers_of_the_csv_module() -> None:
    assert set(writers_in(list(sources("api", "schema")))) == {"api/csv_text.py"}


def test_both_ways_to_use_a_writer_are_found(tmp_path: Path) -> None:
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "one.py").write_text("import csv\ncsv.DictWriter(file, ())\n")
    (tmp_path / "api" / "two.py").write_text("from csv import writer\n")
    (tmp_path / "api" / "three.py").write_text("import csv\ncsv.reader(file)\n")
    assert sorted(writers_in(list(sources("api", top=tmp_path)))) == ["api/one.py", "api/two.py"]
