"""What counts as breaking a client, and when it may be done: small contracts, compared as `make sdl-diff` does."""

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
    """`make check` installs them where an npm registry can be reached, as it can in CI."""
    if not (HERE / "node_modules").exists() or shutil.which("node", path=search_path()) is None:
        assert not os.environ.get("CI"), "CI has to compare contracts: make sdl-diff"
        pytest.skip("what compares contracts is not installed: make sdl-diff")


def search_path() -> str:
    return f"{TOP / '.venv/bin'}{os.pathsep}{os.environ['PATH']}"


def contract(**marked: str) -> str:
    """The contract, with some of its parts marked."""
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


def test_no_change_breaks_nobody(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), contract())
    assert (done.returncode, done.stdout) == (0, "The contract is as it was.\n")


def test_what_is_added_breaks_nobody_and_is_told(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), contract().replace("name: String!", "name: String! seniority: String"))
    assert done.returncode == 0
    assert done.stdout == "safe      Field 'seniority' was added to object type 'Contact'\n"


def test_nothing_goes_without_notice(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(), without(*LOST))
    assert (done.returncode, done.stdout.count("BREAKING  ")) == (1, len(LOST))
    for _, _, path in LOST.values():
        assert f"  {path}: not deprecated with a day before\n" in done.stderr


def test_what_was_deprecated_goes_once_its_day_has_passed(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(**dict.fromkeys(LOST, OVER)), without(*LOST))
    assert (done.returncode, done.stdout.count("breaking  "), done.stderr) == (0, len(LOST), "")
    early = compared(tmp_path, contract(**dict.fromkeys(LOST, OPEN)), without(*LOST))
    assert early.returncode == 1
    for _, _, path in LOST.values():
        assert f"  {path}: deprecated until {TODAY}, which has not passed\n" in early.stderr


def test_a_deprecation_without_a_day_is_no_notice_and_may_not_be_made(tmp_path: Path) -> None:
    done = compared(tmp_path, contract(fax=UNDATED), without("fax"))
    assert "Contact.fax: not deprecated with a day before" in done.stderr
    done = compared(tmp_path, contract(), contract(fax=UNDATED))
    assert done.returncode == 1
    assert "Contact.fax: its deprecation says no day" in done.stderr


@pytest.mark.parametrize(
    ("before", "after"),
    [("name: String! fax", "name: Int! fax"), ("name: String! fax", "name: String fax"), ("page: Int", "page: Int!")],
)
def test_what_is_narrowed_is_no_removal_whatever_was_said(tmp_path: Path, before: str, after: str) -> None:
    old = (
        contract().replace("name: String! fax", f"name: String! {OVER} fax")
        if "name" in before
        else contract(page=OVER)
    )
    new = contract().replace(before, after, 1)
    assert compared(tmp_path, old, new).returncode == 1


def test_a_type_goes_when_all_that_led_to_it_was_over(tmp_path: Path) -> None:
    gone = contract().replace(" pets: [Pet!]  }", " }").split("type Pet")[0]
    assert "Pet" not in gone
    assert compared(tmp_path, contract(pets=OVER), gone).returncode == 0
    done = compared(
        tmp_path, contract(pets=OVER).replace(f"pets: [Pet!] {OVER} }}\ntype C", "pets: [Pet!] }\ntype C"), gone
    )
    assert done.returncode == 1
    assert "  Pet: not deprecated with a day before\n  Toy: " in done.stderr
    assert "  Query.pets: " in done.stderr
    assert "Contact.pets" not in done.stderr
