"""Values with a nature of their own: addresses, numbers, countries, instants; and what stands for an empty cell."""

from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError
from api.importers.cell_parsers import (
    DateSettings,
    begin_parser,
    key_list_parser,
    key_parser,
    value_parser,
    whole_salesforce_id,
)
from api.importers.preset import parse_preset
from api.importers.reporting.import_report import ImportReport
from api.importers.run_import import run_import
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from api.importers.value_reading import ValueReading
from schema.tables import SHAPES
from tests.importers.conftest import at, rows

HEAD = 'title = "Ours"\nsource = "ours"\naccord = "standard"\n'


def preset(folder: Path, text: str) -> str:
    (folder / "ours.toml").write_text(HEAD + text)
    return str(folder / "ours.toml")


async def imported(database: Database, folder: Path, text: str, **files: str) -> ImportReport:
    for name, content in files.items():
        (folder / f"{name}.csv").write_text(content)
    return await run_import(database, preset(folder, text), folder, rejects_folder=folder)


def contacts(**fields: str) -> str:
    """A preset of contacts with these fields, of the columns named."""
    filled = "\n".join(f"{name} = {reading}" for name, reading in fields.items())
    head = '[[files]]\nname = "people.csv"\nkey = "id"\n[[files.records]]\ntable = "contact"\n'
    return f"{head}[files.records.fields]\n{filled}\n"


def rejects(folder: Path) -> str:
    (path,) = folder.glob("rejected-*.csv")
    return path.read_text()


def value(table: str, column: str, cell: str, **keys: object) -> object:
    reading = ValueReading.model_validate({"column": "x", **keys})
    return value_parser(SHAPES[table].column(column), reading, (), DateSettings("UTC", ()))(cell)


@pytest.mark.parametrize(
    ("table", "column", "cell", "stored"),
    [
        ("contact", "email", "Ada Byron <ADA@Acme.Example>", "ada@acme.example"),
        ("member", "email", "Sam@Us.Example", "sam@us.example"),
        ("contact", "phone", "'+49 (0)171 234-567", "+49171234567"),
        ("contact", "country", "Allemagne", "DE"),
        ("company", "country", "usa", "US"),
        ("contact", "country", "NA", "NA"),
        ("contact", "timezone", "europe/berlin", "Europe/Berlin"),
        ("company", "domain", "https://www.Acme.example/about", "acme.example"),
        ("deal", "currency", "eur", "EUR"),
        ("company", "currency", "hrk", "HRK"),
    ],
)
def test_a_text_with_a_nature_is_stored_in_its_one_spelling(table: str, column: str, cell: str, stored: str) -> None:
    assert value(table, column, cell) == stored


@pytest.mark.parametrize(
    ("table", "column", "cell", "reason"),
    [
        ("contact", "email", "N/A", "is not an e-mail address"),
        ("contact", "email", "ada@a.example; ada.b@a.example", "holds more than one e-mail address"),
        ("contact", "email", "ada@a.example,ada.b@a.example", "holds more than one e-mail address"),
        ("contact", "phone", "+4.91711E+11", "is a number that a spreadsheet rounded"),
        ("contact", "phone", "(No value)", "is not a telephone number"),
        ("contact", "country", "Atlantis", "is not a country"),
        ("company", "domain", "none", "is not an internet domain"),
        ("contact", "timezone", "CET-ish", "is not an IANA time zone"),
        ("deal", "currency", "Euros", r"is not the code of a currency \(ISO 4217\), such as EUR"),
    ],
)
def test_a_text_of_another_nature_is_refused(table: str, column: str, cell: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        value(table, column, cell)


@pytest.mark.parametrize("cell", ["ada@a.example; ada.b@a.example", "; Ada@a.example ;", "ada@a.example,x@y"])
def test_the_first_of_several_addresses_is_taken_where_the_preset_states_the_separator(cell: str) -> None:
    assert value("contact", "email", cell, first_of=[";", ","]) == "ada@a.example"
    assert key_parser(ValueReading(column="x", first_of=(";", ",")))(cell) == "ada@a.example"


@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        ('{ column = "a", first_of = "" }', "must not be empty"),
        ('{ constant = "ada@acme" }', r"contact\.email: 'ada@acme' is not an e-mail address"),
        ('{ column = "a", words = { x = "none" } }', r"contact\.email: 'none' is not an e-mail address"),
        ('{ constant = "a@b.example", first_of = ";" }', "a constant is never empty"),
    ],
)
def test_values_that_a_preset_states_are_of_the_columns_nature(reading: str, reason: str) -> None:
    with pytest.raises(AccordError, match=reason):
        parse_preset(HEAD + contacts(email=reading), origin="x")


