"""What is certain of a row stays when a side value cannot be read; a vital value that cannot be read costs the row."""

import csv
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.preset import parse_preset
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from tests.importers.conftest import at, rows

PRESET = """
title = "A shop"
source = "shop"
accord = "standard"

[[files]]
name = "people.csv"
key = "id"
forms = "%Y-%m-%d"

[[files.records]]
table = "contact"
begins = "created"
[files.records.fields]
email = "mail"
phone = "phone"
lead_score = "score"
email_opt_out = "out"
deleted_at = "deleted"

[[files]]
name = "deals.csv"
key = "id"
forms = "%Y-%m-%d"

[[files.records]]
table = "deal"
[files.records.fields]
name = "name"
amount = ["price", { column = "estimate", OPTION }]
currency = ["money", { constant = "USD" }]
probability = "chance"
outcome = "state"
closed_at = { column = "closed", given = { outcome = ["WON", "LOST"] } }
"""
PEOPLE = ("id,mail,phone,score,out,created,deleted", "1,ana@acme.com,123,7,no,2026-01-01,")
DEALS = (
    "id,name,price,estimate,money,chance,state,closed",
    "d1,First,100,,EUR,0.5,OPEN,",
    "d2,Old,5,,EUR,,WON,2026-02-01",
)


def put(
    folder: Path, people: tuple[str, ...] = PEOPLE[1:], deals: tuple[str, ...] = DEALS[1:], option: str = "plus = 0"
) -> tuple[str, Path]:
    (folder / "shop.toml").write_text(PRESET.replace("OPTION", option))
    (folder / "people.csv").write_text("\n".join((PEOPLE[0], *people, "")))
    (folder / "deals.csv").write_text("\n".join((DEALS[0], *deals, "")))
    return str(folder / "shop.toml"), folder


async def imported(database: Database, preset: str, folder: Path) -> ImportReport:
    return await run_import(database, preset, folder, accept_loss=True, rejects_folder=folder / "rejects")


def reports(report: ImportReport) -> list[tuple[str, str, str]]:
    """The line, the column and the reason of every report."""
    if report.rejects is None:
        return []
    with report.rejects.open(newline="", encoding="utf-8") as file:
        return [(row["line"], row["column"], row["reason"]) for row in csv.DictReader(file)]


async def test_a_new_record_lacks_the_value_and_has_all_others(database: Database, tmp_path: Path) -> None:
    report = await imported(database, *put(tmp_path, people=("1,ana@acme.com,123,many,no,someday,",)))
    assert reports(report) == [
        ("2", "created", "is not a date in the format %Y-%m-%d; only this value was left out"),
        ("2", "score", "is not a whole number; only this value was left out"),
    ]
    assert [(file.rejected, file.left_out) for file in report.files] == [(0, 2), (0, 0)]
    assert await rows(database, "select email, phone, lead_score from contact") == [("ana@acme.com", "123", None)]


async def test_a_known_record_keeps_the_value_it_has(database: Database, tmp_path: Path) -> None:
    await imported(database, *put(tmp_path))
    report = await imported(database, *put(tmp_path, people=("1,ana@new.com,,many,no,2026-01-01,",)))
    assert report.records["contact"].changed == 1
    # An empty cell empties the value, one that cannot be read does not.
    assert await rows(database, "select email, phone, lead_score from contact") == [("ana@new.com", None, 7)]


async def test_a_row_that_brings_nothing_but_an_unreadable_value_changes_nothing(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, *put(tmp_path))
    report = await imported(database, *put(tmp_path, people=("1,ana@acme.com,123,many,no,2026-01-01,",)))
    assert (report.is_unchanged, report.left_out) == (True, 1)


async def test_an_opt_out_that_cannot_be_read_costs_its_row(database: Database, tmp_path: Path) -> None:
    report = await imported(database, *put(tmp_path, people=("1,ana@acme.com,123,many,maybe,2026-01-01,",)))
    # Of a rejected row every wrong cell is reported, for it has to be corrected as a whole.
    assert reports(report) == [("2", "score", "is not a whole number"), ("2", "out", "is neither true nor false")]
    assert await rows(database, "select count(*) from contact") == [(0,)]


async def test_an_unreadable_amount_is_unknown_or_stays_with_its_currency(database: Database, tmp_path: Path) -> None:
    await imported(database, *put(tmp_path))
    report = await imported(
        database, *put(tmp_path, deals=("d1,First,a lot,,USD,0.5,OPEN,", "d3,New,much,70,USD,,OPEN,"))
    )
    assert report.left_out == 2
    found = await rows(database, "select name, amount::text, currency from deal where name <> 'Old' order by 1")
    # Another reading than the one that cannot be read would be a guess, and so would the new currency of an old amount.
    assert found == [("First", "100.00", "EUR"), ("New", None, None)]


