"""A firm's own settings in the accord: what is stated replaces what the accord says, and a bad value is rejected."""

import calendar

import pytest

from api.accord.documents import read_accord
from api.accord.reporting_settings import ReportingSettings
from api.errors import AccordError, ErrorCode
from schema.clauses.reporting import Reporting
from schema.vocab import Currency

STANDARD = read_accord("standard")


def test_stated_settings_replace_those_of_the_accord_and_nothing_else_changes() -> None:
    settings = ReportingSettings(
        timezone="europe/berlin",
        currency="usd",
        week_start="Sunday",
        fiscal_year_start="feb",
        fiscal_year_named_by="start",
    )
    applied = settings.applied(STANDARD)
    assert applied.reporting == Reporting(
        timezone="Europe/Berlin",
        currency=Currency.USD,
        week_start="SUNDAY",
        fiscal_year_start_month=2,
        fiscal_year_named_by="START",
        exclude=STANDARD.reporting.exclude,
    )
    assert applied.model_copy(update={"reporting": STANDARD.reporting}) == STANDARD


def test_without_settings_the_accord_stays_as_it_is() -> None:
    assert ReportingSettings().applied(STANDARD) == STANDARD
    assert ReportingSettings().applied(STANDARD).content_hash() == STANDARD.content_hash()


def test_a_firm_can_state_that_it_has_no_reporting_currency() -> None:
    assert STANDARD.reporting.currency is not None
    assert ReportingSettings(currency="none").applied(STANDARD).reporting.currency is None


@pytest.mark.parametrize("month", range(1, 13))
def test_a_month_is_a_name_its_first_letters_or_a_number(month: int) -> None:
    name = calendar.month_name[month]
    for text in (name, name.lower(), name[:3].upper(), str(month), f" {month:02} "):
        applied = ReportingSettings(fiscal_year_start=text).applied(STANDARD)
        assert applied.reporting.fiscal_year_start_month == month, text


@pytest.mark.parametrize(
    ("settings", "message", "remedy"),
    [
        (ReportingSettings(timezone="Europe/Berln"), "'Europe/Berln' is not a known time zone.", "Europe/Berlin"),
        (ReportingSettings(timezone=""), "'' is not a known time zone.", "The time zones are"),
        (ReportingSettings(currency="EURO"), "'EURO' is not a known currency.", "Did you mean EUR"),
        (ReportingSettings(week_start="mondy"), "first day of the week", "Did you mean MONDAY"),
        (ReportingSettings(fiscal_year_start="Febuary"), "'Febuary' is not a known month.", "Did you mean February"),
        (ReportingSettings(fiscal_year_start="13"), "'13' is not a known month.", "December"),
        (ReportingSettings(fiscal_year_named_by="begin"), "naming of fiscal years", "START, END"),
    ],
)
def test_a_setting_that_is_not_known_is_rejected_with_the_nearest(
    settings: ReportingSettings, message: str, remedy: str
) -> None:
    with pytest.raises(AccordError) as rejected:
        settings.applied(STANDARD)
    assert rejected.value.code is ErrorCode.BAD_INPUT
    assert message in rejected.value.message
    assert remedy in rejected.value.remedy