def test_an_email_address_as_a_key_has_one_spelling() -> None:
    parse = key_parser(ValueReading(column="x"))
    assert parse("ADA@A.Example") == parse("ada@a.example") == "ada@a.example"
    assert key_parser(ValueReading(column="x", prefix="form"))("ADA@A.Example") == "form|ada@a.example"
    assert key_list_parser(";")("Ada@a.example; ada@A.example") == ["ada@a.example"]
    assert [parse(key) for key in ("00Q5e", "00Q5E", "A@b", "Ada at a.example @ x")] == [
        *("00Q5e", "00Q5E", "A@b", "Ada at a.example @ x")
    ]


async def test_people_whose_key_is_an_address_are_one_in_all_spellings_and_files(
    database: Database, tmp_path: Path
) -> None:
    text = """[[files]]
name = "people.csv"
key = "Email"
[[files.records]]
table = "contact"
fields = { email = "Email", first_name = "Name" }
[[files]]
name = "touches.csv"
key = ["Email", "At"]
forms = "iso"
[[files.records]]
table = "touchpoint"
fields = { contact = "Email", occurred_at = "At", kind = { constant = "FORM" }, direction = { constant = "INBOUND" } }
"""
    people = "Email,Name\nADA@a.example ,Ada\nbob@b.example,Bob\n"
    touches = "Email,At\nada@A.example,2026-01-02\nAda@a.example,2026-01-03\nBOB@B.EXAMPLE,2026-01-02\n"
    first = await imported(database, tmp_path, text, people=people, touches=touches)
    assert (first.rejected, first.records["contact"].created, first.records["touchpoint"].created) == (0, 2, 3)
    again = await imported(database, tmp_path, text, people="Email,Name\nada@a.example,Ada\nada@A.example,Al\n")
    assert (again.records["contact"].created, again.rejected) == (0, 1)
    found = "select c.email, count(*) from contact c join touchpoint t on t.contact_id = c.id group by 1 order by 1"
    assert await rows(database, found) == [("ada@a.example", 2), ("bob@b.example", 1)]


async def test_placeholders_are_empty_and_names_keep_mere_words(database: Database, tmp_path: Path) -> None:
    fields = contacts(first_name='"first"', last_name='"last"', email='"mail"', phone='"phone"', country='"country"')
    people = """id,first,last,mail,phone,country
1,Ada,Null,null,N/A,NA
2,None,#REF!,#N/A,-,#VALUE!
3,Nil,N/A,NULL,#DIV/0!,(No value)
4,Cy,-,cy@c.example,0171 2345678,none
"""
    text = 'empty = ["N/A", "null", "none", "-", "(No value)"]\n' + fields
    assert (await imported(database, tmp_path, text, people=people)).rejected == 0
    found = "select first_name, last_name, email, email_kind, phone, country from contact order by first_name"
    assert await rows(database, found) == [
        ("Ada", "Null", None, None, None, "NA"),
        ("Cy", None, "cy@c.example", "BUSINESS", "01712345678", None),
        ("Nil", None, None, None, None, None),
        ("None", None, None, None, None, None),
    ]


async def test_a_placeholder_is_no_key_and_meets_the_conditions_of_an_empty_cell(
    database: Database, tmp_path: Path
) -> None:
    text = """empty = "n/a"
[[files]]
name = "people.csv"
key = "id"
forms = "iso"
[[files.records]]
table = "contact"
[files.records.fields]
company = "firm"
lead_source = { column = "source", words = { "N/A" = "none given", ad = "ad" } }
[[files.records]]
table = "company"
key = "firm"
optional = true
fields = { name = "firm" }
[[files.records]]
table = "reported_stage"
key = { column = "id", prefix = "mql" }
unless = { mql_at = "" }
[files.records.fields]
contact = "id"
source = { constant = "ours" }
source_stage = { constant = "mql" }
stage = { constant = "mql" }
entered_at = "mql_at"
"""
    people = "id,firm,source,mql_at\n1,N/A,N/A,N/A\n2,#N/A,ad,\nn/a,Acme,ad,\n#N/A,Acme,ad,\n3,Acme,n/a,2026-01-02\n"
    report = await imported(database, tmp_path, text, people=people)
    assert report.rejected == 2
    reasons = rejects(tmp_path)
    assert reasons.count("stands for an empty cell, but a value is needed") == 2
    found = "select c.lead_source, o.name from contact c left join company o on o.id = c.company_id order by 1, 2"
    assert await rows(database, found) == [("ad", None), ("none given", None), (None, "Acme")]
    assert await rows(database, "select count(*) from reported_stage") == [(1,)]


