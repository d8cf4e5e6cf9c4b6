"""What the recipes of schema/README.md name is there; tests/evolution follows them."""

import ast
import re
from pathlib import Path

import pytest

from tests.support.sources import TOP

README = (TOP / "schema" / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)


def test_the_first_line_settles_the_word() -> None:
    assert README.startswith("# One schema, declared once, seen two ways: as tables and as GraphQL\n")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`((?:schema|api|tests|migrations)/[\w/.]*)`", PROSE))))
def test_every_file_that_a_recipe_names_is_there(path: str) -> None:
    assert (TOP / path).exists()


@pytest.mark.parametrize(("symbol", "path"), sorted(set(re.findall(r"`(\w+)` in\s+`([\w/.]+\.py)`", PROSE))))
def test_every_symbol_that_a_recipe_names_is_where_it_says(symbol: str, path: str) -> None:
    assert symbol in top_level_names(TOP / path)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`make ([\w-]+)", README))))
def test_every_make_target_that_a_recipe_names_is_there(target: str) -> None:
    assert re.search(rf"^{target}:", (TOP / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_word_that_a_recipe_says_to_columns_is_understood() -> None:
    arguments = set(re.findall(r"`(\w+)=", PROSE))
    declared = next(
        node
        for node in ast.parse((TOP / "schema/base.py").read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "column"
    )
    assert {"unit", "vocab", "hidden"} <= arguments <= {each.arg for each in declared.args.kwonlyargs}


def top_level_names(path: Path) -> set[str]:
    """What a module defines."""
    names: set[str] = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef():
                names.add(node.name)
            case ast.AnnAssign(target=ast.Name() as target):
                names.add(target.id)
            case ast.Assign(targets=[ast.Name() as target]):
                names.add(target.id)
            case _:
                continue
    return names
