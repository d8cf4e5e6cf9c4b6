"""Damaged files: a row that is not certain is rejected with place and reason, and the good rows are kept."""

import csv
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from tests.importers.conftest import DEAL_HEADER, LEAD_HEADER, SIX_LEADS, THREE_DEALS, Write, at, lines, rows

GOOD = ("gus", "2018-03-01", "page1", "email")


def rejected_rows(report: ImportReport) -> list[list[str]]:
    assert report.rejects is not None
    with report.rejects.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))[1:]


async def imported(database: Database, folder: Path, rejects: Path) -> list[list[str]]:
    return rejected_rows(await run_import(database, "olist", folder, rejects_folder=rejects / "new folder"))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("delimiter", [";", "\t"])
async def test_another_encoding_and_delimiter_give_the_same_records(
    database: Database, write: Write, encoding: str, delimiter: str
) -> None:
    leads = lines(LEAD_HEADER, (*SIX_LEADS, ("joão", "2018-03-01", "página", "email")), delimiter)
    folder = write(leads=leads, deals=lines(DEAL_HEADER, THREE_DEALS, delimiter), encoding=encoding)
    report = await run_import(database, "olist", folder)
    assert report.rejected == 0
    assert report.files[0].delimiter == delimiter
    found = await rows(database, "select distinct external_id from external_key where external_id like 'jo%'")
    assert found == [("joão",)]
    assert await rows(database, "select count(*), count(company_id) from contact") == [(7, 3)]


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (
            ("zoe", "01/02/2018", "p", "email"),
            "first_contact_date",
            "01/02/2018",
            "not a date in the format iso",
        ),
        (("zoe", "2018-02-30", "p", "email"), "first_contact_date", "2018-02-30", "is not a date of the calendar"),
        (("zoe", " ", "p", "email"), "first_contact_date", " ", "is empty"),
        (("", "2018-02-01", "p", "email"), "mql_id", "", "is empty"),
        (("zoe", "2018-02-01", "p"), "", "zoe,2018-02-01,p", "the row has 3 cells, the header 4"),
        (("zoe", "2018-02-01", "p", "email", "x"), "", "zoe,2018-02-01,p,email,x", "the row has 5 cells"),
        (("zoe", "2018-02-01", '"p"q', "email"), "", 'zoe,2018-02-01,"p"q,email\n', "the line is not CSV"),
        (("ben", "2018-02-01", "p", "email"), "mql_id", "ben", "line 3 has the same mql_id"),
    ],
)
async def test_a_row_that_cannot_be_read_is_rejected_and_the_others_are_kept(
    database: Database, write: Write, tmp_path: Path, *, row: tuple[str, ...], column: str, value: str, reason: str
) -> None:
    leads = lines(LEAD_HEADER, (*SIX_LEADS, row, GOOD))
    ((file, line, where, what, why),) = await imported(database, write(leads=leads), tmp_path)
    assert (file, line, where, what) == ("olist_marketing_qualified_leads_dataset.csv", "8", column, value)
    assert reason in why
    assert await rows(database, "select count(*) from contact") == [(7,)]
    assert await rows(database, "select lead_source from contact where source_detail = 'page2'") == [("paid_search",)]


@pytest.mark.parametrize(
    ("row", "column", "value", "reason"),
    [
        (("zoe", "2018-02-01", "p", "tiktok"), "origin", "tiktok", "not in the preset's map of words"),
        (("zoe", "2018-02-01", "p\0q", "email"), "landing_page_id", "p\\0q", "holds a NUL character"),
    ],
)
async def test_a_side_value_that_cannot_be_read_is_left_out_and_its_row_is_kept(
    database: Database, write: Write, tmp_path: Path, *, row: tuple[str, ...], column: str, value: str, reason: str
) -> None:
    leads = lines(LEAD_HEADER, (*SIX_LEADS, row, GOOD))
    ((_, line, where, what, why),) = await imported(database, write(leads=leads), tmp_path)
    assert (line, where, what) == ("8", column, value)
    assert reason in why
    assert why.endswith("; only this value was left out")
    assert await rows(database, "select count(*) from contact") == [(8,)]


async def test_every_wrong_cell_of_a_row_is_reported(database: Database, write: Write, tmp_path: Path) -> None:
    leads = (*SIX_LEADS, ("", "soon", "p", "tiktok"))
    found = await imported(database, write(leads=leads), tmp_path)
    assert [(line, column) for _, line, column, *_ in found] == [
        ("8", "mql_id"),
        ("8", "first_contact_date"),
        ("8", "origin"),
    ]


