"""A suggested preset states what header and values decide, has questions for the rest, and works once answered."""

import re
import tomllib
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.db import Database
from api.errors import AccordError
from api.importers.date_formats import DateColumn, date_notation
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from api.importers.suggestion.suggest import SAMPLE_ROWS, suggest
from api.importers.suggestion.suggest_text import preset_text
from tests.importers.conftest import at, rows
from tests.support.commands import run_on

PEOPLE = """Record ID,First Name,Last Name,Email,Create Date,Company,Contact Owner,Lead Score,Unsubscribed,Favourite
1,Ana,Silva,ana@acme.com,23/04/2018,Acme,Sam Hill,5,true,tea
2,Bob,Berg,bob@beta.com,05/04/2018,Beta,Sam Hill,,,
3,Cy,,,05/05/2018,Acme,,7,FALSE,
"""
DEALS = """Deal ID;Deal Name;Amount;Deal Stage;Create Date;Close Date;Probability;Account Name
1;First;100.50;Closed Won;2018-01-02;05/04/2018;100;Acme
2;Second;;Negotiation;2018-01-03;06/07/2018;40;Beta
3;Third;20;Closed Lost;2018-01-04;;0;Beta
"""


def formats(*texts: str) -> list[tuple[str, ...]]:
    """The ways in which these dates can be read, as date formats."""
    column = DateColumn()
    for text in texts:
        column.add(text)
    assert column.is_proven is (len(list(column.choices())) == 1 and not column.is_contradictory)
    return list(column.choices())


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (["2018-04-05"], [("iso",)]),
        (["2018-04-05 6:49:18", "2018-04-05 06:49:18.123"], [("iso",)]),
        (["2018-04-05T10:00:00Z", "2018-04-05 10:00:00.1234567 +0200", "2018-04-05 10:00:00 UTC"], [("iso",)]),
        (["2018-4-5"], [("%Y-%m-%d",)]),
        (["1767344400"], [("epoch",)]),
        (["1767344400000"], [("epoch-ms",)]),
        (["1767344400123456"], [("epoch-us",)]),
        (["46024", "46024.395833"], [("excel",)]),
        (["98765", "12345"], []),
        (["20260102093000"], [("%Y%m%d%H%M%S",)]),
        (["199601020930"], [("%Y%m%d%H%M",), ("epoch-ms",)]),
        (["199601020930", "199699999999"], [("epoch-ms",)]),
        (["12/31/2025 11:30 PM"], [("%m/%d/%Y %I:%M %p",)]),
        (["31/12/2025 11:30 p. m."], [("%d/%m/%Y %I:%M %p",)]),
        (["12/31/2025 23:30:00.1234567 UTC"], [("%m/%d/%Y %H:%M:%S.%f %z",)]),
        (["20180405"], [("%Y%m%d",)]),
        (["5 Apr 2018"], [("%d %b %Y",)]),
        (["April 5, 2018 3:05 PM"], [("%B %d, %Y %I:%M %p",)]),
        (["05/04/2018", "23/04/2018", "06/04/2018"], [("%d/%m/%Y",)]),
        (["05/04/2018", "04/23/2018"], [("%m/%d/%Y",)]),
        (["5.4.2018"], [("%d.%m.%Y",), ("%m.%d.%Y",)]),
        (["05/04/2018", "05/05/2018"], [("%d/%m/%Y",), ("%m/%d/%Y",)]),
        (["23/04/2018", "04/23/2018"], [("%d/%m/%Y",), ("%m/%d/%Y",)]),
        (["05-04-18"], [("%d-%m-%y",), ("%m-%d-%y",), ("%y-%m-%d",)]),
        (["05-04-99"], [("%d-%m-%y",), ("%m-%d-%y",)]),
        (["soon", "31/31/2018"], []),
    ],
)
def test_the_format_of_dates_is_decided_by_their_values_or_left_open(texts: list[str], found: list[object]) -> None:
    assert formats(*texts) == found


@given(
    st.dates(min_value=date(1000, 1, 1)), st.sampled_from(["%d/%m/%Y", "%m/%d/%Y", "%Y-%m-%d", "%d.%m.%Y", "%d %b %Y"])
)
def test_the_format_that_wrote_a_date_is_always_among_the_fitting_ones(day: date, form: str) -> None:
    notation = date_notation(format(day, form))
    assert notation is not None
    assert ("iso" if form == "%Y-%m-%d" else form) in notation.fitting


