"""The front-end's packages are pinned to exact versions, installable from any mirror, and not committed."""

import json
import re
from pathlib import Path

GRAPHIQL = Path(__file__).parents[2] / "api" / "static" / "graphiql"


def test_every_package_is_required_by_exact_version() -> None:
    package = json.loads((GRAPHIQL / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert {name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == set()


def test_the_lock_file_has_versions_and_hashes_and_names_no_registry() -> None:
    packages = json.loads((GRAPHIQL / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert [path for path, package in packages.items() if "resolved" in package] == []
    assert [path for path, package in packages.items() if "integrity" not in package] == []


def test_the_page_sources_name_no_other_host() -> None:
    """Built files contain addresses in their licences; our sources contain only the namespace of SVG."""
    written = [*(GRAPHIQL / "src").iterdir(), GRAPHIQL / "index.html", *(GRAPHIQL / "public").iterdir()]
    found = {url for path in written for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text())}
    assert found <= {"http://www.w3.org"}
