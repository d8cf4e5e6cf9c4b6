"""A suggested key is an identity by its name or nature; what merely differs in the rows read is a question."""

import tomllib
from pathlib import Path

import pytest

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.importers.preset import parse_preset
from api.importers.suggestion.keys import is_identity, why_no_key
from api.importers.suggestion.suggest import suggest
from api.importers.suggestion.suggest_text import preset_text
from tests.importers.conftest import rows
from tests.importers.test_csv import imported, put, suggested


def key_of(path: Path) -> object:
    """The key in the text of the suggested preset; None if it is a question."""
    return tomllib.loads(preset_text(suggest(path)))["files"][0].get("key")


@pytest.mark.parametrize(
    ("column", "values", "nature"),
    [
        ("Create Date", ("2026-01-05", "2026-01-06"), "its values are dates"),
        ("Amount", ("10.50", "1,200.75"), "its values are amounts"),
        ("Lead Score", ("17", "64"), "nothing shows that it identifies anything"),
        ("Last Name", ("Byron", "Ross"), "nothing shows that it identifies anything"),
        ("Remarks", ("Called her. " * 20, "Wrote to him. " * 20), "its values are long texts"),
        ("Paid", ("11", "12"), "nothing shows that it identifies anything"),
        ("Account ID", ("11", "12"), "nothing shows that it identifies anything"),
        ("Record ID", ("1.23457E+17", "1.23458E+17"), "numbers that a spreadsheet rounded, such as 1.23457E+17"),
        ("Record ID", ("123456789012345000", "123456789012346000"), "of which a spreadsheet kept 15 digits"),
    ],
)
def test_a_column_is_not_the_key_because_it_differs(
    tmp_path: Path, column: str, values: tuple[str, str], nature: str
) -> None:
    path = put(tmp_path, f'First Name,{column}\nAda,"{values[0]}"\nAda,"{values[1]}"\n')
    text = preset_text(suggest(path))
    assert key_of(path) is None
    assert suggest(path).questions >= 1
    assert f"# Not the key: {column}; " in text
    assert nature in text
    with pytest.raises(AccordError, match="key"):
        parse_preset(text, origin="people.toml")


@pytest.mark.parametrize(
    ("name", "table", "is_id"),
    [
        ("id", "contact", True),
        ("mql_id", "contact", True),
        ("LeadId", "contact", True),
        ("LeadID", "contact", True),
        ("Account UUID", "company", True),
        ("Paid", "contact", False),
        ("GRID", "contact", False),
        ("Company ID", "contact", False),
        ("Owner Id", "deal", False),
        ("Opportunity ID", "deal", True),
        ("", "deal", False),
    ],
)
def test_a_header_is_an_identity_by_its_last_word_unless_it_names_another_record(
    name: str, table: str, is_id: bool
) -> None:
    assert is_identity(name, table) is is_id


def test_ids_of_16_digits_of_which_some_end_in_zero_are_keys() -> None:
    assert why_no_key(["1234567890123450", "1234567890123457"]) is None
    assert why_no_key(["1234567890123450"]) is None
    assert why_no_key(["1234567890123450", "2234567890123450"]) is not None


def test_an_id_is_preferred_to_an_address(tmp_path: Path) -> None:
    assert key_of(put(tmp_path, "Email,First Name,person_id\na@b.c,Ana,7\nd@e.f,Bo,8\n")) == "person_id"


def test_an_address_is_the_key_where_no_id_is(tmp_path: Path) -> None:
    path = put(tmp_path, "Create Date,Email,First Name\n2026-01-05,a@b.example,Ana\n2026-01-06,d@e.example,Bo\n")
    assert (key_of(path), suggest(path).questions) == ("Email", 0)


@pytest.mark.parametrize(
    ("cells", "question"),
    [
        (("a@b.example", "A@B.Example", "d@e.example"), "# Rows that repeat an address, capitals and blanks aside: 1"),
        (("a@b.example", "a@b.example ", "d@e.example"), "# Rows that repeat an address, capitals and blanks aside: 1"),
        (("a@b.example", "", "d@e.example"), "# Rows without an address, which are rejected: 1."),
    ],
)
def test_an_address_that_repeats_or_is_missing_is_asked_about(
    tmp_path: Path, cells: tuple[str, ...], question: str
) -> None:
    path = put(tmp_path, "First Name,Email\n" + "".join(f"Ana,{cell}\n" for cell in cells))
    text = preset_text(suggest(path))
    assert (key_of(path), suggest(path).questions) == ("Email", 1)
    assert "# QUESTION: is one e-mail address one person here?" in text
    assert question in text


def test_addresses_in_few_rows_are_no_key(tmp_path: Path) -> None:
    assert key_of(put(tmp_path, "First Name,Email\nAda,a@b.example\nBob,\nCy,\n")) is None
    assert key_of(put(tmp_path, "First Name,Email\nAda,none\nBob,unknown\n")) is None


@pytest.mark.parametrize(
    ("header", "cells", "label"),
    [("ID,Company", "1.23457E+17,Acme", "ID"), ("ID,Company", "7,4.91711E+11", "Company")],
)
async def test_keys_that_a_spreadsheet_rounded_refuse_the_import(
    database: Database, tmp_path: Path, header: str, cells: str, label: str
) -> None:
    path = put(tmp_path, f"{header},First Name\n1,Beta,Bob\n2,Beta,Cy\n")
    preset = suggested(path)
    path.write_text(f"{header},First Name\n1,Beta,Bob\n{cells},Ada\n")
    with pytest.raises(AccordError, match=rf"line 3: the key in {label} is .*E\+1[17], a number that") as refused:
        await imported(database, path, preset)
    assert refused.value.code == ErrorCode.BAD_FILE
    assert "format the column as text" in refused.value.remedy
    assert await rows(database, "select count(*) from company") == [(0,)]


async def test_keys_with_a_plus_or_an_e_are_no_rounded_numbers(database: Database, tmp_path: Path) -> None:
    path = put(tmp_path, "ID,First Name\n12E5,Ada\n1+1,Bob\n7E+1X,Cy\nE+17,Di\n")
    assert (await imported(database, path, suggested(path))).records["contact"].created == 4
