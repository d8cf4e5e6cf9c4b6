"""Everything that schema/README.md names exists. tests/evolution/test_recipes.py follows the recipes."""

import ast
import inspect
import re
from pathlib import Path

import pytest

from schema.base import column
from schema.declarations import ColumnMeaning
from tests.support.recipes import README, recipes
from tests.support.sources import TOP

TEXT = README.read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)


def test_the_first_line_defines_the_word_schema() -> None:
    assert TEXT.startswith("# One schema, declared once, seen two ways: as tables and as GraphQL\n")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"`?((?:schema|api|tests|migrations)/[\w/.]*\w)", PROSE))))
def test_every_path_in_the_text_exists(path: str) -> None:
    assert (TOP / path).exists()


@pytest.mark.parametrize("title", recipes())
def test_every_file_that_a_recipe_changes_exists(title: str) -> None:
    changed = [step.path for step in recipes()[title].steps if step.place != "new file"]
    assert [path for path in changed if not (TOP / path).is_file()] == []


@pytest.mark.parametrize(("symbol", "path"), sorted(set(re.findall(r"`(\w+)`\s+in\s+`([\w/.]+\.py)`", PROSE))))
def test_every_symbol_in_the_text_is_defined_where_it_says(symbol: str, path: str) -> None:
    assert symbol in top_level_names(TOP / path)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^make ([\w-]+)|`make ([\w-]+)", TEXT, flags=re.MULTILINE))))
def test_every_make_target_in_the_text_exists(target: tuple[str, str]) -> None:
    name = "".join(target)
    assert re.search(rf"^{name}:", (TOP / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_every_argument_of_column_in_the_text_exists() -> None:
    arguments = set(re.findall(r"`(\w+)=", PROSE))
    known = {*inspect.signature(column).parameters, *ColumnMeaning.__annotations__}
    assert {"unit", "vocab", "hidden"} <= arguments <= known


def top_level_names(path: Path) -> set[str]:
    """The names that a module defines."""
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
