"""A preset is held against the declarations of the tables; what does not fit is named with its place."""

from pathlib import Path

import pytest

from api.errors import AccordError, ErrorCode
from api.importers.preset import parse_preset, preset_names, read_preset

WHOLE = """
title = "A source"
source = "somewhere"
accord = "standard"

[[files]]
name = "people.csv"
key = "id"
dates = { since = "%Y-%m-%d" }

[[files.records]]
table = "contact"
begins = "since"
fields = { email = "mail", lead_source = "origin" }
"""


def test_every_preset_that_ships_is_valid() -> None:
    assert preset_names() == ("hubspot", "maven", "olist", "salesforce")
    for each in preset_names():
        assert read_preset(each).title


def test_the_columns_of_a_file_are_those_that_the_preset_names() -> None:
    assert parse_preset(WHOLE, origin="x").files[0].columns == ("id", "since", "mail", "origin")


@pytest.mark.parametrize(
    ("given", "instead", "words"),
    [
        ("lead_source", "source", r"files\[0\].records\[0\]: contact has no field 'source'; there are .*lead_source"),
        ("email = ", "email_kind = ", "contact has no field 'email_kind'"),
        ('"contact"', '"people"', "'people' is no table for imports; there are team, member"),
        ('"contact"', '"stage_entry"', "'stage_entry' is no table for imports"),
        ('"contact"', '"touchpoint"', "touchpoint has no field"),
        ('fields = { email = "mail", lead_source = "origin" }', "colour = 1", "there is no such key"),
        ('title = "A source"', "", "title: is missing"),
        ('"origin" }', '"origin", company = "firm" }', "[Nn]o file makes a company, which a contact links to"),
        ('"origin" }', '"origin", lead_score = { constant = "x" } }', "contact.lead_score: 'x' is no int"),
        ('"origin" }', '"origin", phone = { words = { a = "b" } } }', "either a column or a constant"),
        ("%Y-%m-%d", "%Y-%m", "'%Y-%m' of since is no whole date"),
        ('{ since = "%Y-%m-%d" }', "{}", "the form of the dates in column 'since' is not stated"),
        ('begins = "since"', 'begins = "since"\nsince = "since"', "either begins at a date or has these values since"),
        ('begins = "since"', "creates = false", "[Nn]o file makes a contact, which people.csv adds to"),
        ("people.csv", "../people.csv", "must match"),
        ('accord = "standard"', 'accord = "standard"\nzone = "Mars"', "'Mars' is no IANA time zone"),
        ("title =", "title", "is no valid TOML"),
    ],
)
def test_a_preset_that_does_not_fit_is_refused_with_the_place(given: str, instead: str, words: str) -> None:
    assert given in WHOLE
    with pytest.raises(AccordError, match=words) as refused:
        parse_preset(WHOLE.replace(given, instead), origin="mine.toml")
    assert refused.value.code == ErrorCode.BAD_FILE
    assert "mine.toml" in refused.value.message


def test_what_a_table_needs_must_be_told() -> None:
    text = WHOLE.replace('"contact"', '"campaign_cost"').replace('begins = "since"', "")
    with pytest.raises(AccordError, match="campaign_cost has no field 'email'"):
        parse_preset(text, origin="x")
    with pytest.raises(AccordError, match="campaign_cost needs campaign, month_on, cost, currency"):
        parse_preset(text.replace('email = "mail", lead_source = "origin"', ""), origin="x")


def test_an_unknown_preset_is_refused_with_those_that_are_there(tmp_path: Path) -> None:
    with pytest.raises(AccordError, match=r"no preset 'olost'\. Presets are: hubspot, maven, olist, sal") as refused:
        read_preset("olost")
    assert refused.value.code == ErrorCode.UNKNOWN_PRESET
    with pytest.raises(AccordError, match=r"mine\.toml cannot be read: No such file"):
        read_preset(str(tmp_path / "mine.toml"))
