"""`make test-release-before` runs the tests of the release before on a newly migrated database.

The release before is here the first commit of a copy of this tree, which then gets another migration.
"""

import subprocess
from pathlib import Path

import pytest

from tests.evolution.example_changes import write_migration
from tests.support.source_copy import copy_source_tree, run_make

pytestmark = pytest.mark.evolution

ADDED = 'op.add_column("contact", sa.Column("motto", sa.Text(), nullable=True))'
RENAMED = 'op.alter_column("contact", "phone", new_column_name="telephone")'
TESTS = ("READS_AND_WRITES=tests/mutations/test_links_and_instants.py", "JOBS=0")


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of this tree, committed."""
    tree = copy_source_tree(tmp_path_factory.mktemp("clone"))
    identity = ("-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "commit.gpgsign=false")
    for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-q", "-m", "A release")):
        subprocess.run(["git", *words], cwd=tree, check=True)
    return tree


def test_it_says_that_no_release_before_is_named(clone: Path) -> None:
    (clone / "tests/evolution/release_before.txt").write_text("# None yet.\n", encoding="utf-8")
    printed = run_make(clone, "test-release-before")
    assert printed == "The release before is not tested: tests/evolution/release_before.txt names no commit.\n"


def test_it_fails_if_the_clone_lacks_the_commit(clone: Path) -> None:
    (clone / "tests/evolution/release_before.txt").write_text(f"# 0.1.0\n{'0' * 40}\n", encoding="utf-8")
    with pytest.raises(AssertionError, match="does not have the release before, 0000"):
        run_make(clone, "test-release-before")
    assert "does not have the release before" in run_make(clone, "test-release-before", "OPTIONAL=1")


def test_the_tests_of_the_release_before_pass_on_an_expanded_database(clone: Path) -> None:
    write_migration(clone / "migrations/versions", ADDED)
    printed = run_make(clone, "test-release-before", "COMMIT=HEAD", *TESTS)
    assert " passed" in printed
    assert "failed" not in printed


def test_the_tests_of_the_release_before_fail_on_a_database_that_it_does_not_fit(clone: Path) -> None:
    write_migration(clone / "migrations/versions", RENAMED)
    printed = run_make(clone, "test-release-before", "COMMIT=HEAD", *TESTS, may_fail=True)
    assert " failed" in printed or " error" in printed