def put(folder: Path, text: str, name: str = "people.csv") -> Path:
    (folder / name).write_text(text)
    return folder / name


def suggested(path: Path, change: Callable[[str], str] = str) -> Path:
    """Write the preset suggested for a file, with the changes of a user."""
    preset = path.with_suffix(".toml")
    preset.write_text(change(preset_text(suggest(path))))
    return preset


async def imported(database: Database, path: Path, preset: Path) -> ImportReport:
    return await run_import(database, str(preset), path.parent, file=path.name, rejects_folder=path.parent / "refused")


async def test_a_suggestion_without_questions_works_at_once(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, PEOPLE)
    assert suggest(path).questions == 0
    report = await imported(database, path, suggested(path))
    assert (report.rejected, report.records["contact"].created) == (0, 3)
    assert await rows(
        database,
        "select c.first_name, c.last_name, c.email, c.effective_at, o.name, m.name, c.lead_score, c.email_opt_out"
        " from contact c left join company o on o.id = c.company_id left join member m on m.id = c.owner_id order by 1",
    ) == [
        ("Ana", "Silva", "ana@acme.com", at("2018-04-23"), "Acme", "Sam Hill", 5, True),
        ("Bob", "Berg", "bob@beta.com", at("2018-04-05"), "Beta", "Sam Hill", None, False),
        ("Cy", None, None, at("2018-05-05"), "Acme", None, 7, False),
    ]
    assert (await imported(database, path, suggested(path))).is_unchanged


async def test_dates_of_undecided_order_are_refused_until_the_format_is_stated(
    database: Database, tmp_path: Path
) -> None:
    path = put(tmp_path, PEOPLE.replace("23/04/2018", "03/04/2018"))
    with pytest.raises(AccordError, match="the format of the dates in column 'Create Date' is missing"):
        await imported(database, path, suggested(path))
    assert await rows(database, "select count(*) from contact") == [(0,)]
    answered = suggested(path, lambda text: text.replace('# "Create Date" = "%m/%d', '"Create Date" = "%m/%d'))
    assert (await imported(database, path, answered)).rejected == 0
    assert await rows(database, "select min(effective_at) from contact") == [(at("2018-03-04"),)]


GERMAN = """Deal ID;Deal Name;Amount;Deal Stage;Closed Date
1;First;{};Won;2021-04-05
2;Second;{};Won;2021-04-06
"""


@pytest.mark.parametrize(
    ("amounts", "line"),
    [
        (("1.234,50", "200"), 'amount = { column = "Amount", decimal = "comma" }'),
        (("1,234.50", "200"), 'amount = { column = "Amount", decimal = "point" }'),
        (("1234.50", "200"), 'amount = "Amount"'),
    ],
)
async def test_the_decimal_mark_is_decided_by_the_values(
    database: Database, tmp_path: Path, amounts: tuple[str, str], line: str
) -> None:
    path = put(tmp_path, GERMAN.format(*amounts), "deals.csv")
    assert suggest(path).questions == 0
    preset = suggested(path)
    assert f"\n{line}\n" in preset.read_text()
    await imported(database, path, preset)
    assert await rows(database, "select sum(amount)::text from deal") == [("1434.50",)]


async def test_an_undecided_decimal_mark_is_a_question(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, GERMAN.format("1.000", "200"), "deals.csv")
    assert suggest(path).questions == 1
    with pytest.raises(AccordError, match="is not one of point, comma"):
        await imported(database, path, suggested(path))
    assert await rows(database, "select count(*) from deal") == [(0,)]
    await imported(
        database, path, suggested(path, lambda text: text.replace('decimal = "POINT OR COMMA"', 'decimal = "comma"'))
    )
    assert await rows(database, "select sum(amount)::text from deal") == [("1200.00",)]


