"""The recipes of schema/README.md, followed literally in a copy of the source tree."""

import re
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from tests.support.recipes import Recipe, recipes
from tests.support.source_copy import copy_source_tree, run_make, run_python

# What each recipe names its example. A name that the tree has already is replaced by another one.
EXAMPLES = {
    "Add a field": ("seniority",),
    "Add a word to a vocabulary": ("SHARED",),
    "Add an entity": ("Competitor", "competitor"),
    "Add a KPI": ("DEALS_CLOSED", "deals_closed"),
    "Add a dimension": ("STAGE_CATEGORY",),
    "Add a dimension from a column": ("persona", "PERSONA", "contactPersona"),
    "Add a rule leaf": ("RejectedFor", "rejected_for"),
    "Add a root field": ("reportingCurrency", "reporting_currency"),
    "Add a preset": ("newsletter",),
}
# What must be in the SDL afterwards.
CONTRACT = {
    "Add a field": r"^type Contact .*?^  seniority(_?2)?: String$",
    "Add a word to a vocabulary": r"^enum EmailKind .*?^  SHARED(_2)?$",
    "Add an entity": r"^type Competitor2? ",
    "Add a KPI": r"^enum KpiKey .*?^  DEALS_CLOSED(_2)?$",
    "Add a dimension": r"^enum KpiDimension .*?^  STAGE_CATEGORY(_2)?$",
    "Add a dimension from a column": r"^enum KpiDimension .*?^  CONTACT_PERSONA(_2)?$",
    "Add a root field": r"^type Query .*?^  reportingCurrency2?: Currency$",
}


@dataclass(frozen=True)
class Followed:
    """A copy of the tree in which all recipes were followed."""

    tree: Path
    recipes: dict[str, Recipe]
    output: str
    # Whether a test passed, by the path of its module.
    tests: dict[str, list[bool]]

    @property
    def sdl(self) -> str:
        return (self.tree / "schema/schema.graphql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def followed(tmp_path_factory: pytest.TempPathFactory) -> Followed:
    tree = copy_source_tree(tmp_path_factory.mktemp("recipes"))
    done: dict[str, Recipe] = {}
    for title, recipe in recipes().items():
        done[title] = recipe.with_unused_names(EXAMPLES[title], tree)
        for step in done[title].steps:
            step.apply(tree)
        for command in done[title].commands:
            if command[0] == "migration":
                run_make(tree, *command)
    # The commands that several recipes name run once for all of them.
    run_make(tree, "format")
    run_make(tree, "sdl")
    paths = dict.fromkeys(path for recipe in done.values() for path in recipe.tests)
    output = run_make(tree, "test", f"ARGS=-q --junitxml=report.xml {' '.join(paths)}", may_fail=True)
    return Followed(tree, done, output, _results(tree / "report.xml"))


def _results(report: Path) -> dict[str, list[bool]]:
    found: dict[str, list[bool]] = {}
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - pytest wrote it
        module = f"{case.attrib['classname'].replace('.', '/')}.py"
        found.setdefault(module, []).append(len(case) == 0)
    return found


def test_every_kind_of_change_has_a_recipe() -> None:
    assert set(recipes()) == set(EXAMPLES)


@pytest.mark.parametrize("title", EXAMPLES)
def test_a_recipe_names_its_commands_and_tests(title: str) -> None:
    recipe = recipes()[title]
    assert recipe.steps
    assert recipe.tests
    assert {command[0] for command in recipe.commands} <= {"migration", "format", "sdl", "test"}


@pytest.mark.evolution
@pytest.mark.parametrize("title", EXAMPLES)
def test_the_tests_that_a_recipe_names_pass_after_it(followed: Followed, title: str) -> None:
    for path in followed.recipes[title].tests:
        results = [passed for module, of in followed.tests.items() if module.startswith(path) for passed in of]
        assert results, path
        assert all(results), followed.output


@pytest.mark.evolution
@pytest.mark.parametrize("title", CONTRACT)
def test_a_recipe_changes_the_contract(followed: Followed, title: str) -> None:
    assert re.search(CONTRACT[title], followed.sdl, flags=re.MULTILINE | re.DOTALL)


@pytest.mark.evolution
def test_the_migrations_of_the_recipes_pass_squawk_and_the_code_is_formatted(followed: Followed) -> None:
    run_python(followed.tree, "-m", "migrations.lint")
    run_python(followed.tree, "-m", "ruff", "check", "--no-cache", ".")
    run_python(followed.tree, "-m", "ruff", "format", "--no-cache", "--check", ".")


@pytest.mark.evolution
@pytest.mark.parametrize("title", EXAMPLES)
def test_a_recipe_can_be_followed_once_more_with_other_names(followed: Followed, title: str, tmp_path: Path) -> None:
    """The example may really have been added: then the suite still passes."""
    again = recipes()[title].with_unused_names(EXAMPLES[title], followed.tree)
    assert again.steps != recipes()[title].steps
    for path in dict.fromkeys(step.path for step in again.steps if step.place != "new file"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text((followed.tree / path).read_text(encoding="utf-8"), encoding="utf-8")
    for step in again.steps:
        (tmp_path / step.path).parent.mkdir(parents=True, exist_ok=True)
        step.apply(tmp_path)
