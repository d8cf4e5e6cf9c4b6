"""The front-end's packages are installed by exact version from any mirror, and none of them is committed."""

import json
import re
from pathlib import Path

GRAPHIQL = Path(__file__).parents[2] / "api" / "static" / "graphiql"


def test_every_package_is_asked_for_by_its_exact_version() -> None:
    package = json.loads((GRAPHIQL / "package.json").read_text())
    wanted = {**package["dependencies"], **package["devDependencies"]}
    assert {name for name, version in wanted.items() if not re.fullmatch(r"\d+\.\d+\.\d+", version)} == set()


def test_the_lock_names_versions_and_hashes_and_no_registry() -> None:
    packages = json.loads((GRAPHIQL / "package-lock.json").read_text())["packages"]
    packages.pop("")
    assert [path for path, package in packages.items() if "resolved" in package] == []
    assert [path for path, package in packages.items() if "integrity" not in package] == []


def test_the_page_itself_names_no_other_host() -> None:
    """Built files hold addresses in their licences; what we write holds none but the name of SVG."""
    written = [*(GRAPHIQL / "src").iterdir(), GRAPHIQL / "index.html", *(GRAPHIQL / "public").iterdir()]
    found = {url for path in written for url in re.findall(r"(?:https?:)?//[\w.-]+\.\w+", path.read_text())}
    assert found <= {"http://www.w3.org"}