async def test_deals_need_words_and_dates_and_have_a_closing_date_if_decided(
    database: Database, tmp_path: Path
) -> None:
    path = put(tmp_path, DEALS, "deals.csv")
    made = suggest(path)
    assert (made.table, made.questions) == ("deal", 2)

    def answer(text: str) -> str:
        text = text.replace('# "Close Date" = "%d/', '"Close Date" = "%d/')
        return text.replace('# Negotiation = ""', 'Negotiation = "OPEN"')

    report = await imported(database, path, suggested(path, answer))
    assert await rows(
        database,
        "select d.name, amount, outcome, opened_at, close_date::text, closed_at, probability::text, o.name"
        " from deal d join company o on o.id = d.company_id order by 1",
    ) == [
        ("First", 100.5, "WON", at("2018-01-02"), "2018-04-05", at("2018-04-05"), "1.0000", "Acme"),
        ("Second", None, "OPEN", at("2018-01-03"), "2018-07-06", None, "0.4000", "Beta"),
    ]
    # The third deal was lost, but has no closing date: a decided deal needs one.
    assert report.rejected == 1


async def test_rows_with_unmapped_words_are_rejected(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, DEALS, "deals.csv")
    preset = suggested(path, lambda text: text.replace('# "Close Date" = "%d/', '"Close Date" = "%d/'))
    report = await imported(database, path, preset)
    assert report.rejects is not None
    assert "3,Deal Stage,Negotiation,\"is not in the preset's map of words" in report.rejects.read_text()


async def test_deals_without_a_column_for_the_outcome_are_not_taken_for_open(
    database: Database, tmp_path: Path
) -> None:
    path = put(tmp_path, "Deal ID,Deal Name,Amount\n1,First,5\n", "deals.csv")
    assert suggest(path).questions == 1
    with pytest.raises(AccordError, match=r"has no column THE COLUMN THAT SAYS WON OR LOST; its columns are: Deal ID"):
        await imported(database, path, suggested(path))


def test_companies_are_recognised_by_their_header(tmp_path: Path) -> None:
    path = put(tmp_path, "Company ID,Company Name,Industry,Website\n7,Acme,Toys,acme.com\n", "firms.csv")
    made = suggest(path)
    assert (made.table, made.key and made.key.name) == ("company", "Company ID")
    assert {field.name: field.column.name for field in made.fields} == {
        "name": "Company Name",
        "industry": "Industry",
        "domain": "Website",
    }


def test_the_prefix_of_hubspot_exports_is_ignored_in_headers(tmp_path: Path) -> None:
    head = "deal_id,property_dealname,property_amount,property_createdate,property_deal_stage"
    made = suggest(put(tmp_path, f"{head}\n7,Ten seats,100,2019-12-04 12:48:22,Closed Won\n", "deal_data.csv"))
    assert (made.table, made.key and made.key.name) == ("deal", "deal_id")
    assert {field.name: field.column.name for field in made.fields} == {
        "name": "property_dealname",
        "amount": "property_amount",
        "opened_at": "property_createdate",
        "outcome": "property_deal_stage",
    }


def test_a_field_whose_values_do_not_fit_is_left_out_with_the_reason(tmp_path: Path) -> None:
    path = put(tmp_path, "ID,Email,Lead Score\n1,a@b.c,high\n2,d@e.f,5\n")
    text = preset_text(suggest(path))
    assert suggest(path).unread == ("Lead Score",)
    assert "# Left out, because 'high' is not a whole number.\n# lead_score = \"Lead Score\"" in text
    assert "lead_score" not in tomllib.loads(text)["files"][0]["records"][0]["fields"]


async def test_rows_of_an_unrecognised_header_are_not_taken_for_contacts(
    database: Database, module_dsn: str, tmp_path: Path
) -> None:
    path = put(tmp_path, "product,series,sales_price\nGTX Basic,GTX,550\n", "products.csv")
    assert suggest(path).questions == 2
    with pytest.raises(AccordError, match="table: is missing"):
        await imported(database, path, suggested(path))

    def answer(text: str) -> str:
        text = text.replace('# table = "contact"', 'table = "product"').replace('# key = "…"', 'key = "product"')
        return text.replace("[files.records.fields]\n", '[files.records.fields]\nname = "product"\n')

    assert (await imported(database, path, suggested(path, answer))).records["product"].created == 1
    code, output = await run_on(module_dsn, "import", "csv", str(path), "--suggest", data=tmp_path)
    assert (code, "The header does not show what a row is; 2 to answer in it" in output) == (0, True)
    odd = str(put(tmp_path, "ID,Email,Lead Score\n1,a@b.c,high\n", "odd.csv"))
    assert (
        "Columns left out, for the reasons in the file: Lead Score.\n"
        in (await run_on(module_dsn, "import", "csv", odd, "--suggest", data=tmp_path))[1]
    )