async def test_the_mailbox_is_that_of_the_address_that_is_read(database: Database, tmp_path: Path) -> None:
    fields = contacts(email='{ column = "mail", first_of = ";", unknown = "x@x.example" }')
    people = "id,mail\n1,Info@acme.example; ada@gmail.com\n2,x@x.example\n3,a@gmail.com;\n"
    assert (await imported(database, tmp_path, fields, people=people)).rejected == 0
    assert await rows(database, "select email, email_kind from contact order by 1") == [
        ("a@gmail.com", "FREE"),
        ("info@acme.example", "ROLE"),
        (None, None),
    ]


async def test_instants_are_read_in_every_form_and_their_own_zone_precedes(database: Database, tmp_path: Path) -> None:
    text = """zone = "Europe/Berlin"
[[files]]
name = "people.csv"
key = "id"
forms = "iso"
dates = { ms = "epoch-ms", serial = "excel", noon = "%m/%d/%Y %I:%M %p" }
[[files.records]]
table = "contact"
begins = ["iso", "ms", "serial", "noon"]
fields = { lead_source = "id" }
"""
    people = """id,iso,ms,serial,noon
1,2026-01-02 09:00:00 UTC,,,
2,2026-01-02 10:00:00.123456789,,,
3,2026-01-02T09:00:00.0000000Z,,,
4,,1767344400000,,
5,,,46024.416666667,
6,,,,01/02/2026 10:00 AM
7,2026-10-25 02:30:00 UTC,,,
8,2026-10-25 02:30:00,,,
"""
    report = await imported(database, tmp_path, text, people=people)
    assert (report.rejected, report.left_out) == (0, 1)
    assert "happens twice or never in Europe/Berlin" in rejects(tmp_path)
    # The last one is kept without the date that is in doubt.
    found = await rows(database, "select lead_source, effective_at from contact where lead_source <> '8' order by 1")
    nine = at("2026-01-02 09:00")
    assert found == [
        ("1", nine),
        ("2", at("2026-01-02 09:00:00.123456")),
        ("3", nine),
        ("4", nine),
        ("5", nine),
        ("6", nine),
        ("7", at("2026-10-25 02:30")),
    ]


async def test_the_instant_of_a_beginning_may_be_unknown_or_the_first_of_several(
    database: Database, tmp_path: Path
) -> None:
    text = contacts(lead_source='"id"').replace(
        'table = "contact"',
        'table = "contact"\nbegins = { column = "since", unknown = "never", first_of = "|" }',
    )
    text = text.replace('key = "id"', 'key = "id"\nforms = "iso"')
    people = "id,since\n1,never\n2,2026-01-02|2026-01-03\n"
    assert (await imported(database, tmp_path, text, people=people)).rejected == 0
    found = await rows(database, "select lead_source, effective_at from contact order by 1")
    assert found == [("1", None), ("2", at("2026-01-02 00:00"))]


def test_the_day_of_an_epoch_is_that_of_the_zone_unless_it_is_a_day_itself() -> None:
    days = DateSettings("America/New_York", ()).days(["epoch-ms"])
    assert days("1767312000000") == date(2026, 1, 2)  # midnight in UTC
    assert days("1767315600000") == date(2026, 1, 1)  # 01:00 in UTC


