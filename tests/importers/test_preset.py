"""A preset is checked against the declarations of the tables; errors name the place of the wrong key."""

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


def test_every_shipped_preset_is_valid() -> None:
    assert preset_names() == (
        *("google-ads", "hubspot", "hubspot-export", "linkedin-ads", "maven", "meta-ads"),
        *("olist", "salesforce", "salesforce-report"),
    )
    for name in preset_names():
        assert read_preset(name).title


def test_the_columns_of_a_file_are_those_that_the_preset_names() -> None:
    assert parse_preset(WHOLE, origin="x").files[0].columns == ("id", "since", "mail", "origin")


@pytest.mark.parametrize(
    ("given", "instead", "words"),
    [
        ("lead_source", "source", r"files\[0\].records\[0\]: contact has no field 'source'; there are .*lead_source"),
        ("email = ", "email_kind = ", "contact has no field 'email_kind'"),
        ('"contact"', '"people"', "'people' is not a table for imports; there are team, member"),
        ('"contact"', '"stage_entry"', "'stage_entry' is not a table for imports"),
        ('"contact"', '"touchpoint"', "touchpoint has no field"),
        ('fields = { email = "mail", lead_source = "origin" }', "colour = 1", "there is no such key"),
        ('title = "A source"', "", "title: is missing"),
        ('"origin" }', '"origin", company = "firm" }', "[Nn]o file creates a company, which a contact links to"),
        (
            '"origin" }',
            '"origin", lead_score = { constant = "x" } }',
            "contact.lead_score: 'x' is not of type int",
        ),
        (
            '"origin" }',
            '"origin", phone = { words = { a = "b" } } }',
            "exactly one of 'column', 'columns' and 'constant'",
        ),
        ("%Y-%m-%d", "%Y-%m", "'%Y-%m' of since is not the format of a whole date"),
        (
            '{ since = "%Y-%m-%d" }',
            "{}",
            "format of the dates in column 'since' is missing; state it under 'dates'",
        ),
        ('begins = "since"', 'begins = "since"\nsince = "since"', "a record has either 'begins' or 'since'"),
        ('begins = "since"', "creates = false", "[Nn]o file creates a contact, which people.csv adds to"),
        ("people.csv", "../people.csv", "must match"),
        ('accord = "standard"', 'accord = "standard"\nzone = "Mars"', "'Mars' is not an IANA time zone"),
        ("title =", "title", "is not valid TOML"),
    ],
)
def test_a_preset_with_a_wrong_key_is_refused_with_its_place(given: str, instead: str, words: str) -> None:
    assert given in WHOLE
    with pytest.raises(AccordError, match=words) as refused:
        parse_preset(WHOLE.replace(given, instead), origin="mine.toml")
    assert refused.value.code == ErrorCode.BAD_FILE
    assert "mine.toml" in refused.value.message


def test_a_record_needs_a_reading_for_every_required_field() -> None:
    text = WHOLE.replace('"contact"', '"campaign_cost"').replace('begins = "since"', "")
    with pytest.raises(AccordError, match="campaign_cost has no field 'email'"):
        parse_preset(text, origin="x")
    with pytest.raises(AccordError, match="campaign_cost needs campaign, source, from_on, before_on, cost, currency"):
        parse_preset(text.replace('email = "mail", lead_source = "origin"', ""), origin="x")


def test_an_unknown_preset_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(
        AccordError, match=r"no preset 'olost'\. Presets are: google-ads, .*, maven, meta-ads, olist, sal"
    ) as refused:
        read_preset("olost")
    assert refused.value.code == ErrorCode.UNKNOWN_PRESET
    with pytest.raises(AccordError, match=r"mine\.toml cannot be read: No such file"):
        read_preset(str(tmp_path / "mine.toml"))
