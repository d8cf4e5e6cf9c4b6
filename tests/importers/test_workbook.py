"""Workbooks: a sheet is read as the CSV file that a careful person would have saved it as."""

import csv
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest

from api.errors import AccordError
from api.importers.layout.file_layout import is_workbook
from api.importers.workbook import sheet_to_csv


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
