"""The commands of versions: propose, submit, withdraw, activate, versions, export, diff, verify; none signs."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path

import pytest

from api.accord.documents import read_accord
from api.accord.verification import verify_versions
from api.cli import Commands
from api.db import Database
from api.funnel.evaluate import evaluate
from api.sql import Sql
from schema.base import now
from tests.support.accords import unguarded
from tests.support.commands import run_command
from tests.support.signers import adopt, propose, sign_by_both, version


class Shell:
    """Runs commands on the database of the module."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder

    async def __call__(self, *words: str) -> str:
        """Run a command that must succeed. Return what it printed."""
        done = await asyncio.to_thread(run_command, *words, data=self.folder, DATABASE_URL=self.dsn)
        assert done.returncode == 0, done.stderr
        return done.stdout

    async def refused(self, *words: str) -> str:
        """Run a command that must be refused. Return the error."""
        done = await asyncio.to_thread(run_command, *words, data=self.folder, DATABASE_URL=self.dsn)
        assert done.returncode == 2, done.stdout
        return done.stderr


@pytest.fixture
def shell(module_dsn: str, tmp_path: Path) -> Shell:
    return Shell(module_dsn, tmp_path)


@pytest.fixture
async def agreed(database: Database) -> Database:
    async with database.write() as session:
        await adopt(session)
        await evaluate(session)
    return database


