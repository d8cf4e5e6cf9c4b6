"""Titles above the header, totals and notes below the table are no rows; what may be a record is never lost."""

from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.layout.file_layout import DETECTED, FileLayout
from api.importers.layout.footer import Footer, number_of
from api.importers.run_import import run_import
from api.importers.source_file import detect_file
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from tests.importers.conftest import rows
from tests.support.commands import run_on

COSTS = """Campaign report
"1 January 2026 - 31 January 2026"

Day,Campaign,Cost

2026-01-01,Search,100.50
2026-01-02,Search,50
,,
2026-01-03,Brand,20
Total: Account,--,170.50
"""


def read(
    folder: Path,
    text: str,
    needed: tuple[str, ...] = (),
    key: tuple[str, ...] = (),
    layout: FileLayout = DETECTED,
) -> tuple[list[tuple[int, object]], Footer, int]:
    """The rows by line (a rejected one as its reason), what is below the table, and the line of the header."""
    (folder / "report.csv").write_bytes(text.encode())
    source = detect_file(folder, "report.csv", needed, key=key, layout=layout)
    footers: list[Footer] = []
    found: list[tuple[int, object]] = [
        (line, row.reason if isinstance(row, UnreadableLine) else row[0])
        for line, row in read_csv(source, footers.append)
    ]
    totals = tuple(line for footer in footers for line in footer.totals)
    return found, Footer(totals, tuple(line for footer in footers for line in footer.notes)), source.header_line


@pytest.mark.parametrize("needed", [(), ("Day", "Campaign", "Cost")])
def test_titles_blank_lines_and_a_total_are_no_rows(tmp_path: Path, needed: tuple[str, ...]) -> None:
    found, footer, header = read(tmp_path, COSTS, needed, needed[:2])
    assert header == 4
    assert found == [(6, "2026-01-01"), (7, "2026-01-02"), (9, "2026-01-03")]
    assert footer == Footer(totals=(10,))


@pytest.mark.parametrize(
    ("first", "mark"), [("sep=;", ";"), ('"sep=;"', ";"), ("SEP=|", "|"), ("\ufeffsep=\t", "\t"), ("sep=^", "^")]
)
@pytest.mark.parametrize("needed", [(), ("id", "mail, name")])
def test_the_separator_line_of_excel_decides_the_delimiter(
    tmp_path: Path, first: str, mark: str, needed: tuple[str, ...]
) -> None:
    text = f"{first}\r\nid{mark}mail, name\r\n0010{mark}a,b,c\r\n"
    found, _, header = read(tmp_path, text, needed)
    assert (found, header) == ([(3, "0010")], 2)


def test_a_separator_line_and_titles_stand_above_a_header(tmp_path: Path) -> None:
    found, _, header = read(tmp_path, "sep=;\nReport, of January\n\nid;name;mail\n1;a;b\n")
    assert (found, header) == ([(5, "1")], 4)


def test_titles_of_a_spreadsheet_have_the_delimiters_of_empty_cells(tmp_path: Path) -> None:
    found, footer, header = read(
        tmp_path, "Campaign report;;;\n;;;\nid;name;mail;city\n1;Ada;a@x.de;Ulm\n;;;\nData of the CRM;;;\n"
    )
    assert (found, header, footer.notes) == ([(4, "1")], 3, (6,))


def test_the_header_is_the_first_line_with_every_needed_column(tmp_path: Path) -> None:
    text = "name,id\nfilter: name,all\nid,name,mail\n1,Ada,a@x.de\n"
    assert read(tmp_path, text, ("mail", "id", "name"))[2] == 3
    with pytest.raises(AccordError, match=r"has no column phone; its columns \(line 3\) are: id, name, mail"):
        read(tmp_path, text, ("mail", "id", "phone"))


