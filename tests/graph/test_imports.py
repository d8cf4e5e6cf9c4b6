"""`imports`: what was imported, how much of it was kept, and why the rest was not. No cell, no path of a machine."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from api.access.principal import Principal
from api.db import Database
from api.importers.run_import import run_import
from schema.access.rights import Reach
from tests.support.graphql import answered, refused, uid

PRESET = """
title = "People"
source = "crm"
accord = "standard"
[[files]]
name = "people.csv"
key = "id"
[[files.records]]
table = "contact"
fields = { email = "mail", email_opt_out = "out", lead_score = "score" }
"""
FIRST = "id,mail,out,score\n1,a@b.example,no,7\n2,c@d.example,perhaps,8\n3,e@f.example,no,high\n4,g@h.example,maybe,9\n"
SECOND = "id,mail,out,score\n1,a@b.example,no,8\n5,i@j.example,no,\n"


@pytest.fixture(scope="module")
async def world(module_database: Database, tmp_path_factory: pytest.TempPathFactory) -> Database:
    folder: Path = tmp_path_factory.mktemp("secret-folder")
    (folder / "people.toml").write_text(PRESET)
    for text in (FIRST, SECOND):
        (folder / "people.csv").write_text(text)
        await run_import(module_database, str(folder / "people.toml"), folder, rejects_folder=folder)
    return module_database


async def nodes(world: Database, field: str) -> Any:  # noqa: ANN401 - JSON of any shape
    found = await answered(world, f"{{ {field} }}")
    (connection,) = found.values()
    return connection["nodes"]


async def test_an_import_has_its_files_its_counts_and_its_reasons(world: Database) -> None:
    found = await nodes(
        world,
        """imports(first: 5, orderBy: [{finishedAt: ASC}]) { nodes { source startedAt finishedAt
          files(first: 3) { nodes { name rowsRead rowsRejected valuesLeftOut rowsUnused
            reasons(first: 9, orderBy: [{columnName: ASC}]) { nodes { columnName reason isLeftOut occurrences } } } }
          recordCounts(first: 9) { nodes { recordType created changed unchanged } } } }""",
    )
    first, second = found
    assert (first["source"], second["source"]) == ("crm", "crm")
    assert first["startedAt"] <= first["finishedAt"] <= second["finishedAt"]
    assert first["recordCounts"]["nodes"] == [{"recordType": "contact", "created": 2, "changed": 0, "unchanged": 0}]
    assert second["recordCounts"]["nodes"] == [{"recordType": "contact", "created": 1, "changed": 1, "unchanged": 0}]
    (file,) = first["files"]["nodes"]
    reasons = file.pop("reasons")["nodes"]
    assert file == {"name": "people.csv", "rowsRead": 4, "rowsRejected": 2, "valuesLeftOut": 1, "rowsUnused": 0}
    assert reasons == [
        {"columnName": "out", "reason": "is neither true nor false", "isLeftOut": False, "occurrences": 2},
        {"columnName": "score", "reason": "is not a whole number", "isLeftOut": True, "occurrences": 1},
    ]
    (file,) = second["files"]["nodes"]
    assert (file["rowsRejected"], file["reasons"]["nodes"]) == (0, [])


async def test_imports_are_filtered_by_what_they_lost(world: Database) -> None:
    lost = "imports(where: {files: {some: {rowsRejected: {gt: 0}}}}) { nodes { files { nodes { rowsRejected } } } }"
    assert await nodes(world, lost) == [{"files": {"nodes": [{"rowsRejected": 2}]}}]
    reasons = "importReasons(where: {isLeftOut: {eq: true}}) { nodes { columnName importFile { name } } }"
    assert await nodes(world, reasons) == [{"columnName": "score", "importFile": {"name": "people.csv"}}]


async def test_bookkeeping_and_paths_stay_hidden(world: Database) -> None:
    for field in ("origin", "counts"):
        error = await refused(world, f"{{ imports {{ nodes {{ {field} }} }} }}")
        assert "Cannot query field" in str(error)
    found = await answered(world, "{ imports { nodes { preset } } }")
    assert found == {"imports": {"nodes": [{"preset": "people.toml"}] * 2}}
    assert "Cannot query field" in str(await refused(world, "{ sourceGaps { nodes { fileName } } }"))


async def test_imports_count_all_records_so_a_restricted_principal_sees_none(world: Database) -> None:
    document = """{ imports { totalCount } importFiles { totalCount } importCounts { totalCount }
      importReasons { totalCount } }"""
    for reach in (Reach.OWN, Reach.TEAM):
        found = await answered(world, document, Principal(reach, uid(1)))
        assert [connection["totalCount"] for connection in found.values()] == [0, 0, 0, 0]
    found = await answered(world, document, Principal(Reach.ALL))
    assert [connection["totalCount"] for connection in found.values()] == [2, 2, 2, 2]


async def test_a_result_names_the_import_that_rejected_rows(database: Database, tmp_path: Path) -> None:
    (tmp_path / "people.toml").write_text(PRESET)
    (tmp_path / "people.csv").write_text(FIRST)
    before = datetime.now(UTC)
    await run_import(database, str(tmp_path / "people.toml"), tmp_path, rejects_folder=tmp_path)
    document = "{ kpi(key: MQLS) { warnings { code count message } } funnel { warnings { code count } } }"
    found = await answered(database, document)
    (warning,) = [one for one in found["kpi"]["warnings"] if one["code"] == "SOURCE_INCOMPLETE"]
    assert warning["count"] == 2
    assert f"2 of people.csv (crm, imported {before:%Y-%m-%d}" in warning["message"]
    assert {"code": "SOURCE_INCOMPLETE", "count": 2} in found["funnel"]["warnings"]
    # The rows may be about records beyond a team's reach: how many there are, and of which file, is not said.
    found = await answered(database, document, Principal(Reach.TEAM, uid(1)))
    (warning,) = [one for one in found["kpi"]["warnings"] if one["code"] == "SOURCE_INCOMPLETE"]
    assert warning["count"] is None
    assert not any(part in warning["message"] for part in ("2", "people.csv", "crm"))
    assert {"code": "SOURCE_INCOMPLETE", "count": None} in found["funnel"]["warnings"]