async def test_a_deal_whose_lead_was_rejected_is_rejected_with_it(
    database: Database, write: Write, tmp_path: Path
) -> None:
    leads = (("anna", "soon", "page1", "social"), *SIX_LEADS[1:])
    found = await imported(database, write(leads=leads), tmp_path)
    assert [(file.split("_")[1], line, column) for file, line, column, *_ in found] == [
        ("marketing", "2", "first_contact_date"),
        ("closed", "2", "mql_id"),
    ]
    assert await rows(database, "select name from company order by 1") == [("seller2",), ("seller3",)]


async def test_a_deal_without_a_date_is_rejected_and_one_without_an_sdr_is_not(
    database: Database, write: Write, tmp_path: Path
) -> None:
    deals = (
        ("anna", "seller1", "", "sam", "2018-02-26 19:58:54", "pet", ""),
        ("carl", "seller2", "olga", "nora", "", "", ""),
    )
    found = await imported(database, write(deals=deals), tmp_path)
    assert [row[1:] for row in found] == [["3", "won_date", "", "is empty"]]
    assert await rows(database, "select closed_at, sdr_id from deal") == [(at("2018-02-26 19:58:54"), None)]


async def test_line_numbers_are_right_after_a_cell_of_several_lines(
    database: Database, write: Write, tmp_path: Path
) -> None:
    leads = lines(LEAD_HEADER, (("anna", "2018-02-01", '"a\nb\nc"', "social"), ("zoe", "soon", "p", "email")))
    found = await imported(database, write(leads=leads, deals=()), tmp_path)
    assert [row[1] for row in found] == ["5"]


async def test_a_row_rejected_again_is_reported_again_and_changes_nothing(
    database: Database, write: Write, tmp_path: Path
) -> None:
    folder = write(leads=(*SIX_LEADS, ("zoe", "soon", "p", "email")))
    first = await run_import(database, "olist", folder, rejects_folder=tmp_path)
    second = await run_import(database, "olist", folder, rejects_folder=tmp_path)
    assert second.is_unchanged
    assert (rejected_rows(second), second.rejects != first.rejects) == (rejected_rows(first), True)


async def test_files_without_rows_are_imported(database: Database, write: Write) -> None:
    report = await run_import(database, "olist", write(leads=(), deals=()))
    assert report.is_adopted
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_a_missing_column_is_an_error_before_anything_is_written(
    database: Database, write: Write, tmp_path: Path
) -> None:
    leads = lines(LEAD_HEADER[:3], [row[:3] for row in SIX_LEADS])
    with pytest.raises(
        AccordError, match="has no column origin; its columns are: mql_id, first_contact_date, landing_page_id"
    ):
        await run_import(database, "olist", write(leads=leads), rejects_folder=tmp_path)
    assert await rows(database, "select count(*) from accord_version") == [(0,)]


async def test_an_import_that_failed_leaves_no_rejects_file(database: Database, write: Write, tmp_path: Path) -> None:
    def fail(step: str, _done: int, _total: int) -> None:
        if step == "evaluation":
            raise RuntimeError("stop")

    folder = write(leads=(*SIX_LEADS, ("zoe", "soon", "p", "email")))
    with pytest.raises(RuntimeError, match="stop"):
        await run_import(database, "olist", folder, rejects_folder=tmp_path / "rejects", progress=fail)
    assert list((tmp_path / "rejects").iterdir()) == []


async def test_an_import_whose_rejects_file_cannot_be_written_is_rolled_back(
    database: Database, write: Write, tmp_path: Path
) -> None:
    (tmp_path / "taken").touch()
    folder = write(leads=(*SIX_LEADS, ("zoe", "soon", "p", "email")))
    with pytest.raises(AccordError, match=r"rejected rows .* cannot be written") as stopped:
        await run_import(database, "olist", folder, rejects_folder=tmp_path / "taken")
    assert stopped.value.code == ErrorCode.DATA_FOLDER
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_only_the_owner_may_read_the_rejects_file(database: Database, write: Write, tmp_path: Path) -> None:
    folder = write(leads=(*SIX_LEADS, ("zoe", "soon", "p", "email")))
    report = await run_import(database, "olist", folder, rejects_folder=tmp_path)
    assert report.rejects is not None
    assert report.rejects.stat().st_mode & 0o077 == 0
