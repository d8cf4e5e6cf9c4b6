"""Workbooks: a sheet is read as the CSV file that a careful person would have saved it as."""

import csv
import struct
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.layout.file_layout import FileLayout, is_workbook
from api.importers.layout.workbook import SheetCopies, sheet_to_csv
from api.importers.run_import import run_import
from api.importers.source_file import detect_file
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from tests.importers.conftest import at, rows
from tests.support.commands import run_on


@pytest.fixture
def workbook(tmp_path: Path) -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "People"
    sheet.append(["Id", "Name", "Since", "Day", "Score", "Is test"])
    sheet.append([10, "Ada\nByron", datetime(2026, 1, 2, 9, 30), date(2026, 1, 2), 1.5, True])  # noqa: DTZ001 - Excel has no zones
    sheet.append([])
    sheet.append(["0011", "#N/A", None, None, 4.5e11, False])
    book.create_sheet("Other").append(["x"])
    path = tmp_path / "people.xlsx"
    book.save(path)
    return path


def rows_of(workbook: Path, sheet: str | None = None) -> list[list[str]]:
    target = workbook.with_suffix(".csv")
    sheet_to_csv(workbook, sheet, target)
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_cells_are_text_and_lines_are_rows(workbook: Path) -> None:
    assert rows_of(workbook) == [
        ["Id", "Name", "Since", "Day", "Score", "Is test"],
        ["10", "Ada Byron", "2026-01-02 09:30:00", "2026-01-02", "1.5", "true"],
        [],
        ["0011", "", "", "", "450000000000", "false"],
    ]


def test_a_sheet_is_chosen_by_name(workbook: Path) -> None:
    assert rows_of(workbook, "Other") == [["x"]]


def test_an_unknown_sheet_is_refused_with_the_names_there_are(workbook: Path) -> None:
    with pytest.raises(AccordError, match=r"no sheet 'Nobody'.*'People', 'Other'"):
        rows_of(workbook, "Nobody")


def test_a_hidden_first_sheet_is_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    hidden = book.active
    assert hidden is not None
    hidden.append(["hidden"])
    hidden.sheet_state = "hidden"
    book.create_sheet("Seen").append(["seen"])
    book.save(tmp_path / "book.xlsx")
    assert rows_of(tmp_path / "book.xlsx") == [["seen"]]


def test_what_is_no_workbook_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_text("id,name\n1,Ada\n")
    assert is_workbook(path)
    with pytest.raises(AccordError, match="cannot be read as a workbook"):
        sheet_to_csv(path, None, tmp_path / "out.csv")


PRESET = """
title = "People of the firm"
source = "firm"
accord = "standard"
[[files]]
name = "people.xlsx"
key = "Id"
dates = { Since = "%d/%m/%Y" }
[[files.records]]
table = "contact"
begins = "Since"
fields = { first_name = "Name", lead_score = "Score", is_test = "Is test" }
"""


def saved(path: Path, *lines: list[object], title: str = "People") -> Path:
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = title
    for line in lines:
        sheet.append(line)
    book.save(path)
    return path


def table(path: Path) -> Path:
    """A sheet with a title, a blank row, dates of the workbook and as text, a total and a note."""
    return saved(
        path,
        ["People of the firm"],
        [],
        ["Id", "Name", "Since", "Score", "Is test"],
        [10, "Ada", datetime(2026, 1, 2, 9, 30), 7, True],  # noqa: DTZ001 - Excel has no zones
        ["0011", "Bob", "03/01/2026", 5, False],
        ["Total", None, None, 12],
        [],
        ["Made by hand"],
    )


async def test_a_workbook_is_imported_like_a_csv_file(database: Database, module_dsn: str, tmp_path: Path) -> None:
    table(tmp_path / "people.xlsx")
    (tmp_path / "firm.toml").write_text(PRESET)
    report = await run_import(database, str(tmp_path / "firm.toml"), tmp_path)
    [file] = report.files
    assert (file.rows, file.rejected, file.sheet, file.totals, file.notes) == (2, 0, "People", (6,), (8,))
    assert await rows(database, "select first_name, lead_score, is_test, effective_at from contact order by 1") == [
        ("Ada", 7, True, at("2026-01-02 09:30")),
        ("Bob", 5, False, at("2026-01-03")),
    ]
    assert await rows(database, "select external_id from external_key order by 1") == [("0011",), ("10",)]
    code, output = await run_on(
        module_dsn, "import", "csv", "people.xlsx", "--preset", "firm.toml", "--sheet", "People", data=tmp_path
    )
    assert (code, "people.xlsx: 2 rows, 0 refused (sheet 'People')" in output, "unchanged" in output) == (0, True, True)


