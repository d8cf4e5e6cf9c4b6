"""Which changes of the contract break clients, and when they are allowed, by the comparison of `make sdl-diff`."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.sources import TOP

HERE = Path(__file__).parent
TODAY = "2027-07-01"
OVER = '@deprecated(reason: "Use phone instead, until 2027-06-30")'
OPEN = '@deprecated(reason: "Use phone instead, until 2027-07-01")'
UNDATED = '@deprecated(reason: "Use phone instead")'

CONTRACT = """
type Query { contacts(first: Int, page: Int %(page)s, where: Where): [Contact!]! pets: [Pet!] %(pets)s }
type Contact { name: String! fax: String %(fax)s kind: Kind pets: [Pet!] %(pets)s }
input Where { name: String fax: String %(filter)s }
enum Kind { FREE ROLE %(role)s }
type Pet { name: String toy: Toy }
type Toy { name: String }
"""
PARTS = ("page", "pets", "fax", "filter", "role")
LOST = {
    "fax": ("fax: String  kind", "kind", "Contact.fax"),
    "page": ("page: Int , where", "where", "Query.contacts.page"),
    "filter": (" fax: String  }", " }", "Where.fax"),
    "role": (" ROLE  }", " }", "Kind.ROLE"),
}


@pytest.fixture(scope="module", autouse=True)
def _tools() -> None:
    """Skip without the tools, which `make check` installs if it reaches an npm registry. CI must have them."""
    if not (HERE / "node_modules").exists() or shutil.which("node", path=search_path()) is None:
        assert not os.environ.get("CI"), "CI must compare contracts. Install the tools: make sdl-diff"
        pytest.skip("The tools that compare contracts are not installed: make sdl-diff")


def search_path() -> str:
    return f"{TOP / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"


def contract(**marked: str) -> str:
    """The contract, with directives on some of its parts."""
    return CONTRACT % (dict.fromkeys(PARTS, "") | marked)


def compared(folder: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    for name, text in (("old", old), ("new", new)):
        (folder / name).write_text(text, encoding="utf-8")
    words = ["node", str(HERE / "compare.mjs"), str(folder / "old"), str(folder / "new"), f"--today={TODAY}"]
    return subprocess.run(words, capture_output=True, text=True, check=False, env=os.environ | {"PATH": search_path()})


def without(*parts: str) -> str:
    """The contract without some of its parts."""
    whole = contract()
    for part in parts:
        before, after, _ = LOST[part]
        assert before in whole
        whole = whole.replace(before, after, 1)
    return whole


def test_an_unchanged_contract_passes(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), contract())
    assert (done.returncode, done.stdout) == (0, "The contract is unchanged.\n")


def test_an_addition_passes_and_is_listed(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), contract().replace("name: String!", "name: String! seniority: String"))
    assert done.returncode == 0
    assert done.stdout == "safe      Field 'seniority' was added to object type 'Contact'\n"


def test_a_removal_without_notice_is_rejected(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), without(*LOST))
    assert (done.returncode, done.stdout.count("BREAKING  ")) == (1, len(LOST))
    for _, _, path in LOST.values():
        assert f"  {path}: not deprecated with a last day before\n" in done.stderr


def test_a_deprecated_part_may_be_removed_after_its_last_day(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(**dict.fromkeys(LOST, OVER)), without(*LOST))
    assert (done.returncode, done.stdout.count("breaking  "), done.stderr) == (0, len(LOST), "")
    early = compared(tmp_path, contract(**dict.fromkeys(LOST, OPEN)), without(*LOST))
    assert early.returncode == 1
    for _, _, path in LOST.values():
        assert f"  {path}: deprecated until {TODAY}, which has not passed\n" in early.stderr


def test_a_deprecation_without_a_last_day_is_rejected(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(fax=UNDATED), without("fax"))
    assert "Contact.fax: not deprecated with a last day before" in done.stderr
    done = compared(tmp_path, contract(), contract(fax=UNDATED))
    assert done.returncode == 1
    assert "Contact.fax: its deprecation has no last day" in done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [("name: String! fax", "name: Int! fax"), ("name: String! fax", "name: String fax"), ("page: Int", "page: Int!")],
)
def test_narrowing_a_deprecated_part_is_rejected(tmp_path: Path, before: str, after: str) -> None:
    old = (
        contract().replace("name: String! fax", f"name: String! {OVER} fax")
        if "name" in before
        else contract(page=OVER)
    )
    new = contract().replace(before, after, 1)
    assert compared(tmp_path, old, new).returncode == 1


def test_a_type_may_be_removed_when_every_part_that_used_it_may(tmp_path: Path) -> None:
    gone = contract().replace(" pets: [Pet!]  }", " }").split("type Pet")[0]
    assert "Pet" not in gone
    assert compared(tmp_path, contract(pets=OVER), gone).returncode == 0
    done = compared(
        tmp_path, contract(pets=OVER).replace(f"pets: [Pet!] {OVER} }}\ntype C", "pets: [Pet!] }\ntype C"), gone
    )
    assert done.returncode == 1
    assert "  Pet: not deprecated with a last day before\n  Toy: " in done.stderr
    assert "  Query.pets: " in done.stderr
    assert "Contact.pets" not in done.stderr
