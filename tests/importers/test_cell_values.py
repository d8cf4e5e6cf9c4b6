"""A cell is parsed for certain, or rejected with the reason."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from api.importers.cell_parsers import DateSettings, value_parser
from api.importers.cell_values import Parse, day_parser, instant_parser, parse_key
from api.importers.value_reading import DecimalMark, ValueReading
from schema.tables import SHAPES


def value(table: str, column: str, cell: str, words: dict[str, str] | None = None) -> object:
    reading = ValueReading(column="x", words=words)
    return value_parser(SHAPES[table].column(column), reading, (), DateSettings("UTC", ()))(cell)


def amount_parser(mark: DecimalMark) -> Parse:
    reading = ValueReading(column="x", decimal=mark)
    return value_parser(SHAPES["deal"].column("amount"), reading, (), DateSettings("UTC", ()))


def test_an_instant_is_in_its_stated_zone() -> None:
    assert instant_parser("%Y-%m-%d", "UTC")("2018-02-01") == datetime(2018, 2, 1, tzinfo=UTC)
    assert instant_parser("%d/%m/%Y %H:%M", "America/Sao_Paulo")("05/04/2018 21:30") == datetime(
        2018, 4, 6, 0, 30, tzinfo=UTC
    )
    assert instant_parser("%Y-%m-%dT%H:%M:%S%z", "UTC")("2018-05-31T22:00:00-03:00") == datetime(
        2018, 6, 1, 1, tzinfo=UTC
    )
    assert day_parser("%d.%m.%y")("05.04.18") == date(2018, 4, 5)


@pytest.mark.parametrize(
    "cell", ["2018-02-30", "2018-13-01", "01/02/2018", "2018-02-01 10:00", "18-02-01", "yesterday", "2018-02-01x", "0"]
)
def test_a_date_in_another_format_is_rejected(cell: str) -> None:
    with pytest.raises(ValueError, match="is not a date in the format %Y-%m-%d"):
        instant_parser("%Y-%m-%d", "UTC")(cell)


@pytest.mark.parametrize("cell", ["2023-10-29 02:30", "2023-03-26 02:30"])
def test_an_hour_that_clocks_had_twice_or_never_is_rejected(cell: str) -> None:
    with pytest.raises(ValueError, match="twice or never in Europe/Berlin"):
        instant_parser("%Y-%m-%d %H:%M", "Europe/Berlin")(cell)


def test_an_instant_out_of_the_calendar_is_rejected() -> None:
    with pytest.raises(ValueError, match="out of the calendar"):
        instant_parser("%Y-%m-%d", "Asia/Tokyo")("0001-01-01")


@pytest.mark.parametrize(
    ("mark", "cell", "number"),
    [
        ("comma", "1.234.567,50", "1234567.50"),
        ("comma", "-1234,5", "-1234.5"),
        ("comma", "1.000", "1000"),
        ("point", "1,000", "1000"),
        ("point", "1'234.5", "1234.5"),
        ("comma", "12\u00a0345,6", "12345.6"),
        ("point", "1234.50", "1234.50"),
    ],
)
def test_a_number_is_read_by_its_stated_decimal_mark(mark: DecimalMark, cell: str, number: str) -> None:
    assert amount_parser(mark)(cell) == Decimal(number)


@pytest.mark.parametrize(
    "cell", ["1,234.50", "12.34", "1.23.456", "0.500", "1.2345", "1,5,0", "12 34", "1 000 €", ",5"]
)
def test_a_number_that_does_not_have_its_stated_decimal_mark_is_rejected(cell: str) -> None:
    with pytest.raises(ValueError, match=r"is not a number like 1\.234,56"):
        value_parser(
            SHAPES["deal"].column("amount"), ValueReading(column="x", decimal="comma"), (), DateSettings("UTC", ())
        )(cell)


@pytest.mark.parametrize(
    ("table", "column", "cell", "expected"),
    [
        ("contact", "job_title", "CEO", "CEO"),
        ("contact", "lead_score", "-12", -12),
        ("deal", "amount", "1234.50", Decimal("1234.50")),
        ("contact", "is_test", "TRUE", True),
        ("contact", "is_test", "no", False),
        ("touchpoint", "kind", "FORM", "FORM"),
    ],
)
def test_a_cell_is_parsed_as_its_column_is_declared(table: str, column: str, cell: str, expected: object) -> None:
    assert value(table, column, cell) == expected


@pytest.mark.parametrize(
    ("table", "column", "cell", "reason"),
    [
        ("contact", "job_title", "C\0O", "holds a NUL character"),
        ("contact", "lead_score", "12.0", "is not a whole number"),
        ("contact", "lead_score", "3000000000", r"is larger than a whole number may be \(2147483647\)"),
        ("deal", "amount", "1,234.50", "is not a number with a decimal point"),
        ("deal", "amount", "1e5", "is not a number with a decimal point"),
        ("deal", "amount", "nan", "is not a number with a decimal point"),
        ("deal", "amount", "99999999999999999", "is too large; numbers here are below 10000000000000000"),
        ("deal", "probability", "1.5", "is more than 1"),
        ("company", "employees", "-1", "is less than 0"),
        ("contact", "is_test", "maybe", "is neither true nor false"),
        ("touchpoint", "kind", "form", "is not one of AD_CLICK, PAGE_VISIT"),
    ],
)
def test_a_cell_that_does_not_fit_its_column_is_rejected_with_the_reason(
    table: str, column: str, cell: str, reason: str
) -> None:
    with pytest.raises(ValueError, match=reason):
        value(table, column, cell)


def test_words_are_translated_by_the_preset_and_not_otherwise() -> None:
    words = {"web form": "FORM", "phone": "CALL"}
    assert value("touchpoint", "kind", "phone", words) == "CALL"
    with pytest.raises(ValueError, match="map of words, which has web form, phone"):
        value("touchpoint", "kind", "fax", words)


def test_a_key_that_does_not_fit_an_index_is_rejected() -> None:
    with pytest.raises(ValueError, match="longer than a key may be"):
        parse_key("x" * 1001)
