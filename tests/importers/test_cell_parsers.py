"""A preset's keys for cells: several date formats, open ends, words, scales, and keys of several columns."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from api.accord.documents import read_accord
from api.errors import AccordError
from api.importers.cell_parsers import (
    DateSettings,
    join_key,
    join_row_key,
    join_texts,
    key_list_parser,
    key_parser,
    value_parser,
)
from api.importers.preset import parse_preset, read_preset, require_stages
from api.importers.value_reading import ValueReading
from schema.tables import SHAPES

FORMATS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M:%S.%f")
DATES = DateSettings("UTC", (date(2050, 1, 1), date(9999, 12, 31)))


def value(table: str, column: str, cell: str, **keys: object) -> object:
    reading = ValueReading.model_validate({"column": "x", **keys})
    return value_parser(SHAPES[table].column(column), reading, (), DATES)(cell)


def test_an_instant_may_have_several_formats_and_open_ends_are_null() -> None:
    read = DATES.instants(FORMATS)
    assert read("2021-01-07 6:49:18") == datetime(2021, 1, 7, 6, 49, 18, tzinfo=UTC)
    assert read("2022-03-01 19:43:05.526000") == datetime(2022, 3, 1, 19, 43, 5, 526000, tzinfo=UTC)
    assert read("2050-01-01 00:00:00") is None
    assert read("9999-12-31 23:59:59") is None
    assert DATES.days(FORMATS)("2021-01-07 06:49:18") == date(2021, 1, 7)
    with pytest.raises(ValueError, match=r"is not a date in the formats .* or "):
        read("07.01.2021")


def test_a_date_that_two_formats_read_differently_is_rejected() -> None:
    read = DateSettings("UTC", ()).instants(("%d/%m/%Y", "%m/%d/%Y"))
    assert read("25/04/2018") == datetime(2018, 4, 25, tzinfo=UTC)
    assert read("04/04/2018") == datetime(2018, 4, 4, tzinfo=UTC)
    with pytest.raises(ValueError, match="is one date or another"):
        read("05/04/2018")


def test_numbers_are_scaled_and_shifted_exactly() -> None:
    assert value("company", "annual_revenue", "1100.04", scale=1000000) == Decimal(1100040000)
    assert value("touchpoint", "duration_seconds", "30", scale=60) == 1800
    assert value("touchpoint", "duration_seconds", "61500", scale=0.001) == 62
    assert value("pipeline_stage", "rank", "0", plus=1) == 1
    with pytest.raises(ValueError, match=r"^is 10 by the preset's scale, which is more than 1$"):
        value("deal", "probability", "1000", scale="0.01")
    with pytest.raises(ValueError, match="is not a number"):
        value("deal", "amount", "1e999999999", scale=2)


def test_words_that_are_not_in_the_map_are_rejected_unknown_or_kept() -> None:
    words = {"technolgy": "technology"}
    assert value("company", "industry", "technolgy", words=words) == "technology"
    assert value("company", "industry", "retail", words=words, others="kept") == "retail"
    assert value("company", "industry", "retail", words=words, others="unknown") is None
    with pytest.raises(ValueError, match="is not in the preset's map of words"):
        value("company", "industry", "retail", words=words)
    words = {"market": "MARKETING", "sales": "SALES"}
    assert value("team", "kind", "EMEA Marketing and sales", contains=words) == "MARKETING"
    assert value("team", "kind", "Legal", contains=words, others="unknown") is None
    assert value("deal", "amount", "0", unknown="0") is None


def test_keys_of_several_columns_stay_distinct() -> None:
    assert join_key(["a", "b"]) == "a|b"
    assert len({join_key(parts) for parts in (["a|b", "c"], ["a", "b|c"], ["a\\", "b|c"], ["a", "b", "c"])}) == 4
    assert join_key(["a", ""]) == ""
    assert join_row_key(["a", ""]) != join_row_key(["", "a"])
    assert join_row_key(["", ""]) == ""
    assert key_parser(ValueReading(column="x", prefix="form"))("1") == "form|1"
    assert key_list_parser(";")("76340251; 46897301;;76340251") == ["76340251", "46897301"]
    assert join_texts(["Ann", "", "Lee"]) == "Ann Lee"


PRESET = """
title = "A source"
source = "somewhere"
accord = "standard"
[[files]]
name = "people.csv"
key = ["id", "day"]
forms = "%Y-%m-%d"
[[files.records]]
table = "contact"
key = "id"
since = "day"
[files.records.fields]
email = ["mail", { column = "mail2", when = { kind = "work" } }]
deleted_at = { column = "gone", given = { email = "" } }
"""


@pytest.mark.parametrize(
    ("given", "instead", "words"),
    [
        ("given = { email", "given = { phone", "contact.deleted_at depends on 'phone', which is not a field above it"),
        ('column = "mail2"', 'column = "mail2", scale = 2', "contact.email is not a number"),
        ('column = "mail2"', 'column = "mail2", decimal = "comma"', "contact.email is not a number"),
        ('column = "mail2"', 'column = "mail2", decimal = ";"', "';' is not one of point, comma"),
        ('column = "mail2"', 'column = "mail2", others = "kept"', "'others' needs 'words' or 'contains'"),
        ('column = "mail2"', 'column = "mail2", optional = true', "contact.email is not a link"),
        ('column = "mail2"', 'column = "mail2", split = ";"', "only a key can be a list"),
        ('key = "id"', 'key = { column = "id", split = ";" }\ncreates = false', "a list of keys creates its records"),
        (
            'column = "mail2"',
            'column = "a", lookup = { file = "b.csv", by = "c", match = "d" }',
            "The preset has no file b",
        ),
        ('column = "mail2"', 'column = "a", through = "contact.colour"', "'contact.colour' is not a field of a table"),
        ('forms = "%Y-%m-%d"', 'forms = "%Y"', "'%Y' is not the format of a whole date"),
        ('key = ["id", "day"]', "key = []", "must not be empty"),
    ],
)
def test_a_reading_that_does_not_fit_its_field_is_an_error(given: str, instead: str, words: str) -> None:
    assert parse_preset(PRESET, origin="x").files[0].columns == ("id", "day", "mail", "mail2", "kind", "gone")
    assert given in PRESET
    with pytest.raises(AccordError, match=words):
        parse_preset(PRESET.replace(given, instead), origin="x")


def test_a_reported_stage_must_be_one_of_the_preset_s_accord() -> None:
    require_stages(read_preset("hubspot"), read_accord("standard"), "hubspot")
    with pytest.raises(AccordError, match=r"reports people in the stage 'suspect' \(contact_data\.csv\)"):
        require_stages(read_preset("hubspot"), read_accord("maven"), "hubspot")