@pytest.mark.parametrize(
    "text",
    [
        "id,name\n1,a\n",
        ",name,mail\n1,a,b\n",
        ",name\n1,a\n",
        "id,\n1,a\n",
        "id,name,,\n1,a,b,c\n",
        "id\n1\n2\n",
        "id,x,y\n",
    ],
)
def test_a_header_in_the_first_line_stays_there(tmp_path: Path, text: str) -> None:
    assert read(tmp_path, text)[2] == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Made on Monday, 5 January, 2026\nid,name,mail,city,land\n1,a,b,c,d\n2,a,b,c,d\n", "line 1 has 3 cells"),
        ("Title\n1,Ada,a@x.de\n2,Bob,b@x.de\n", "but it holds '1', as if it were a row"),
        ("Title\nid,name,mail,,\n1,a,b,c,d\n2,a,b,c,d\n", "line 2 has 3 filled cells, and a line below it has 5"),
    ],
)
def test_a_header_that_is_not_certain_is_refused_until_its_line_is_stated(
    tmp_path: Path, text: str, words: str
) -> None:
    with pytest.raises(AccordError, match=words) as refused:
        read(tmp_path, text)
    assert "--header-line" in refused.value.remedy
    assert read(tmp_path, text, layout=FileLayout(header_line=2))[2] == 2


def test_a_stated_header_line_that_is_blank_is_refused(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"no header in line 2: the line is blank. The next line with text is line 3"):
        read(tmp_path, "Title\n\nid,name\n1,a\n", layout=FileLayout(header_line=2))


PEOPLE = "name,revenue,staff\nAcme,100.50,5\nBeta,200,7\n"


@pytest.mark.parametrize(
    "last",
    [
        "Total,300.50,12",
        "Summe,300.50,",
        "TOTAL:,,12",
        "Gesamt,EUR 300.50,1",
        "Grand Total,7,",
        "Total (2 rows),1,",
        "Total,300.50",
    ],
)
def test_a_total_is_certain_by_its_word_its_sum_or_its_shape(tmp_path: Path, last: str) -> None:
    found, footer, _ = read(tmp_path, f"{PEOPLE}{last}\n", (), ("name",))
    assert (found, footer) == ([(2, "Acme"), (3, "Beta")], Footer(totals=(4,)))


@pytest.mark.parametrize(
    "last", ["Total SE,300.50,12", "Total Energies,,", "Total,France,3", "Summers,1,2", "Totally,1,"]
)
def test_a_record_whose_name_begins_like_a_total_is_kept(tmp_path: Path, last: str) -> None:
    found, footer, _ = read(tmp_path, f"{PEOPLE}{last}\n", (), ("name",))
    assert (found[-1], footer) == ((4, last.partition(",")[0]), Footer())


def test_a_company_named_total_with_a_key_of_its_own_is_kept(tmp_path: Path) -> None:
    found, footer, _ = read(tmp_path, "id,name,revenue\n1,Acme,100\n2,Beta,50\n3,Total,150\n", (), ("id",))
    assert (found[-1], footer) == ((4, "3"), Footer())


def test_what_may_be_a_total_or_a_record_is_rejected_with_what_to_state(tmp_path: Path) -> None:
    text = f"{PEOPLE}Total,999,12000\n"
    found, footer, _ = read(tmp_path, text, (), ("name",))
    assert (found[-1][0], footer) == (4, Footer())
    assert "skip_last = 1 in the preset if it is a total, skip_last = 0 if it is a record" in str(found[-1][1])
    assert read(tmp_path, text, layout=FileLayout(skip_last=0))[0][-1] == (4, "Total")
    found, footer, _ = read(tmp_path, text, layout=FileLayout(skip_last=1))
    assert (found[-1], footer.notes) == ((3, "Beta"), (4,))


def test_a_row_of_sums_without_a_key_is_a_total(tmp_path: Path) -> None:
    found, footer, _ = read(tmp_path, "id,name,amount\n1,a,100\n2,b,50.5\n,,150.5\n", (), ("id",))
    assert (len(found), footer.totals) == (2, (4,))
    found, footer, _ = read(tmp_path, "id,name,amount\n1,a,100\n2,b,50.5\n,,150\n", (), ("id",))
    assert (len(found), footer.totals) == (3, ())


def test_a_total_with_decimal_commas_is_understood(tmp_path: Path) -> None:
    text = "Tag;Kampagne;Kosten\n01.01.2026;Suche;1.100,50\n02.01.2026;Suche;50,00\nGesamt;;1.150,50\n"
    found, footer, _ = read(tmp_path, text, (), ("Tag", "Kampagne"))
    assert (len(found), footer.totals) == (2, (4,))


