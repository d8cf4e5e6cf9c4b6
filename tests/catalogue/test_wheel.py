"""The wheel contains the migrations and the built pages, and names packages of others in their place."""

import shutil
import subprocess
import sys
import zipfile
from importlib import invalidate_caches
from pathlib import Path

import pytest

from accord_command import foreign_package
from api.revisions import head_revision
from tests.support.sources import TOP

MIGRATE = """
import asyncio, sys
import api
import pytest

from accord_command import foreign_package
from api.revisions import migrate
assert sys.argv[2] in api.__file__, api.__file__
print(asyncio.run(migrate(sys.argv[1])).revision)
"""


def project_with(folder: Path, *built: str) -> Path:
    """A copy of what the wheel is built of, in which these front-ends are built."""
    copy = folder / "project"
    ignored = shutil.ignore_patterns("node_modules", "dist", "__pycache__")
    for name in ("api", "schema", "migrations"):
        shutil.copytree(TOP / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE", "accord_command.py", "wheel_hook.py"):
        shutil.copy(TOP / name, copy / name)
    for name in built:
        page = copy / "api" / "static" / name / "dist" / "index.html"
        page.parent.mkdir()
        page.write_text("<!doctype html>")
    return copy


def build(project: Path, target: Path) -> "subprocess.CompletedProcess[str]":
    run = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(target)]
    return subprocess.run(run, cwd=project, check=False, capture_output=True, text=True)


def test_a_wheel_without_a_page_is_not_built(tmp_path: Path) -> None:
    built = build(project_with(tmp_path, "graphiql"), tmp_path / "dist")
    assert built.returncode != 0
    assert "the pages of accord are missing. Build them first: make assets" in built.stdout + built.stderr
    assert not list(tmp_path.glob("dist/*"))


@pytest.mark.parametrize("name", ["api", "schema", "migrations"])
@pytest.mark.parametrize("kind", ["package over Accord's", "module", "folder"])
def test_a_package_of_another_distribution_is_named(tmp_path: Path, name: str, kind: str) -> None:
    installed, first = tmp_path / "site-packages", tmp_path / "first"
    for package in ("api", "schema", "migrations"):
        (installed / package).mkdir(parents=True)
        shutil.copy(TOP / package / "__init__.py", installed / package)
    assert foreign_package([str(first), str(installed)]) is None
    first.mkdir()
    if kind == "module":
        (first / f"{name}.py").write_text('"""Schema validation just got Pythonic."""\n')
    elif kind == "folder":
        shutil.rmtree(installed / name)
        (first / name).mkdir()
    else:
        (installed / name / "__init__.py").write_text('"""Of others."""\n')
    invalidate_caches()
    problem = foreign_package([str(first), str(installed)])
    assert problem is not None
    assert f"'{name}'" in problem


def test_the_command_names_it_and_imports_nothing(tmp_path: Path) -> None:
    (tmp_path / "schema.py").write_text("raise TypeError('a foreign schema')\n")
    done = subprocess.run(
        [sys.executable, TOP / "accord_command.py", "--help"],
        env={"PYTHONPATH": f"{tmp_path}:{TOP}", "PYTHONSAFEPATH": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert f"a package 'schema' as well ({tmp_path / 'schema.py'})" in done.stderr
    assert "pipx install accord-graphql" in done.stderr
    assert "TypeError" not in done.stderr


def test_the_wheel_migrates_an_empty_database(empty_dsn: str, tmp_path: Path) -> None:
    built = build(project_with(tmp_path, "graphiql", "accord"), tmp_path)
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as packed:
        packed.extractall(tmp_path / "installed")
    assert not (tmp_path / "installed/alembic.ini").exists()
    assert (tmp_path / "installed/api/static/accord/dist/index.html").exists()
    assert "accord_command:main" in next((tmp_path / "installed").glob("*.dist-info/entry_points.txt")).read_text()
    done = subprocess.run(
        [sys.executable, "-c", MIGRATE, empty_dsn, str(tmp_path / "installed")],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path / "installed")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout.strip()) == (0, head_revision()), done.stderr
