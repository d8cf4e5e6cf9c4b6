"""Releases roll: the release before runs on a database that a newer one expanded, and refuses a contracted one.

This tree is the release before; the newer one is a copy of it with migrations that expand and one that contracts. The
programs of both are processes of their own, on one database, and the server of the release before runs throughout.
"""

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from api.cli import EXIT_EXPECTED
from api.revisions import head_revision
from tests.evolution.example_changes import add_entity, add_fact_field, add_fields
from tests.support.commands import Done, accord
from tests.support.databases import new_database
from tests.support.served import served
from tests.support.source_copy import copy_source_tree, run_python

pytestmark = pytest.mark.evolution

HEAD = head_revision()
CONTRACTING = '''"""Rename contact.phone, which the release before reads and writes."""

from alembic import op

revision: str = "cccccccccccc"
down_revision: str | None = "{after}"
branch_labels: str | None = None
depends_on: str | None = None
kind: str = "contract"


def upgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute("alter table contact rename column phone to telephone")


def downgrade() -> None:
    op.execute("set local lock_timeout = '5s'")
    op.execute("set local statement_timeout = '60s'")
    op.execute("alter table contact rename column telephone to phone")
'''
CREATE = "mutation ($input: CreateContactInput!) { createContact(input: $input) { contact { id rowVersion } } }"
UPDATE = "mutation ($input: UpdateContactInput!) { updateContact(input: $input) { contact { jobTitle } } }"
READ = "{ contacts(orderBy: [{id: ASC}]) { nodes { firstName phone jobTitle } } }"
NEWEST = "from api.revisions import known_revisions; print(known_revisions()[0])"


@dataclass(frozen=True)
class NewerRelease:
    """A copy of this tree with migrations that expand, to which one that contracts can be added."""

    tree: Path
    expanded: str

    def accord(self, dsn: str, *words: str) -> str:
        """Run a command of the newer release on a database; return what it printed."""
        program = ("-c", "from api.cli import main; main()", *words)
        return run_python(self.tree, *program, DATABASE_URL=dsn, ACCORD_DATA_DIR=str(self.tree / "data"))

    def contract(self, dsn: str) -> str:
        """Migrate to a revision on which the release before does not run."""
        path = self.tree / "migrations/versions/2027_01_01_rename_contact_phone.py"
        path.write_text(CONTRACTING.format(after=self.expanded), encoding="utf-8")
        return self.accord(dsn, "migrate")


@dataclass(frozen=True)
class RunningServer:
    """The server of the release before."""

    address: str

    def readiness(self) -> tuple[int, str]:
        """Return status and problem, if any, of `/readyz`."""
        answer = httpx.get(f"{self.address}/readyz", timeout=30)
        return answer.status_code, answer.json().get("problem", "")

    def send(self, document: str, **given: object) -> dict[str, Any]:
        """Send a GraphQL request; the test fails if the answer has errors."""
        content = {"query": document, "variables": {"input": given}}
        answer = httpx.post(f"{self.address}/graphql", json=content, timeout=30).json()
        assert "errors" not in answer, answer
        data: dict[str, Any] = answer["data"]
        return data

    def writes_and_reads(self, name: str) -> bool:
        """Create a contact, change it, and return whether it is read as it was written."""
        created = self.send(CREATE, firstName=name, phone="0100")["createContact"]["contact"]
        self.send(UPDATE, id=created["id"], expectedVersion=created["rowVersion"], jobTitle="CTO")
        found = self.send(READ)["contacts"]["nodes"]
        return {"firstName": name, "phone": "0100", "jobTitle": "CTO"} in found


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> NewerRelease:
    """The newer release. Its fields are nullable or have defaults, so that their kind is derived."""
    tree = copy_source_tree(tmp_path_factory.mktemp("newer"))
    add_fields(tree)
    add_fact_field(tree)
    add_entity(tree)
    drafted = run_python(tree, "-m", "migrations.draft", "add yachts")
    assert "does not state its kind" not in drafted
    return NewerRelease(tree, run_python(tree, "-c", NEWEST).strip())


