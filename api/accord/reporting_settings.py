"""The reporting section of an accord from words, such as those of the command line."""

import calendar
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast, get_args
from zoneinfo import available_timezones

from api.errors import AccordError, ErrorCode
from schema.accord import Accord
from schema.clauses.reporting import Reporting
from schema.fiscal_calendar import FiscalYearName
from schema.nearest_words import suggestion
from schema.vocab import Currency

_MONTHS = tuple(calendar.month_name)[1:]
_NO_CURRENCY = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportingSettings:
    """The settings of a firm as it writes them; None keeps what the accord says."""

    timezone: str | None = None
    currency: str | None = None
    week_start: str | None = None
    fiscal_year_start: str | None = None
    fiscal_year_named_by: str | None = None

    def applied(self, accord: Accord) -> Accord:
        """Return the accord with these settings.

        Errors: BAD_INPUT for a setting that is not known, with the nearest that are.
        """
        stated: dict[str, object] = {}
        if self.timezone is not None:
            stated["timezone"] = _known_word("time zone", "time zones", self.timezone, sorted(available_timezones()))
        if self.currency is not None:
            codes = (*(code.value for code in Currency), _NO_CURRENCY)
            code = _known_word("currency", "currencies", self.currency, codes)
            stated["currency"] = None if code == _NO_CURRENCY else code
        if self.week_start is not None:
            word = _known_word("first day of the week", "first days", self.week_start, ("MONDAY", "SUNDAY"))
            stated["week_start"] = word
        if self.fiscal_year_start is not None:
            stated["fiscal_year_start_month"] = _month(self.fiscal_year_start)
        if self.fiscal_year_named_by is not None:
            names = cast("tuple[str, ...]", get_args(FiscalYearName))
            word = _known_word("naming of fiscal years", "namings", self.fiscal_year_named_by, names)
            stated["fiscal_year_named_by"] = word
        reporting = Reporting.model_validate(accord.reporting.model_dump() | stated)
        return accord.model_copy(update={"reporting": reporting})


def _month(text: str) -> int:
    """The number of a month from its name, the first three letters of it, or its number."""
    word = text.strip().casefold()
    for number, month in enumerate(_MONTHS, start=1):
        if word in (month.casefold(), month[:3].casefold(), str(number), f"{number:02}"):
            return number
    raise _unknown("month", "months", text, _MONTHS)


def _known_word(noun: str, plural: str, text: str, known: Iterable[str]) -> str:
    """The known word that the text is, in whatever case. Errors: BAD_INPUT, with the nearest words."""
    words = tuple(known)
    wanted = text.strip().casefold()
    for word in words:
        if word.casefold() == wanted:
            return word
    raise _unknown(noun, plural, text, words)


def _unknown(noun: str, plural: str, text: str, known: Iterable[str]) -> AccordError:
    return AccordError(ErrorCode.BAD_INPUT, f"'{text}' is not a known {noun}.", suggestion(text, known, plural))
