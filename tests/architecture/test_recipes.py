"""The recipes of schema/README.md are true: what they name is there, and following them works."""

import ast
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import TOP

README = (TOP / "schema" / "README.md").read_text(encoding="utf-8")
PROSE = re.sub(r"```.*?```", "", README, flags=re.DOTALL)
BLOCKS = dict(re.findall(r"```python\n# ([\w/.]+): [^\n]*\n(.*?)```", README, flags=re.DOTALL))

# Drafts, migrates and compares in a process of its own, with the changed declarations.
FOLLOW = """
import asyncio, sys, tempfile
from pathlib import Path
from api.embedded.server import start
from api.graph.contract import sdl
from api.revisions import connected, migrate
from migrations.catalogue import compare, read, read_declared
from migrations.draft import draft

async def differences(dsn):
    await migrate(dsn)
    async with connected(dsn) as connection:
        return compare(await connection.run_sync(read), await connection.run_sync(read_declared))

Path("drafted").write_text("\\n".join(path.read_text() for path in draft("follow the recipes")))
with tempfile.TemporaryDirectory() as folder:
    server = start(Path(folder), is_durable=False)
    Path("differences").write_text("\\n".join(asyncio.run(differences(server.dsn()))))
    server.close()
Path("sdl").write_text(sdl())
"""


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


def test_following_the_recipes_makes_the_tables_and_the_contract(tmp_path: Path) -> None:
    for part in ("api", "schema", "migrations"):
        shutil.copytree(TOP / part, tmp_path / part, ignore=shutil.ignore_patterns("static", "__pycache__"))
    shutil.copy(TOP / "alembic.ini", tmp_path)
    follow(tmp_path)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FOLLOW],
        cwd=tmp_path,
        env=environment | {"PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "differences").read_text() == ""
    drafted, contract = (tmp_path / "drafted").read_text(), (tmp_path / "sdl").read_text()
    for expected in ("competitor", "FUNCTION deal_history", 'add_column(\n        "deal_version"', "ix_deal_region"):
        assert expected in drafted
    for expected in ("type Competitor ", "competitors(", "  region: String", "  deals_closed\n"):
        assert expected in contract


def follow(top: Path) -> None:
    """Do what the recipes say."""
    assert set(BLOCKS) == {
        "schema/tables/deal.py",
        "schema/tables/competitor.py",
        "schema/tables/__init__.py",
        "schema/kpis/volume.py",
    }
    (top / "schema/tables/competitor.py").write_text(BLOCKS["schema/tables/competitor.py"])
    with (top / "schema/tables/deal.py").open("a") as deal:
        deal.write(BLOCKS["schema/tables/deal.py"])
    with (top / "schema/kpis/volume.py").open("a") as kpis:
        kpis.write(f"\n{BLOCKS['schema/kpis/volume.py']}\nKPIS = (*KPIS, DEALS_CLOSED)\n")
    tables = top / "schema/tables/__init__.py"
    registered = tables.read_text().replace("    Company,\n", "    Company,\n    Competitor,\n")
    tables.write_text(
        registered.replace(
            "from schema.tables.contact", f"{BLOCKS['schema/tables/__init__.py']}from schema.tables.contact"
        )
    )


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
