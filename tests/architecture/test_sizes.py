"""Limits on the size of folders, modules and functions. The largest ones are printed."""

from pathlib import Path

import pytest

from tests.support.sources import depth, functions, modules_by_folder, sources

MOST_MODULES = 22
DEEPEST_FOLDER = 2
LONGEST_MODULE = 400
LONGEST_FUNCTION = 60
NOTICEABLE_FUNCTION = 40
# Longer modules, each with the reason.
LONG_MODULES: dict[str, str] = {}
# Generated DDL is as long as the change of the tables.
GENERATED = "migrations/versions/"


def test_no_folder_has_more_than_22_modules() -> None:
    counts = modules_by_folder(sources("api", "schema"))
    assert {folder: count for folder, count in counts.items() if count > MOST_MODULES} == {}


def test_no_folder_is_more_than_two_levels_below_api() -> None:
    assert [source.name for source in sources("api") if depth(source) > DEEPEST_FOLDER] == []


def test_no_module_has_more_than_400_lines(capsys: pytest.CaptureFixture[str]) -> None:
    sizes = sorted(
        ((source.text.count("\n"), source.name) for source in sources() if not source.name.startswith(GENERATED)),
        reverse=True,
    )
    with capsys.disabled():
        print("\nlargest modules (lines):", *(f"  {lines:5} {name}" for lines, name in sizes[:5]), sep="\n")
    assert {name for lines, name in sizes if lines > LONGEST_MODULE} <= set(LONG_MODULES)
    assert {name for _, name in sizes} >= set(LONG_MODULES)


def test_no_function_has_more_than_60_lines(capsys: pytest.CaptureFixture[str]) -> None:
    modules = [source for source in sources() if not source.name.startswith(GENERATED)]
    lengths = sorted(((length, name) for name, length in functions(modules)), reverse=True)
    noticeable = [f"  {length:5} {name}" for length, name in lengths if length > NOTICEABLE_FUNCTION]
    with capsys.disabled():
        print("\nfunctions over 40 lines (without docstring):", *(noticeable or ["  none"]), sep="\n")
    assert [name for length, name in lengths if length > LONGEST_FUNCTION] == []


def test_the_measures_find_what_they_look_for(tmp_path: Path) -> None:
    """A limit that cannot be exceeded guards nothing."""
    deep = tmp_path / "api" / "one" / "two" / "three"
    deep.mkdir(parents=True)
    body = "\n".join(f"    x = {number}" for number in range(70))
    (deep / "long.py").write_text(f'def long() -> None:\n    """Two\n    lines."""\n{body}\n', encoding="utf-8")
    for number in range(23):
        (tmp_path / "api" / f"module_{number}.py").touch()
    (tmp_path / "api" / "__init__.py").touch()
    modules = sources("api", top=tmp_path)
    assert modules_by_folder(modules) == {"api": 23, "api/one/two/three": 1}
    assert max(depth(source) for source in modules) == 3
    assert list(functions(modules)) == [("api/one/two/three/long.py:1 long", 71)]