@pytest.fixture
async def dsn(server: str, template: str) -> AsyncIterator[str]:
    async with new_database(server, template) as address:
        yield address


def of_this_tree(dsn: str, folder: Path, *words: str) -> Done:
    return accord(*words, data=folder / "before", DATABASE_URL=dsn)


@contextmanager
def serving(dsn: str, folder: Path) -> Iterator[RunningServer]:
    others = {name: value for name, value in os.environ.items() if not name.startswith(("ACCORD_", "DATABASE_"))}
    variables = {"ACCORD_DATA_DIR": str(folder / "before"), "DATABASE_URL": dsn, "PYTHONUNBUFFERED": "1"}
    with served(others | variables, folder / "serve.log") as address:
        yield RunningServer(address)


def test_a_running_server_of_the_release_before_goes_on_through_expanding_and_stops_at_contracting(
    newer: NewerRelease, dsn: str, tmp_path: Path
) -> None:
    assert of_this_tree(dsn, tmp_path, "init").returncode == 0
    with serving(dsn, tmp_path) as server:
        assert server.writes_and_reads("before")
        newer.accord(dsn, "migrate", "--to", newer.expanded)
        assert server.readiness() == (200, "")
        assert server.writes_and_reads("expanded")
        newer.contract(dsn)
        status, problem = server.readiness()
        assert status == 503
        assert "is at revision cccccccccccc: a newer Accord has migrated it" in problem
        assert f"accord migrate --to {HEAD} --back" in problem
        for name, target in (("expanded again", newer.expanded), ("as before", HEAD)):
            newer.accord(dsn, "migrate", "--to", target, "--back")
            assert server.readiness() == (200, "")
            assert server.writes_and_reads(name)


def test_every_command_of_the_release_before_runs_on_an_expanded_database(
    newer: NewerRelease, dsn: str, tmp_path: Path
) -> None:
    newer.accord(dsn, "migrate", "--to", newer.expanded)
    migrated = of_this_tree(dsn, tmp_path, "migrate")
    assert migrated.returncode == 0, migrated.stderr
    assert f"already at revision {newer.expanded} of a newer Accord, on which this one runs." in migrated.stdout
    # The sample writes every table, and histories without their triggers.
    for words in (("sample", "--contacts", "40"), ("check",)):
        done = of_this_tree(dsn, tmp_path, *words)
        assert done.returncode == 0, done.stdout + done.stderr
    with serving(dsn, tmp_path) as server:
        assert server.readiness() == (200, "")
        assert server.writes_and_reads("started on the expanded database")


def test_every_command_of_the_release_before_refuses_a_contracted_database(
    newer: NewerRelease, dsn: str, tmp_path: Path
) -> None:
    newer.contract(dsn)
    for words in (("serve", "--port", "0"), ("migrate",), ("migrate", "--plan"), ("sample", "--contacts", "1")):
        refused = of_this_tree(dsn, tmp_path, *words)
        assert refused.returncode == EXIT_EXPECTED, words
        assert "does not run on it any more" in refused.stderr
        assert f"accord migrate --to {HEAD} --back" in refused.stderr


def test_the_plan_says_which_releases_run_afterwards(newer: NewerRelease, dsn: str) -> None:
    newer.accord(dsn, "migrate", "--to", newer.expanded)
    newer.accord(dsn, "migrate", "--to", HEAD, "--back")
    expanding = newer.accord(dsn, "migrate", "--plan", "--to", newer.expanded)
    assert f"-- Afterwards, Accord from revision {HEAD} on runs on the database; older ones refuse it." in expanding
    assert expanding.count("-- expand: the release before it keeps running") == 2
    newer.contract(dsn)
    newer.accord(dsn, "migrate", "--to", newer.expanded, "--back")
    contracting = newer.accord(dsn, "migrate", "--plan")
    assert "-- Afterwards, Accord from revision cccccccccccc on runs" in contracting
    assert "-- contract: releases before it do not run any more" in contracting