@pytest.mark.parametrize(
    ("form", "reason"),
    [
        ("%Y-%m-%d %H:%M:%S %Z", "would lose the zone: write %z"),
        ("ISO", "is one of iso, epoch, epoch-ms, epoch-us, excel"),
    ],
)
def test_a_form_that_is_none_is_an_error(form: str, reason: str) -> None:
    text = contacts(deleted_at='"gone"').replace('key = "id"', f'key = "id"\nforms = "{form}"')
    with pytest.raises(AccordError, match=reason):
        parse_preset(HEAD + text, origin="x")


def suggested(folder: Path, content: str) -> str:
    (folder / "people.csv").write_text(content)
    return preset_text(suggest(folder / "people.csv"))


def test_placeholders_are_proposed_where_they_occur(tmp_path: Path) -> None:
    text = suggested(
        tmp_path,
        "ID,First Name,Email,Phone,Create Date,Note\n"
        "1,None,N/A,-,2026-01-05,(blank)\n2,Bob,bob@b.example,0171 23456,null,x\n3,-,#N/A,-,#N/A,x\n",
    )
    assert 'empty = ["-", "N/A", "null"]' in text
    assert "#   '-' in First Name, Phone" in text
    assert "QUESTION" not in text
    assert parse_preset(text, origin="x").empty == ("-", "N/A", "null")


async def test_several_addresses_in_a_cell_are_a_question_with_the_way_out(database: Database, tmp_path: Path) -> None:
    people = (
        "Record ID,First Name,Email\n1,Ada,ada@a.example; ada.b@a.example\n"
        '2,Bob,"bob@b.example,bob2@b.example"\n3,Cy,cy@c.example\n4,Di,di@\n'
    )
    text = suggested(tmp_path, people)
    assert suggest(tmp_path / "people.csv").questions == 1
    assert "# QUESTION: cells such as 'ada@a.example; ada.b@a.example' hold several values, and are left out." in text
    assert "# 1 value cannot be read: 'di@' is not an e-mail address" in text
    answer = text.replace('\nemail = "Email"', "").replace("# email = {", "email = {")
    (tmp_path / "answered.toml").write_text(answer)
    report = await run_import(database, str(tmp_path / "answered.toml"), tmp_path, rejects_folder=tmp_path)
    assert (report.rejected, report.left_out) == (0, 1)
    assert await rows(database, "select email from contact order by 1") == [
        ("ada@a.example",),
        ("bob@b.example",),
        ("cy@c.example",),
        (None,),
    ]


def test_a_column_in_which_few_values_have_its_nature_is_left_out(tmp_path: Path) -> None:
    text = suggested(tmp_path, "ID,First Name,Email\n1,Ada,by phone\n2,Bob,by mail\n3,Cy,cy@c.example\n")
    assert "# Left out, because 'by phone' is not an e-mail address" in text


def test_addresses_inside_of_other_texts_are_named(tmp_path: Path) -> None:
    text = suggested(tmp_path, 'ID,First Name,emails\n1,Ada,"[{""value"": ""ada@a.example""}]"\n')
    assert "# No e-mail address is read. emails holds some inside of longer texts:" in text


def test_spellings_of_an_address_are_one_key(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("Email,First Name\nada@a.example,Ada\nADA@A.EXAMPLE,Ada\n")
    suggestion = suggest(tmp_path / "people.csv")
    assert suggestion.key is not None
    assert not suggestion.key.is_unique
    assert suggestion.is_key_open


def test_a_list_is_read_in_one_way() -> None:
    with pytest.raises(ValueError, match="a reading has one of 'first_of', 'single' and 'split'"):
        ValueReading.model_validate({"column": "mail", "first_of": ";", "single": ";"})


def test_the_beginning_of_a_record_may_be_the_only_item_of_a_list() -> None:
    reading = ValueReading.model_validate({"column": "since", "single": ";"})
    parse = begin_parser(reading, DateSettings("UTC", ()), ["iso"])
    assert parse("2026-01-02;") == datetime(2026, 1, 2, tzinfo=UTC)
    assert parse("2026-01-02;2026-01-03") is None


def test_the_whole_id_of_salesforce_is_a_key_beside_addresses_of_one_spelling() -> None:
    reading = ValueReading.model_validate({"column": "id", "id_form": "salesforce", "prefix": "sf"})
    parse = key_parser(reading)
    assert parse("001A000000abcDE") == f"sf|{whole_salesforce_id('001A000000abcDE')}"
    assert parse("Ada@Acme.example") == "sf|ada@acme.example"
