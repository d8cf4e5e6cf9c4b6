"""No CSV that Accord writes begins a cell of a record's text with a formula."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import pytest

from api.cli.record_output import RecordLine, RecordList, print_records_csv
from api.csv_text import original_text
from api.importers.reporting.rejects_file import RejectsFile
from api.intake.staged import RejectedRow
from schema.vocab import RecordSide, Unit
from tests.support.commands import run_on

PRESET = """
title = "People"
source = "crm"
accord = "standard"
[[files]]
name = "people.csv"
key = "id"
forms = "%Y-%m-%d"
[[files.records]]
table = "contact"
begins = "created"
fields = { email = "mail", lead_source = "lead source" }
"""
PEOPLE = "id,mail,created,lead source\n1,a@x.de,2026-01-02,=2+5\n2,b@x.de,2026-01-02,+49 offer\n3,c@x.de,soon,@home\n"


@pytest.mark.usefixtures("database")
async def test_groups_of_a_kpi_and_of_the_funnel_are_safe(module_dsn: str, tmp_path: Path) -> None:
    (tmp_path / "crm.toml").write_text(PRESET)
    (tmp_path / "people.csv").write_text(PEOPLE)
    code, output = await run_on(module_dsn, "import", str(tmp_path / "crm.toml"), str(tmp_path), data=tmp_path)
    assert (code, "1 value left out" in output) == (0, True)
    period = ("--period", "2026-01-01..2026-02-01", "--csv")
    for command in (
        ("kpi", "stage_conversion", "--from", "suspect", "--to", "inquiry", "--by", "lead_source"),
        ("funnel", "--by", "lead_source"),
    ):
        code, output = await run_on(module_dsn, *command, *period, data=tmp_path)
        assert code == 0, output
        cells = [cell for row in csv.reader(output.splitlines()) for cell in row]
        assert {"'=2+5", "'+49 offer"} <= set(cells)
        assert [cell for cell in cells if cell.startswith(("=", "+", "@"))] == []
        assert "1" in cells


def test_names_of_records_are_safe(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime(2026, 1, 2, tzinfo=UTC)
    listed = RecordList(
        RecordSide.CONVERTED, (RecordLine("deal_1", '=HYPERLINK("http://evil.example")', at),), 1, Unit.COUNT
    )
    print_records_csv(listed)
    _, (*_, name) = csv.reader(capsys.readouterr().out.splitlines())
    assert (name[:2], original_text(name)) == ("'=", '=HYPERLINK("http://evil.example")')


def test_the_file_of_rejected_rows_reads_back_to_the_values(tmp_path: Path) -> None:
    values = ["=2+5", "'=2+5", "+49171", "-5", "plain; =1", "'tis", "@home", ""]
    with RejectsFile(tmp_path / "rejected.csv") as rejects:
        for line, value in enumerate(values):
            rejects.add(RejectedRow("=people.csv", line, "-name", value, "is wrong"))
        rejects.publish()
    with (tmp_path / "rejected.csv").open(encoding="utf-8", newline="") as file:
        _, *found = csv.reader(file)
    assert [original_text(row[3]) for row in found] == values
    assert [(row[0], row[1], row[2]) for row in found] == [
        ("'=people.csv", str(line), "'-name") for line in range(len(values))
    ]
    assert [row[3] for row in found if row[3].startswith(("=", "+", "@"))] == []
