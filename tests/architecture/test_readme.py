"""The tables of the READMEs that come from the code. `ACCORD_README=write` writes them: review what changes."""

import os
import re
from collections.abc import Sequence

import pytest

from api.errors import ErrorCode
from api.settings import Settings
from api.web.limit_table import LIMITS
from schema.access.rights import LOWEST_LEVEL, AccessLevel, Reach, Right
from tests.support.sources import TOP, sources

README = TOP / "README.md"
OPERATORS = TOP / "api" / "deploy" / "README.md"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(line)} |" for line in (head, *rows)]
    return "\n".join((lines[0], f"|{'---|' * len(head)}", *lines[1:]))


def settings_table() -> str:
    rows = []
    for name, field in Settings.model_fields.items():
        variable = field.validation_alias or f"ACCORD_{name.upper()}"
        default = "" if field.default in (None, ()) else f" Default: `{field.default}`."
        rows.append([f"`{variable}`", f"{field.description}{default}"])
    return table(["variable", "meaning"], rows)


def permissions_table() -> str:
    rows = []
    for level in AccessLevel:
        own = [permission.doc for permission, lowest in LOWEST_LEVEL.items() if lowest is level]
        rows.append([f"`{level}`", " ".join(own)])
    return table(["access level", "may, beside what the levels before it may"], rows)


TABLES = {
    "access levels": (README, permissions_table()),
    "reach and rights": (
        README,
        table(["reach, right", "meaning"], [[f"`{word}`", word.doc] for words in (Reach, Right) for word in words]),
    ),
    "limits": (README, table(["of", "limit"], [[limit.subject, limit.figure] for limit in LIMITS])),
    "error codes": (README, table(["`extensions.code`", "meaning"], [[f"`{code}`", code.doc] for code in ErrorCode])),
    "settings": (OPERATORS, settings_table()),
}


def block(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name} -->\n)(.*?)(?=<!-- end of {name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_the_readme_has_the_table_as_the_code_has_it(name: str) -> None:
    readme, written = TABLES[name]
    text = readme.read_text(encoding="utf-8")
    if os.environ.get("ACCORD_README") == "write":
        text = block(name).sub(lambda _: written + "\n", text)
        readme.write_text(text, encoding="utf-8")
    found = block(name).findall(text)
    assert found == [written + "\n"], "Write it with ACCORD_README=write, and review the difference."


def test_links_between_the_readmes_lead_somewhere() -> None:
    links = [
        (readme, path, anchor)
        for readme in (README, OPERATORS, TOP / "api" / "README.md", TOP / "schema" / "README.md")
        for path, anchor in re.findall(r"\]\((?!https?:)([^)#\s]*)#?([^)\s]*)\)", readme.read_text(encoding="utf-8"))
    ]
    assert len(links) > 20
    for readme, path, anchor in links:
        target = (readme.parent / path) if path else readme
        assert target.exists(), f"{readme}: {path}"
        if anchor:
            assert anchor in anchors(target.read_text(encoding="utf-8")), f"{readme}: {path}#{anchor}"


def anchors(text: str) -> set[str]:
    """The anchors of the headings of a document, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_limit_on_requests_is_in_the_table() -> None:
    """A limit whose constant is named as the others are cannot be forgotten."""
    folders = ("api/graph/", "api/plan/", "api/web/requests.py")
    declared = {
        name
        for source in sources("api")
        if source.name.startswith(folders)
        for line in re.findall(r"^((?:MAX_\w+(?:, )?|\w+_LIMIT_BYTES)+) = ", source.text, re.MULTILINE)
        for name in line.split(", ")
    }
    listed = next(source for source in sources("api") if source.name == "api/web/limit_table.py").text
    assert len(declared) > 15
    assert {name for name in declared if name not in listed} == set()
