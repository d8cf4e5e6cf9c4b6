"""Instants as systems write them."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.instants import read_epoch, read_exported, read_rfc3339, read_serial

NINE = datetime(2026, 1, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-02T09:00:00Z", NINE),
        ("2026-01-02t09:00:00z", NINE),
        ("2026-01-02 09:00:00Z", NINE),
        ("2026-01-02T11:00:00+02:00", NINE),
        ("2026-01-02T09:00:00.1Z", NINE + timedelta(microseconds=100_000)),
        ("2026-01-02T09:00:00.1234567Z", NINE + timedelta(microseconds=123_456)),
        ("2026-01-02T09:00:00.123456999999Z", NINE + timedelta(microseconds=123_456)),
    ],
)
def test_rfc_3339_takes_any_number_of_digits(text: str, instant: datetime) -> None:
    assert read_rfc3339(text) == instant


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("2026-05-31", "is a day, not an instant"),
        ("2026-01-02T09:00Z", "no seconds|has '"),
        ("2026-01-02T09:00:00", "has no zone"),
        ("2026-01-02T09:00:00+0000", r"has '\+0000' for a zone"),
        ("2026-01-02T09:00:00 UTC", "has ' UTC' for a zone"),
        ("2026-02-30T09:00:00Z", "of the calendar"),
        ("0001-01-01T00:00:00+14:00", "of the calendar"),
        ("yesterday", "is not an instant"),
    ],
)
def test_an_error_names_the_part_that_is_wrong(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        read_rfc3339(text)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(0, 999))
def test_digits_beyond_the_microsecond_never_move_an_instant_forward(instant: datetime, more: int) -> None:
    text = f"{instant.replace(tzinfo=None).isoformat(timespec='microseconds')}{more:03}Z"
    assert read_rfc3339(text) == instant


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-02 09:00:00 UTC",
        "2026-01-02 09:00:00.000 UTC",
        "2026-01-02T09:00:00.000000000Z",
        "2026-01-02 09:00:00 Z",
        "2026-01-02T09:00:00+0000",
        "2026-01-02 09:00:00+00",
        "2026-01-02 10:00:00 +01:00",
        "2026-01-02T09:00Z",
        "2026-01-02 09:00:00 GMT",
        "2026-01-02 9:00:00 UTC",
        "2026-01-02 09:00:00,000 Z",
    ],
)
def test_every_exporters_iso_form_is_read(text: str) -> None:
    assert read_exported(text) == NINE


def test_without_a_zone_an_exported_instant_is_local() -> None:
    assert read_exported("2026-01-02 09:00:00.1234567") == datetime(2026, 1, 2, 9, 0, 0, 123_456)  # noqa: DTZ001
    assert read_exported("2026-01-02") == datetime(2026, 1, 2)  # noqa: DTZ001


@pytest.mark.parametrize(
    "text", ["2026-01-02 UTC", "20260102", "2026-W01-1", "2026-1-2", "02.01.2026", "2026-13-01", ""]
)
def test_what_is_not_iso_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"not an instant|not a date"):
        read_exported(text)


def test_epochs_are_seconds_milliseconds_or_microseconds() -> None:
    assert read_epoch("1767344400") == NINE
    assert read_epoch("1767344400.25") == NINE + timedelta(milliseconds=250)
    assert read_epoch("1767344400000", "epoch-ms") == NINE
    assert read_epoch("1767344400000000", "epoch-us") == NINE
    for text, unit in (("1767344400000", "epoch"), ("1767344400", "epoch-ms"), ("-5", "epoch"), ("x", "epoch")):
        with pytest.raises(ValueError, match="is not"):
            read_epoch(text, unit)


def test_an_excel_serial_is_days_and_parts_of_a_day() -> None:
    assert read_serial("46024.375") == datetime(2026, 1, 2, 9, 0)  # noqa: DTZ001
    assert read_serial("46024.395833333336") == datetime(2026, 1, 2, 9, 30)  # noqa: DTZ001
    for text in ("0", "60", "2958466", "-1", "4,5"):
        with pytest.raises(ValueError, match="Excel"):
            read_serial(text)