async def test_an_amount_whose_currency_cannot_be_read_has_an_unknown_one(database: Database, tmp_path: Path) -> None:
    await imported(database, *put(tmp_path))
    report = await imported(database, *put(tmp_path, deals=("d1,First,200,,Taler,0.5,OPEN,",)))
    assert [(line, column) for line, column, _ in reports(report)] == [("2", "money")]
    assert await rows(database, "select amount::text, currency from deal where name = 'First'") == [("200.00", None)]


async def test_the_closing_date_of_a_won_deal_is_vital_and_that_of_an_open_one_is_not(
    database: Database, tmp_path: Path
) -> None:
    deals = ("d1,Open,1,,EUR,,OPEN,soon", "d3,Won,1,,EUR,,WON,soon")
    report = await imported(database, *put(tmp_path, deals=deals))
    unreadable = "is not a date in the format %Y-%m-%d; only this value was left out"
    assert reports(report) == [
        ("2", "closed", unreadable),
        ("3", "closed", unreadable),
        ("3", "closed", "cannot be read, and the deal needs it"),
    ]
    assert (report.files[1].rejected, report.files[1].left_out) == (1, 1)
    assert await rows(database, "select name, outcome, closed_at from deal") == [("Open", "OPEN", None)]


async def test_a_deletion_whose_date_cannot_be_read_holds_from_the_import_on(
    database: Database, tmp_path: Path
) -> None:
    await imported(database, *put(tmp_path))
    files = put(tmp_path, people=("1,ana@acme.com,123,7,no,2026-01-01,last week",))
    report = await imported(database, *files)
    assert [reason for *_, reason in reports(report)] == [
        "is not a date in the format %Y-%m-%d; the instant of the import stands in for it"
    ]
    ((deleted_at,),) = await rows(database, "select deleted_at from contact where deleted_at <= now()")
    assert (await imported(database, *files)).is_unchanged
    assert await rows(database, "select deleted_at from contact") == [(deleted_at,)]
    await imported(database, *put(tmp_path, people=("1,ana@acme.com,123,7,no,2026-01-01,2026-03-01",)))
    assert await rows(database, "select deleted_at from contact") == [(at("2026-03-01 00:00"),)]


async def test_a_preset_tightens_and_loosens_what_is_vital(database: Database, tmp_path: Path) -> None:
    deals = ("d1,First,,a lot,EUR,0.5,OPEN,",)
    report = await imported(database, *put(tmp_path, deals=deals, option="vital = true"))
    assert (report.files[1].rejected, report.files[1].left_out) == (1, 0)
    (tmp_path / "shop.toml").write_text(
        PRESET.replace("OPTION", "plus = 0").replace('"out"', '{ column = "out", vital = false }')
    )
    people = ("1,ana@acme.com,123,7,yes,2026-01-01,", "2,bob@acme.com,,,maybe,2026-01-01,")
    put_people = "\n".join((PEOPLE[0], *people, ""))
    (tmp_path / "people.csv").write_text(put_people)
    await imported(database, str(tmp_path / "shop.toml"), tmp_path)
    (tmp_path / "people.csv").write_text(put_people.replace("yes", "perhaps"))
    await imported(database, str(tmp_path / "shop.toml"), tmp_path)
    assert await rows(database, "select email, email_opt_out from contact order by 1") == [
        ("ana@acme.com", True),
        ("bob@acme.com", False),
    ]


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ('outcome = "state"', 'company = { column = "state", vital = true }', "company is a link: remove 'vital'"),
        (
            'phone = "phone"',
            'phone = { column = "phone", at_import = true }',
            "is not 'deleted_at': remove 'at_import'",
        ),
        (
            'begins = "created"',
            'begins = { column = "created", vital = true }',
            "'vital' is for fields and 'since'",
        ),
        ('phone = "phone"', 'phone = { constant = "1", vital = true }', "a constant is never empty"),
        (
            'phone = "phone"',
            'phone = { column = "phone", required = true, vital = false }',
            "'vital = false' does not go with 'required'",
        ),
    ],
)
def test_a_preset_that_states_vital_where_it_means_nothing_is_refused(before: str, after: str, message: str) -> None:
    with pytest.raises(AccordError) as raised:
        parse_preset(PRESET.replace("OPTION", "plus = 0").replace(before, after), origin="shop")
    assert message in str(raised.value)


async def test_dated_values_that_cannot_be_read_leave_the_earlier_ones_in_force(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "crm.toml").write_text("""
title = "History"
source = "crm"
accord = "standard"

[[files]]
name = "deals.csv"
key = ["id", "day"]
forms = "%Y-%m-%d"

[[files.records]]
table = "deal"
key = "id"
since = "day"
fields = { name = "name", amount = "price" }
""")
    (tmp_path / "deals.csv").write_text(
        "id,day,name,price\nd1,2026-01-01,A,10\nd1,2026-02-01,B,lots\nd1,2026-03-01,C,30\n"
    )
    report = await imported(database, str(tmp_path / "crm.toml"), tmp_path)
    assert report.left_out == 1
    found = await rows(database, "select name, amount::text from deal_version order by valid_from")
    assert found[-3:] == [("A", "10.00"), ("B", "10.00"), ("C", "30.00")]
