"""A version that drops a stage says so, and what names the stage, wherever the version is read before it is signed."""

import asyncio
import json
from pathlib import Path

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.accord.documents import read_accord
from api.accord.dropped_stages import dropped_stage_warnings
from api.db import Database, WriteSession
from api.funnel.evaluate import evaluate
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id, now
from tests.support.commands import run_command
from tests.support.graphql import answered, put, uid
from tests.support.mutations import run
from tests.support.signers import MIA, SAM, adopt, call, propose, signed_in, version, write_preview
from tests.support.statement_log import LoggingDatabase

WARNINGS = "accord { warnings }"


def without(stage: str) -> str:
    """Return the standard accord without a stage that nothing else in it names."""
    accord = read_accord("standard")
    stages = tuple(found for found in accord.stages if found.key != stage)
    return accord.model_copy(update={"stages": stages, "attribution": None}).canonical()


@pytest.fixture
async def reported(database: Database) -> Database:
    """Version 1 is in force; a CRM reports two people as inquiries, and imports were made with two presets."""
    async with database.write() as session:
        await adopt(session)
        await write_reports_of(session, "inquiry")
        await evaluate(session)
    return database


async def write_reports_of(session: WriteSession, stage: str) -> None:
    """Write two people whom a CRM reports in a stage, one of them twice, and imports with two presets."""
    for person in (1, 2, 2):
        contact = uid(person)
        await session.run(Sql("insert into contact (id) values ({}) on conflict do nothing", contact))
        report = {"id": new_id(), "contact_id": contact, "source": "crm", "source_stage": "Lead", "stage": stage}
        await put(session, "reported_stage", report)
    for preset in ("hubspot", "maven"):
        made: dict[str, object] = {"preset": preset, "source": "crm", "origin": "", "counts": {}}
        await put(session, "import_job", made | {"id": new_id(), "started_at": now(), "finished_at": now()})


def require_warned(warnings: list[str]) -> None:
    """The stage is dropped, and KPIs, reports and the one preset that maps to it are named."""
    dropped, by_kpis, *others = warnings
    assert dropped == "The stage inquiry is dropped."
    assert by_kpis.startswith("The stage inquiry is read by the KPIs ")
    assert by_kpis.endswith(": they answer an error without it.")
    assert others == [
        "crm reports 2 people in 'Lead', which is the stage inquiry.",
        (
            "The preset hubspot, which this database imports with, reports people in the stage inquiry. Imports keep"
            " these reports, and warn that the accord does not have the stage."
        ),
    ]


async def test_whoever_proposes_submits_or_signs_is_warned(reported: Database) -> None:
    text = without("inquiry")
    proposed = await run(reported, "proposeAccord", WARNINGS, {"document": text})
    edited = await run(reported, "editAccord", WARNINGS, {"version": 2, "document": text, "note": "shorter"})
    submitted = await run(reported, "submitAccord", WARNINGS, {"version": 2})
    payloads = [proposed, edited, submitted]
    for member in (MIA, SAM):
        given = {
            "version": 2,
            "hash": (await version(reported, 2))["content_hash"],
            "previewId": await write_preview(reported, 2),
        }
        waiting = "{ viewer { accordsToSign { version warnings } } }"
        [to_sign] = [
            found
            for found in (await answered(reported, waiting, signed_in(member)))["viewer"]["accordsToSign"]
            if found["version"] == 2
        ]
        require_warned(to_sign["warnings"])
        payloads.append(await run(reported, "signAccord", WARNINGS, given, signed_in(member)))
    for payload in payloads:
        assert payload["userErrors"] == []
        require_warned(payload["accord"]["warnings"])
    found = await answered(reported, "{ accord(version: 2) { status warnings } }")
    assert found["accord"]["status"] == "SIGNED"
    require_warned(found["accord"]["warnings"])


async def test_only_a_version_that_could_come_into_force_drops_stages(reported: Database) -> None:
    await run(reported, "proposeAccord", "", {"document": without("inquiry")})
    assert (await call(reported, LOCAL_OPERATOR, "withdrawAccord", version=2))["userErrors"] == []
    await propose(reported, "Another title alone")
    found = await answered(reported, "{ accordVersions { nodes { version warnings } } }")
    assert [(node["version"], node["warnings"]) for node in found["accordVersions"]["nodes"]] == [
        (3, []),
        (2, []),
        (1, ["This version is in force provisionally, until both teams sign it."]),
    ]


async def test_the_warnings_of_a_page_of_versions_are_read_together(reported: Database) -> None:
    for stage in ("inquiry", "inquiry", "suspect"):
        proposed = await run(reported, "proposeAccord", "", {"document": without(stage)})
        assert proposed["userErrors"] == []
    watched = LoggingDatabase(reported)
    page = "{ accordVersions { nodes { version warnings } edges { node { warnings } } } }"
    found = (await answered(watched, page))["accordVersions"]
    fourth, third, second, _ = found["nodes"]
    assert fourth["warnings"][0] == "The stage suspect is dropped."
    require_warned(third["warnings"])
    require_warned(second["warnings"])
    assert [edge["node"]["warnings"] for edge in found["edges"]] == [node["warnings"] for node in found["nodes"]]
    assert len(watched.statements) == 4  # the page, the version in force, reports, presets


async def test_commands_print_the_warnings(reported: Database, module_dsn: str, tmp_path: Path) -> None:
    file = tmp_path / "next.json"
    file.write_text(without("inquiry"))
    await run(reported, "proposeAccord", "", {"document": without("inquiry")})

    async def printed(*words: str) -> str:
        done = await asyncio.to_thread(run_command, *words, data=tmp_path, DATABASE_URL=module_dsn)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def warned(text: str, before: str) -> list[str]:
        return [line.removeprefix(before) for line in text.splitlines() if "stage inquiry" in line]

    require_warned(warned(await printed("submit", "2"), "  "))
    require_warned(warned(await printed("versions"), "Version 2: "))
    shown = await printed("show", "2")
    assert "Version 2, in review; not signed yet." in shown
    require_warned(warned(shown, ""))
    listed = {found["version"]: found["warnings"] for found in json.loads(await printed("versions", "--json"))}
    require_warned(listed[2])
    assert listed[1] == ["This version is in force provisionally, until both teams sign it."]
    assert listed[1][0] in await printed("show")


async def test_one_person_is_one_person(database: Database) -> None:
    async with database.write() as session:
        await put(session, "contact", {"id": uid(1)})
        report = {"id": new_id(), "contact_id": uid(1), "source": "crm", "source_stage": "Lead", "stage": "lead"}
        await put(session, "reported_stage", report)
        found = await dropped_stage_warnings(session, ["lead"])
    assert found == {"lead": ("The stage lead is dropped.", "crm reports 1 person in 'Lead', which is the stage lead.")}


def test_the_document_without_the_stage_is_valid() -> None:
    assert Accord.model_validate_json(without("inquiry")).stages[1].key == "mql"
