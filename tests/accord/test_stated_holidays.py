"""Holidays: expanded into dates when a version is proposed, and warned of before they end."""

from datetime import date

import pytest

from api.accord.documents import parse_accord, read_accord
from api.accord.stated_holidays import holiday_warnings, with_stated_holidays
from schema.accord import Accord
from schema.clauses.holiday_dates import holidays_of

CALENDAR = """
title = "With holidays"
stages = [{ key = "known", title = "Known", group = "All", owner = "SALES", meaning = "Exists.", rule = { all = [] } }]

[[calendars]]
key = "berlin"
title = "Berlin"
timezone = "Europe/Berlin"
hours = [{ days = ["MONDAY"], opens = "09:00", closes = "17:00" }]
holidays = { country = "DE", subdivision = "BE" }
"""


def with_years(text: str) -> Accord:
    return parse_accord(CALENDAR.replace('"BE"', f'"BE", {text}'), origin="test")


def test_the_dates_of_four_years_are_stated_with_english_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANGUAGE", "de")
    stated = with_stated_holidays(parse_accord(CALENDAR, origin="test"), date(2026, 11, 28))
    holidays = stated.calendars[0].holidays
    assert holidays is not None
    assert [year.year for year in holidays.years] == [2025, 2026, 2027, 2028]
    days = {day.on: day.name for day in holidays.years[1].days}
    assert days[date(2026, 3, 8)] == "Women's Day"  # of Berlin
    assert date(2026, 6, 4) not in days  # Corpus Christi, which is none in Berlin
    assert date(2026, 3, 8) in stated.calendars[0].closed_days
    assert stated.content_hash() != parse_accord(CALENDAR, origin="test").content_hash()


def test_stated_years_stay_as_they_are() -> None:
    accord = with_years('years = [{ year = 2026, days = [{ on = 2026-02-02, name = "Groundhogs" }] }]')
    stated = with_stated_holidays(accord, date(2026, 1, 1)).calendars[0]
    assert {day for day in stated.closed_days if day.year == 2026} == {date(2026, 2, 2)}
    assert len({day for day in stated.closed_days if day.year == 2027}) >= 9
    assert with_stated_holidays(read_accord("standard"), date(2026, 1, 1)) == read_accord("standard")


def test_the_holidays_are_warned_of_from_90_days_before_they_end() -> None:
    accord = with_stated_holidays(parse_accord(CALENDAR, origin="test"), date(2026, 1, 1))
    assert holiday_warnings(accord, date(2028, 10, 1)) == ()
    remedy = "Propose a version of the accord, which states those of the next years."
    assert holiday_warnings(accord, date(2028, 10, 2)) == (
        f"The holidays of the calendar Berlin end on 2028-12-31. {remedy}",
    )
    assert holiday_warnings(accord, date(2029, 1, 1)) == (
        f"The holidays of the calendar Berlin ended on 2028-12-31. {remedy}",
    )
    unstated = parse_accord(CALENDAR, origin="test")
    assert holiday_warnings(unstated, date(2026, 1, 1)) == (
        f"The holidays of the calendar Berlin are not stated. {remedy}",
    )
    assert holiday_warnings(read_accord("standard"), date(2026, 1, 1)) == ()


@pytest.mark.parametrize("years", ["years = []", "years = [{ year = 2026, days = [] }]"])
def test_a_document_that_is_proposed_or_edited_has_holidays_for_two_years_to_come(years: str) -> None:
    today = date(2026, 12, 31)
    accord = with_years(years)
    assert holiday_warnings(accord, today) != ()
    assert holiday_warnings(with_stated_holidays(accord, today), today) == ()


def test_an_unknown_region_has_no_holidays() -> None:
    with pytest.raises(ValueError, match="the holidays of DE ZZ are not known"):
        holidays_of("DE", "ZZ", 2026)