async def test_the_suggested_preset_of_a_workbook_works_at_once(database: Database, tmp_path: Path) -> None:
    path = saved(
        tmp_path / "people.xlsx",
        ["Record ID", "Email", "Create Date"],
        [1, "ada@acme.com", date(2026, 1, 2)],
        [2, "bob@acme.com", datetime(2026, 1, 3, 8)],  # noqa: DTZ001 - Excel has no zones
    )
    text = preset_text(suggest(path))
    assert "QUESTION" not in text
    (tmp_path / "p.toml").write_text(text)
    report = await run_import(database, str(tmp_path / "p.toml"), tmp_path, file="people.xlsx")
    assert (report.rejected, report.records["contact"].created) == (0, 2)
    assert await rows(database, "select max(effective_at) from contact") == [(at("2026-01-03 08:00"),)]


async def test_a_sheet_of_another_name_is_chosen_by_the_preset_or_the_command(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    book = openpyxl.load_workbook(table(tmp_path / "people.xlsx"))
    book.create_sheet("Cover", 0).append(["Read me first"])
    book.save(tmp_path / "people.xlsx")
    (tmp_path / "firm.toml").write_text(PRESET)
    with pytest.raises(AccordError, match=r"The sheet 'Cover' of .*people.xlsx has no column Id"):
        await run_import(database, str(tmp_path / "firm.toml"), tmp_path)
    (tmp_path / "named.toml").write_text(PRESET.replace('key = "Id"', 'key = "Id"\nsheet = "People"'))
    assert (await run_import(database, str(tmp_path / "named.toml"), tmp_path)).rejected == 0
    command = ("import", "csv", "people.xlsx", "--preset", "firm.toml", "--sheet")
    code, output = await run_on(module_dsn, *command, "People", data=tmp_path)
    assert (code, "unchanged" in output) == (0, True)
    code, output = await run_on(module_dsn, *command, "Persons", data=tmp_path)
    assert (code, "has no sheet 'Persons'" in output, "'Cover', 'People'" in output) == (2, True, True)


def found(path: Path, sheet: str | None = None) -> None:
    with SheetCopies() as copies:
        detect_file(path.parent, path.name, (), layout=FileLayout(sheet=sheet), copies=copies)


def test_an_empty_sheet_is_named(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"The sheet 'Nothing' of .*empty.xlsx is empty"):
        found(saved(tmp_path / "empty.xlsx", title="Nothing"))


def test_a_sheet_of_a_file_that_is_no_workbook_is_refused(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("id\n1\n")
    with pytest.raises(AccordError, match=r"people.csv is not a workbook: it has no sheet 'People'"):
        found(tmp_path / "people.csv", "People")


def test_a_workbook_that_is_named_as_csv_is_recognised(tmp_path: Path) -> None:
    table(tmp_path / "people.xlsx").rename(tmp_path / "people.csv")
    with pytest.raises(AccordError, match=r"is a workbook or an archive, not text. Give a workbook its suffix"):
        found(tmp_path / "people.csv")


def test_a_workbook_with_a_password_is_refused(tmp_path: Path) -> None:
    """An encrypted workbook is a compound file with a stream of this name (MS-OFFCRYPTO 2.3)."""

    def entry(name: str, kind: int, child: int) -> bytes:
        text = f"{name}\0".encode("utf-16-le")
        head = struct.pack("<64sHBB3I", text, len(text), kind, 1, 0xFFFFFFFF, 0xFFFFFFFF, child)
        return head + bytes(36) + struct.pack("<IQ", 0xFFFFFFFE, 0)

    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    head += struct.pack("<9I", 0, 1, 1, 0, 4096, 0xFFFFFFFE, 0, 0xFFFFFFFE, 0)
    head += struct.pack("<109I", 0, *[0xFFFFFFFF] * 108)
    sectors = struct.pack("<128I", 0xFFFFFFFD, 0xFFFFFFFE, *[0xFFFFFFFF] * 126)
    directory = entry("Root Entry", 5, 1) + entry("EncryptedPackage", 2, 0xFFFFFFFF) + bytes(256)
    (tmp_path / "people.xlsx").write_bytes(head + sectors + directory)
    with pytest.raises(AccordError, match=r"people.xlsx is protected by a password. Save it without one"):
        found(tmp_path / "people.xlsx")


def test_a_number_with_three_decimals_is_not_taken_for_thousands(tmp_path: Path) -> None:
    assert rows_of(saved(tmp_path / "n.xlsx", ["n"], [1.234], [1.5])) == [["n"], ["1.2340"], ["1.5"]]


def test_the_copy_of_a_sheet_is_private_and_ends_with_the_block(tmp_path: Path) -> None:
    with SheetCopies() as copies:
        path, sheet = copies.copy(table(tmp_path / "people.xlsx"), None)
        assert (sheet, path.parent.stat().st_mode & 0o077) == ("People", 0)
    assert not path.exists()
