"""The front-end's packages are pinned to exact versions, installable from any mirror, and not committed."""

import json
import re
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "api" / "static"
FRONT_ENDS = [STATIC / "graphiql", STATIC / "accord"]

each_front_end = pytest.mark.parametrize("folder", FRONT_ENDS, ids=lambda folder: folder.name)


def test_every_front_end_is_checked() -> None:
    assert {path.parent for path in STATIC.glob("*/package.json")} == set(FRONT_ENDS)


@each_front_end
def test_every_package_is_required_by_exact_version(folder: Path) -> None:
    package = json.loads((folder / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert {name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == set()


@each_front_end
def test_the_lock_file_has_versions_and_hashes_and_names_no_registry(folder: Path) -> None:
    packages = json.loads((folder / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert [path for path, package in packages.items() if "resolved" in package] == []
    bundled = {path for path, package in packages.items() if package.get("inBundle")}
    assert [path for path, package in packages.items() if "integrity" not in package and path not in bundled] == []


@each_front_end
def test_the_page_sources_name_no_other_host(folder: Path) -> None:
    """Built files contain addresses in their licences; our sources contain only the namespace of SVG."""
    sources = [*(folder / "src").rglob("*"), *folder.glob("public/*"), folder / "index.html"]
    written = [path for path in sources if path.is_file() and "generated" not in path.parts]
    found = {url for path in written for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text())}
    assert found <= {"http://www.w3.org"}