def test_the_date_that_decides_the_order_may_stand_beyond_the_sample(tmp_path: Path) -> None:
    early = "".join(f"{number},a{number}@b.c,05/04/2018\n" for number in range(SAMPLE_ROWS + 500))
    path = put(tmp_path, f"ID,Email,Created\n{early}x,x@b.c,04/23/2018\n")
    lines: list[int] = []
    made = suggest(path, lambda _step, done, _total: lines.append(done))
    assert (made.rows, made.questions) == (SAMPLE_ROWS, 0)
    assert '"%m/%d/%Y"  # proven by 04/23/2018' in preset_text(made)
    assert lines == sorted(lines)
    assert lines[-1] == SAMPLE_ROWS + 502


@pytest.mark.parametrize("odd", ['a "b" \\ c', "Größe\t(m²)", "# =", "é\x7f", "[files]"])
def test_the_preset_is_valid_toml_whatever_header_and_values_hold(tmp_path: Path, odd: str) -> None:
    cell = '"' + odd.replace('"', '""') + '"'
    path = put(tmp_path, f"ID,Deal Stage,Deal Name,Amount,{cell}\n1,{cell},n,5,{cell}\n", "deals.csv")
    document = tomllib.loads(preset_text(suggest(path)))
    assert document["files"][0]["key"] == "ID"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("ID,Email\n", "has a header, but no row that can be read"),
        ("ID,Email\n1\n2\n", "has a header, but no row that can be read"),
        ("", "is empty: it has no header"),
    ],
)
def test_a_file_without_rows_is_refused(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(AccordError, match=message):
        suggest(put(tmp_path, content))


async def test_a_preset_for_several_files_does_not_import_one(database: Database, tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"The preset olist is for 2 files \(olist_marketing"):
        await run_import(database, "olist", tmp_path, file="people.csv")


async def test_a_file_of_another_shape_is_refused_before_anything_is_written(
    database: Database, tmp_path: Path
) -> None:
    preset = suggested(put(tmp_path, PEOPLE))
    with pytest.raises(AccordError, match=r"has no column Record ID, .*; its columns are: Deal ID, Deal Name"):
        await imported(database, put(tmp_path, DEALS, "deals.csv"), preset)
    assert await rows(database, "select count(*) from accord_version") == [(0,)]


async def test_an_unknown_field_in_a_preset_is_named(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, PEOPLE)
    preset = suggested(path, lambda text: text.replace("first_name =", "frist_name ="))
    with pytest.raises(AccordError, match=r"contact has no field 'frist_name'; there are .*first_name"):
        await imported(database, path, preset)


async def test_the_command_suggests_and_imports_one_file(database: Database, module_dsn: str, tmp_path: Path) -> None:
    path, preset = str(put(tmp_path, PEOPLE)), str(tmp_path / "mine.toml")
    code, output = await run_on(module_dsn, "import", "csv", path, "--suggest", "--out", preset, data=tmp_path)
    assert (code, "Each row is a contact; no question is open" in output) == (0, True)
    code, output = await run_on(module_dsn, "import", "csv", path, "--suggest", "--out", preset, data=tmp_path)
    assert (code, "mine.toml cannot be written: File exists." in output) == (2, True)
    code, output = await run_on(module_dsn, "import", "csv", path, "--preset", preset, "--dry-run", data=tmp_path)
    assert (code, "A dry run: nothing was written" in output) == (0, True)
    code, output = await run_on(module_dsn, "import", "csv", path, "--preset", preset, data=tmp_path)
    assert (code, "people.csv: 3 rows, 0 refused (UTF-8, commas)" in output) == (0, True)
    assert await rows(database, "select count(*) from contact") == [(3,)]


@pytest.mark.parametrize("words", [("csv", "x.csv"), ("olist", ".", "--suggest"), ("olist", ".", "--preset", "x.toml")])
async def test_options_that_do_not_go_together_are_explained(
    module_dsn: str, tmp_path: Path, words: tuple[str, ...]
) -> None:
    code, output = await run_on(module_dsn, "import", *words, data=tmp_path)
    assert code == 2
    assert "accord import csv FILE --preset FILE.toml" in " ".join(re.sub(r"[│\s]+", " ", output).split())