async def test_a_document_goes_out_and_comes_back_as_a_proposal(agreed: Database, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    file.write_text((await shell("export")).replace("The standard accord", "The next accord"))
    assert "same as that of version 1" in await shell.refused("propose", "standard")
    out = await shell("propose", str(file), "--note", "another title")
    assert "Version 2 of the accord is proposed, as a draft." in out
    assert "accord submit 2" in out
    stored = await version(agreed, 2)
    assert (stored["note"], stored["proposed_by_id"], stored["body"]["title"]) == (
        "another title",
        None,
        "The next accord",
    )
    assert await shell("export", "2", "--json") == stored["document"] + "\n"
    assert "in review" in await shell("submit", "2")
    listed = await shell("versions")
    assert "The next accord" in listed
    assert [row["status"] for row in json.loads(await shell("versions", "--json"))] == ["IN_REVIEW", "ACTIVE"]
    assert "The next accord" in await shell("diff", "1", "2")
    assert json.loads(await shell("diff", "1", "2", "--json"))[0]["clause"] == "title"
    assert "say the same" in await shell("diff", "1", "1")
    assert "withdrawn" in await shell("withdraw", "2", "--reason", "never mind")
    assert (await version(agreed, 2))["withdraw_reason"] == "never mind"


async def test_every_verb_but_signing_is_a_command(agreed: Database, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    file.write_text((await shell("export")).replace("The standard accord", "The next accord"))
    await shell("propose", str(file), "--note", "first")
    assert "Nobody has commented on version 2." in await shell("comments", "2")
    out = await shell("comment", "2", "Is this so?", "--clause", "stages.mql.rule")
    comment = out.split("accord resolve ")[1].split()[0]
    assert "There is no clause 'mqls'" in await shell.refused("comment", "2", "x", "--clause", "stages.mqls")
    assert "is a draft" in await shell.refused("request-changes", "2", "x")
    await shell("submit", "2")
    assert "Changes of version 2 are requested." in await shell("request-changes", "2", "Another title.")
    assert (await version(agreed, 2))["status"] == "CHANGES_REQUESTED"
    listed = json.loads(await shell("comments", "2", "--json"))
    assert [(row["clause"], row["text"], row["resolvedAt"]) for row in listed] == [
        ("stages.mql.rule", "Is this so?", None),
        (None, "Another title.", None),
    ]
    assert listed[0]["id"] == comment
    assert "resolved" in await shell("resolve", comment)
    assert "There is no comment with this id." in await shell.refused("resolve", "nothing")
    assert "open" in (await shell("comments", "2"))
    assert json.loads(await shell("comments", "2", "--json"))[0]["resolvedAt"] is not None
    file.write_text(file.read_text().replace("The next accord", "The better accord"))
    edited = await shell("edit", "2", str(file))
    assert "Version 2 of the accord is edited. Its status is DRAFT." in edited
    assert "accord submit 2" in edited
    stored = await version(agreed, 2)
    assert (stored["body"]["title"], stored["note"]) == ("The better accord", "first")
    assert "Version 3 of the accord is proposed" in await shell("edit", "1", str(file), "--note", "anew")


async def test_the_json_of_an_export_can_be_proposed(agreed: Database, shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "next.json"
    file.write_text((await shell("export", "--json")).replace("The standard accord", "The next accord"))
    assert "Version 2 of the accord is proposed" in await shell("propose", str(file))
    assert (await version(agreed, 2))["document"] == file.read_text().strip()
    file.write_text('{"title": }')
    assert "is not valid JSON" in await shell.refused("propose", str(file))


@pytest.mark.usefixtures("agreed")
async def test_every_mistake_has_a_line_of_its_own(shell: Shell, tmp_path: Path) -> None:
    file = tmp_path / "next.toml"
    lines = (await shell("export")).splitlines()
    window = next(number for number, line in enumerate(lines) if line.startswith("window = "))
    lines[window] = 'window = "soon"'
    lines.insert(1, "colour = 1")
    file.write_text("\n".join(lines))
    errors = (await shell.refused("propose", str(file))).splitlines()
    assert errors[0].endswith("next.toml is not a valid accord.")
    assert any(line.startswith(f"        Line {window + 2}: stages[") and "'soon'" in line for line in errors)
    assert "        Line 2: colour: there is no such key." in "\n".join(errors)
    assert errors[-1].startswith("        Correct the document and try again")


async def test_a_second_init_proposes(agreed: Database, shell: Shell) -> None:
    assert "Version 2 of the accord is proposed" in await shell("init", "--accord", "maven")
    assert (await version(agreed, 2))["body"]["title"] == read_accord("maven").title
    assert (await version(agreed, 1))["status"] == "ACTIVE"


async def test_what_cannot_be_is_refused(agreed: Database, shell: Shell) -> None:
    number = await propose(agreed, "Another")
    assert "There is no accord 'nowhere.toml'" in await shell.refused("propose", "nowhere.toml")
    assert "both teams have signed" in await shell.refused("activate", str(number))
    await sign_by_both(agreed, number)
    assert "is in the past" in await shell.refused("activate", str(number), "--at", "2020-01-01T00:00:00Z")
    assert "--at" in await shell.refused("activate", str(number), "--at", "soon")
    ahead = (now() + timedelta(days=2)).strftime("%Y-%m-%dT00:00:00Z")
    assert "comes into force at" in await shell("activate", str(number), "--at", ahead)
    assert "sign" not in Commands.TARGETS


@pytest.mark.parametrize(
    "words",
    [
        ("export", "9"),
        ("diff", "1", "9"),
        ("submit", "9"),
        ("preview", "9"),
        ("preview", "2", "--compare-to", "9"),
        ("kpi", "mqls", "--reading", "pinned", "--accord-version", "9"),
    ],
)
async def test_every_command_says_the_same_of_a_version_that_does_not_exist(
    agreed: Database, shell: Shell, words: tuple[str, ...]
) -> None:
    await propose(agreed, "Another")
    error = " ".join((await shell.refused(*words)).split())
    assert "There is no version 9 of the accord. The newest is version 2; `accordVersions` and" in error


async def test_verify_finds_what_was_changed_behind_the_triggers(agreed: Database, shell: Shell) -> None:
    assert "as they were given: 1 version and 0 signatures." in await shell("verify")
    number = await propose(agreed, "Another")
    await sign_by_both(agreed, number)
    assert "as they were given: 2 versions and 2 signatures." in await shell("verify")
    changes = {
        "update accord_version set base_hash = repeat('0', 64) where number = 2": "does not name the hash",
        "update accord_version set in_force_from = now() where number = 1": "not in force from the beginning",
        "update accord_version set signed_at = now() where number = 1": "without the signatures",
        "delete from accord_signature where team = 'SALES'": "without the signatures",
        "update accord_signature set content_hash = repeat('0', 64)": "is not on its document",
        "update accord_signature set signed_in_at = signed_in_at - interval '1 hour'": "minutes after the sign-in",
        "update accord_preview set content_hash = repeat('0', 64)": "preview of something else",
        "update accord_preview set computed_at = computed_at - interval '8 days'": "preview older than 7 days",
        "update accord_version set number = 5 where number = 2": "Versions are missing: 2, 3, 4.",
        "alter table accord_version disable trigger accord_version_kept": "accord_version_kept is missing or off",
    }
    for change, problem in changes.items():
        async with agreed.scratch() as session, unguarded(session):  # rolled back
            await session.run(Sql(change))
            assert problem in " ".join((await verify_versions(session)).problems), change
    async with agreed.write() as session, unguarded(session):
        await session.script("update accord_version set base_hash = repeat('0', 64) where number = 2")
    assert "does not name the hash" in await shell.refused("verify")


async def test_verify_compares_the_entries(agreed: Database, shell: Shell) -> None:
    async with agreed.write() as session:
        await session.script("delete from evaluation where is_current")
    assert "No contact has been evaluated" in await shell.refused("verify")
