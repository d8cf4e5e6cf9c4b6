"""`--explain-row` shows what one row became and why, from the values of the import itself, and writes nothing."""

from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.importers.explain.explainer import RowExplainer
from api.importers.explain.explanation import RecordExplanation, RowExplanation
from api.importers.explain.explanation_text import explanation_text
from api.importers.run_import import run_import
from tests.importers.conftest import rows
from tests.support.commands import run_on

PRESET = """
title = "A small CRM"
source = "crm"
accord = "standard"
zone = "Europe/Berlin"

[[files]]
name = "companies.csv"
key = "id"
[[files.records]]
table = "company"
fields = { name = "name" }

[[files]]
name = "people.csv"
key = "id"
dates = { created = "%d/%m/%Y" }
[[files.records]]
table = "contact"
begins = "created"
[files.records.fields]
first_name = "first"
email = { column = "mail", unknown = ["n/a"] }
company = { column = "firm", optional = true }
lead_score = { column = "score", scale = 10 }
[[files.records]]
table = "touchpoint"
key = { column = "form", prefix = "form" }
optional = true
when = { kind = ["form", "call"] }
[files.records.fields]
contact = "id"
occurred_at = "created"
kind = { column = "kind", words = { form = "FORM", call = "CALL" } }
direction = { constant = "INBOUND" }
"""
MORE = """
[[files]]
name = "more.csv"
key = "id"
[[files.records]]
table = "contact"
fields = { first_name = "first" }
"""
PEOPLE = """id,first,mail,created,firm,score,form,kind,colour
1,Ana,n/a,05/04/2018,c1,7,f1,form,red
2,Bob,bob@beta.com,31/31/2018,c9,x,f2,call,
3,Cy,cy@beta.com,06/04/2018,c9,,,call,
4,Di,,06/04/2018,,,f4,mail,
1,Eve,,06/04/2018,,,,,
5,"Fay
Ann",,06/04/2018,,,,,
6,Gil,,06/04/2018,,
7,Hal,,06/04/2018,,,f7,form,blue
"""


def put(folder: Path, people: str = PEOPLE, preset: str = PRESET) -> None:
    (folder / "crm.toml").write_text(preset)
    (folder / "companies.csv").write_text("id,name\nc1,Acme\n")
    (folder / "people.csv").write_text(people)


async def explained(database: Database, folder: Path, line: int, file: str | None = "people.csv") -> RowExplanation:
    explainer = RowExplainer(line, file)
    report = await run_import(
        database, str(folder / "crm.toml"), folder, dry_run=True, explainer=explainer, rejects_folder=folder / "none"
    )
    assert report.rejects is None
    assert explainer.explanation is not None
    return explainer.explanation


def field_of(record: RecordExplanation, name: str) -> tuple[object, str]:
    return next((field.value, field.remark) for field in record.fields if field.name == name)


async def test_a_row_shows_its_cells_its_records_and_their_links(database: Database, tmp_path: Path) -> None:
    put(tmp_path)
    row = await explained(database, tmp_path, 2)
    uses = {cell.column: [(use.how, use.value, use.problem) for use in cell.uses] for cell in row.cells}
    assert uses["mail"][0] == ("as it is", None, "the preset states that it means no value")
    assert uses["score"] == [("as a number, times 10", 70, "")]
    assert uses["kind"] == [("the preset's word for FORM", "FORM", "")]
    assert uses["colour"] == []
    assert uses["id"] == [("as a key", "1", "")]
    assert "as a date (%d/%m/%Y, Europe/Berlin)" in [how for how, *_ in uses["created"]]
    contact, touchpoint = row.records
    assert (contact.table, contact.keys, contact.outcome) == ("contact", ("1",), "new")
    assert field_of(contact, "company") == ("c1", "a new company")
    assert field_of(contact, "lead_score") == (70, "")
    assert (touchpoint.keys, touchpoint.outcome) == (("form|f1",), "new")
    assert field_of(touchpoint, "contact") == ("1", "a new contact")
    assert field_of(touchpoint, "direction") == ("INBOUND", "")
    assert await rows(database, "select count(*) from contact") == [(0,)]
    assert not (tmp_path / "none").exists()


async def test_a_rejected_row_shows_every_reason(database: Database, tmp_path: Path) -> None:
    put(tmp_path)
    row = await explained(database, tmp_path, 3)
    assert [(rejected.column, rejected.value) for rejected in row.rejected] == [
        ("created", "31/31/2018"),
        ("score", "x"),
    ]
    assert [use.problem for cell in row.cells if cell.column == "score" for use in cell.uses] == [
        "is not a number with a decimal point"
    ]
    assert row.records == ()
    assert "same id, which identifies a row" in (await explained(database, tmp_path, 6)).rejected[0].reason
    assert (await explained(database, tmp_path, 9)).rejected[0].reason == "the row has 6 cells, the header 9"


async def test_a_row_rejected_for_its_links_shows_the_records_it_meant(database: Database, tmp_path: Path) -> None:
    put(tmp_path, preset=PRESET.replace(", optional = true }", " }"))
    row = await explained(database, tmp_path, 4)
    assert [(rejected.column, rejected.value) for rejected in row.rejected] == [("firm", "c9")]
    assert row.records[0].outcome == "not written, because the row is rejected"
    assert field_of(row.records[0], "first_name") == ("Cy", "")


