"""Durations are written in words for people and as ISO 8601 for programs, and both forms mean the same length."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schema.durations import LONGEST, format_duration, iso_duration, parse_duration, parse_iso_duration

LENGTHS = st.timedeltas(timedelta(seconds=1), LONGEST).map(lambda length: length - length % timedelta(seconds=1))


@given(LENGTHS.filter(bool))
def test_both_forms_read_back_as_the_same_length(length: timedelta) -> None:
    assert parse_iso_duration(iso_duration(length)) == length
    assert parse_duration(format_duration(length)) == length


@pytest.mark.parametrize(
    ("text", "length", "written"),
    [
        ("P30D", timedelta(days=30), "P30D"),
        ("PT48H", timedelta(days=2), "P2D"),
        ("P2W", timedelta(days=14), "P14D"),
        ("P1W2DT3H4M5S", timedelta(days=9, hours=3, minutes=4, seconds=5), "P9DT3H4M5S"),
        ("PT1M", timedelta(minutes=1), "PT1M"),
        ("PT90M", timedelta(minutes=90), "PT1H30M"),
        ("P36525D", LONGEST, "P36525D"),
    ],
)
def test_an_iso_duration_has_weeks_days_hours_minutes_and_seconds(text: str, length: timedelta, written: str) -> None:
    assert parse_iso_duration(text) == length
    assert iso_duration(length) == written


@pytest.mark.parametrize("text", ["P1M", "P1Y", "P1Y2M10DT2H30M", "P2M3D"])
def test_calendar_years_and_months_are_no_length(text: str) -> None:
    with pytest.raises(ValueError, match=rf"'{text}' has calendar years or months.*write days, such as P30D"):
        parse_iso_duration(text)


@pytest.mark.parametrize("text", ["30 days", "", "P", "PT", "P1DT", "P1.5D", "-P1D", "+P1D", "p1d", " P1D", "PT1D", 30])
def test_anything_else_is_refused_with_the_form_to_write(text: object) -> None:
    with pytest.raises(
        ValueError, match=r"is not an ISO 8601 duration; write whole weeks, .* such as P30D, PT48H or P2W"
    ):
        parse_iso_duration(text)


@pytest.mark.parametrize("text", ["PT0S", "P36526D", "P9999999999W"])
def test_nothing_and_more_than_a_hundred_years_are_out_of_range(text: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' is out of range; .* at most P36525D"):
        parse_iso_duration(text)


@pytest.mark.parametrize("text", ["0 days", "36526 days", "9999999999 weeks"])
def test_words_have_the_same_range(text: str) -> None:
    with pytest.raises(ValueError, match="more than 0 and at most 36525 days"):
        parse_duration(text)


def test_words_are_refused_in_their_own_form() -> None:
    with pytest.raises(ValueError, match=r"'P30D' is not a duration; .* such as '30 days'"):
        parse_duration("P30D")