def test_notes_below_a_blank_line_or_a_total_are_no_rows(tmp_path: Path) -> None:
    notes = "Open opportunities\nCopyright (c) 2026\n\nConfidential Information - Do Not Distribute\n"
    found, footer, _ = read(tmp_path, f"{PEOPLE}\n{notes}", (), ("name",))
    assert (len(found), footer.notes) == (2, (5, 6, 8))
    found, footer, _ = read(tmp_path, f"{PEOPLE}Grand Total,1,2\nAmounts in EUR\n", (), ("name",))
    assert (len(found), footer) == (2, Footer(totals=(4,), notes=(5,)))


def test_a_last_record_with_a_single_value_is_kept(tmp_path: Path) -> None:
    assert read(tmp_path, f"{PEOPLE}Ada Lovelace,,\n", (), ("name",))[0][-1] == (4, "Ada Lovelace")
    assert read(tmp_path, f"{PEOPLE}\nGamma,,\n", (), ("name",))[0][-1] == (5, "Gamma")
    assert read(tmp_path, f"{PEOPLE}Only a cell\n", (), ("name",))[0][-1] == (4, "Only a cell")
    assert read(tmp_path, "name\nAda Lovelace\n\nAlan Turing\n")[0][-1] == (4, "Alan Turing")


def test_a_stated_text_ends_the_table(tmp_path: Path) -> None:
    text = f"{PEOPLE}Rows read: 2\n1,2,3\n"
    found, footer, _ = read(tmp_path, text, layout=FileLayout(until="Rows read"))
    assert (len(found), footer.notes) == (2, (4,))


@pytest.mark.parametrize(
    ("cell", "mark", "number"),
    [
        ("1,234.50", ".", "1234.50"),
        ("1.234,50", ",", "1234.50"),
        ("-12", ".", "-12"),
        ("€ 1 234,5", ",", "1234.5"),
        ("12 %", ".", "12"),
        ("1.2.3", ".", None),
        ("x1", ".", None),
    ],
)
def test_numbers_of_reports_are_read(cell: str, mark: str, number: str | None) -> None:
    found = number_of(cell, mark)
    assert (None if found is None else str(found)) == number


PRESET = """
title = "Companies"
source = "crm"
accord = "standard"
[[files]]
name = "companies.csv"
key = "id"
[[files.records]]
table = "company"
fields = { name = "name", annual_revenue = "revenue" }
"""


async def test_an_import_reports_the_lines_that_are_no_rows_and_counts_lines_of_the_file(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    (tmp_path / "crm.toml").write_text(PRESET)
    text = "Companies\n\nid,name,revenue\n1,Acme,100\n1,Beta,-5\n3,Total SE,50\nTotal,,145\n\nMade by hand\n"
    (tmp_path / "companies.csv").write_text(text)
    report = await run_import(database, str(tmp_path / "crm.toml"), tmp_path, rejects_folder=tmp_path)
    [file] = report.files
    assert (file.rows, file.rejected, file.header_line, file.totals, file.notes) == (3, 1, 3, (7,), (9,))
    assert report.rejects is not None
    assert "companies.csv,5,id,1," in report.rejects.read_text()
    assert await rows(database, "select name from company order by 1") == [("Acme",), ("Total SE",)]
    code, output = await run_on(
        module_dsn, "import", "csv", "companies.csv", "--preset", "crm.toml", "--dry-run", data=tmp_path
    )
    assert code == 0
    assert "not read as rows: the lines above the header in line 3, line 7 (total), line 9 (note)" in output


def test_a_suggestion_reads_the_table_and_states_a_stated_header(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("sep=;\nid;email\n0010;a@x.de\n0011;b@x.de\n")
    made = suggest(tmp_path / "people.csv")
    assert (made.rows, made.key and made.key.name) == (2, "id")
    (tmp_path / "people.csv").write_text("Title\nid,email,,\n1,a@x.de,x,y\n2,b@x.de,x,y\n")
    made = suggest(tmp_path / "people.csv", layout=FileLayout(header_line=2))
    assert "header_line = 2" in preset_text(made)