async def test_what_is_left_out_is_shown_with_the_reason(database: Database, tmp_path: Path) -> None:
    put(tmp_path)
    contact, touchpoint = (await explained(database, tmp_path, 4)).records
    assert field_of(contact, "company") == ("c9", "no company has this key, so the link stays empty")
    assert touchpoint.outcome == "none: its key is empty"
    row = await explained(database, tmp_path, 5)
    [_, touchpoint] = row.records
    [unread] = next(cell.uses for cell in row.cells if cell.column == "kind")
    assert (
        unread.problem
        == "not read, or no value: it is read only where kind is 'call' or 'form'; not where form is empty"
    )
    assert touchpoint.outcome == "none: the preset reads one only where kind is 'call' or 'form'"


async def test_a_cell_that_stands_for_an_empty_one_is_shown_as_such(database: Database, tmp_path: Path) -> None:
    put(tmp_path, people=PEOPLE.replace("2018,c1,7,f1", "2018,c1,#REF!,f1"))
    row = await explained(database, tmp_path, 2)
    [use] = next(cell.uses for cell in row.cells if cell.column == "score")
    assert (use.value, use.problem) == (None, "it stands for an empty cell")


async def test_a_date_that_has_its_own_zone_is_shown_without_that_of_the_preset(
    database: Database, tmp_path: Path
) -> None:
    people = PEOPLE.replace("1,Ana,n/a,05/04/2018", "1,Ana,n/a,1522879200")
    put(tmp_path, people=people, preset=PRESET.replace('created = "%d/%m/%Y"', 'created = "epoch"'))
    row = await explained(database, tmp_path, 2)
    [use, *_] = next(cell.uses for cell in row.cells if cell.column == "created")
    assert use.how == "as a date (epoch)"


async def test_a_value_that_another_row_replaces_is_shown(database: Database, tmp_path: Path) -> None:
    put(tmp_path, preset=PRESET + MORE)
    (tmp_path / "more.csv").write_text("id,first\n1,Anna\n")
    row = await explained(database, tmp_path, 2)
    assert field_of(row.records[0], "first_name") == ("Ana", "the record gets 'Anna' from another row or date")


async def test_a_known_record_is_shown_by_its_id(database: Database, tmp_path: Path) -> None:
    put(tmp_path)
    await run_import(database, str(tmp_path / "crm.toml"), tmp_path, rejects_folder=tmp_path)
    [(known,)] = await rows(database, "select id from contact where first_name = 'Ana'")
    [(company,)] = await rows(database, "select id from company")
    row = await explained(database, tmp_path, 2)
    assert row.records[0].outcome == f"contact_{known} unchanged"
    assert field_of(row.records[0], "company") == ("c1", f"company_{company}")
    put(tmp_path, PEOPLE.replace("Ana", "Anne"))
    assert (await explained(database, tmp_path, 2)).records[0].outcome == f"contact_{known} changed"
    assert await rows(database, "select count(*) from contact where first_name = 'Anne'") == [(0,)]


@pytest.mark.parametrize(
    ("line", "words"),
    [(1, "it is the header"), (8, "or belongs to the row that begins in line 7"), (99, "it has 10 lines")],
)
async def test_a_line_without_a_row_is_refused(database: Database, tmp_path: Path, line: int, words: str) -> None:
    put(tmp_path)
    with pytest.raises(AccordError, match=words) as refused:
        await explained(database, tmp_path, line)
    assert refused.value.code == ErrorCode.BAD_INPUT


async def test_a_folder_of_several_files_needs_the_file(database: Database, tmp_path: Path) -> None:
    put(tmp_path)
    with pytest.raises(AccordError, match=r"several files: companies.csv, people.csv. .*--explain-row companies.csv:2"):
        await explained(database, tmp_path, 2, None)
    with pytest.raises(AccordError, match="reads no file deals"):
        await explained(database, tmp_path, 2, "deals.csv")


async def test_the_command_prints_the_explanation(database: Database, module_dsn: str, tmp_path: Path) -> None:
    put(tmp_path)
    command = ("import", "./crm.toml", ".", "--explain-row")
    code, output = await run_on(module_dsn, *command, "people.csv:2", data=tmp_path)
    assert code == 0
    for words in (
        "people.csv, line 2\n",
        "'red'  not read: the preset does not name the column",
        "contact '1': new\n",
        "company     'c1' (from firm): a new company\n",
        "direction    'INBOUND' (constant)\n",
        "Nothing was written.\n",
    ):
        assert words in output
    code, output = await run_on(module_dsn, *command, "people.csv:3", data=tmp_path)
    assert "The row is rejected:\n  created '31/31/2018': is not a date in the format %d/%m/%Y" in output
    code, output = await run_on(module_dsn, *command, "people.csv:x", data=tmp_path)
    assert (code, "is not a line" in output) == (2, True)
    assert await rows(database, "select count(*) from contact") == [(0,)]
    assert not list(tmp_path.glob("rejected-*"))


async def test_a_line_that_is_not_csv_is_shown_as_it_is(database: Database, tmp_path: Path) -> None:
    put(tmp_path, 'id,first,mail,created,firm,score,form,kind,colour\n1,"a"b,,05/04/2018,,,,,\n')
    row = await explained(database, tmp_path, 2)
    text = explanation_text(row)
    assert '1,"a"b' in text
    assert "the line is not CSV" in text
