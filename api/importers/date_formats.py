"""Detects the format of a column's dates from its values. 05/04/2018 alone leaves open which number is the month."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from schema.date_forms import NAMED_FORMS, form_reader

_NUMBERS = re.compile(r"(\d{1,4})([-/.])(\d{1,2})\2(\d{1,4})")
_DAY_FIRST = re.compile(r"\d{1,2}([- ])([A-Za-z]{3,9})\1\d{4}")
_MONTH_FIRST = re.compile(r"([A-Za-z]{3,9}) \d{1,2}(,?) \d{4}")
_TIME = re.compile(
    r"(?P<gap>T| )(?P<hour>\d{1,2}):\d\d(?P<second>:\d\d(?P<part>\.\d{1,12})?)?(?P<noon> ?[AaPp](?:[Mm]|\. ?[Mm]\.))?"
    r"(?P<zone> ?(?:Z|UTC|GMT|[+-]\d\d:?\d\d))?"
)
_FIRST_YEAR, _LAST_YEAR = 1970, 2100
# What a number of so many digits may be in a column of dates.
_NUMBER_FORMS = {
    5: ("excel",),
    8: ("%Y%m%d",),
    9: ("epoch",),
    10: ("epoch",),
    12: ("%Y%m%d%H%M", "epoch-ms"),
    13: ("epoch-ms",),
    14: ("%Y%m%d%H%M%S",),
    15: ("epoch-us",),
    16: ("epoch-us",),
}


@dataclass(frozen=True, slots=True)
class DateNotation:
    """How a date is written: formats that its day may have, those of them that give a date, and the time's format."""

    days: tuple[str, ...]
    fitting: frozenset[str]
    time: str


@lru_cache(maxsize=1 << 14)
def date_notation(text: str) -> DateNotation | None:
    """Return how a text is written if it is a date, else None."""
    if named := _named_notation(text):
        return named
    split = re.search(r"[T ]\d{1,2}:", text)
    day, rest = (text, "") if split is None else (text[: split.start()], text[split.start() :])
    time = _time_form(rest)
    days = _day_forms(day)
    if time is None or not days:
        return None
    fitting = frozenset(form for form in days if _fits(text, form + time))
    return DateNotation(days, fitting, time) if fitting else None


def _named_notation(text: str) -> DateNotation | None:
    """How a text in ISO form or a number is written: a number of as many digits may be several things."""
    digits = len(text.partition(".")[0])
    is_number = text.isascii() and text.replace(".", "", 1).isdecimal()
    days = _NUMBER_FORMS.get(digits, ()) if is_number else ("iso",)
    if "." in text:
        days = tuple(form for form in days if form in NAMED_FORMS)
    fitting = frozenset(form for form in days if _fits(text, form))
    if is_number and any(form in NAMED_FORMS and not _is_recent(text, form) for form in fitting):
        return None
    return DateNotation(days, fitting, "") if fitting else None


def _is_recent(text: str, form: str) -> bool:
    """Whether a number that counts days or seconds gives a year in which a record may begin or end."""
    return _FIRST_YEAR <= form_reader(form)(text).year <= _LAST_YEAR


def _day_forms(text: str) -> tuple[str, ...]:
    if numbers := _NUMBERS.fullmatch(text):
        first, mark, _, last = numbers.groups()
        if len(first) == 4:
            return (f"%Y{mark}%m{mark}%d",)
        if len(last) == 4:
            return (f"%d{mark}%m{mark}%Y", f"%m{mark}%d{mark}%Y")
        return (f"%d{mark}%m{mark}%y", f"%m{mark}%d{mark}%y", f"%y{mark}%m{mark}%d")
    if words := _DAY_FIRST.fullmatch(text):
        return (f"%d{words[1]}{_month(words[2])}{words[1]}%Y",)
    if words := _MONTH_FIRST.fullmatch(text):
        return (f"{_month(words[1])} %d{words[2]} %Y",)
    return ()


def _month(word: str) -> str:
    return "%b" if len(word) == 3 else "%B"


def _time_form(text: str) -> str | None:
    if not text:
        return ""
    found = _TIME.fullmatch(text)
    if found is None:
        return None
    noon, zone = found["noon"] or "", found["zone"] or ""
    seconds = ("" if found["second"] is None else ":%S") + ("" if found["part"] is None else ".%f")
    half = f"{' ' * noon.startswith(' ')}%p" if noon else ""
    return f"{found['gap']}{'%I' if noon else '%H'}:%M{seconds}{half}{' ' * zone.startswith(' ')}{'%z' if zone else ''}"


def _fits(text: str, form: str) -> bool:
    try:
        form_reader(form)(text)
    except ValueError:
        return False
    return True


@dataclass(slots=True)
class DateColumn:
    """What the values of a column prove about the format of its dates.

    `not_dates` are a few values that are not dates; `proof` is the value that decided the order of day and month;
    `example` is a value that does not.
    """

    values: int = 0
    not_dates: list[str] = field(default_factory=list)
    not_date_count: int = 0
    example: str = ""
    proof: str = ""
    _left: dict[tuple[str, ...], frozenset[str]] = field(default_factory=dict)
    _times: dict[tuple[str, ...], dict[str, None]] = field(default_factory=dict)

    def add(self, text: str) -> None:
        """Take a value of the column into account."""
        self.values += 1
        how = date_notation(text)
        if how is None:
            self.not_date_count += 1
            self.not_dates += [text] if len(self.not_dates) < 3 and text not in self.not_dates else []
            return
        before = self._left.get(how.days)
        if before is None or not before <= how.fitting:
            left = how.fitting if before is None else before & how.fitting
            self._left[how.days] = left
            if len(left) == 1 and len(how.days) > 1:
                self.proof = text
        if before is None or len(self._left[how.days]) > 1:
            self.example = text
        self._times.setdefault(how.days, {})[how.time] = None

    @property
    def is_open(self) -> bool:
        """Whether more values may still decide: several formats are left."""
        return any(len(left) > 1 for left in self._left.values())

    @property
    def is_proven(self) -> bool:
        """Whether one format is left for all its dates."""
        return bool(self._left) and all(len(left) == 1 for left in self._left.values())

    @property
    def is_contradictory(self) -> bool:
        """Whether its values prove two different orders."""
        return any(not left for left in self._left.values())

    def choices(self) -> Iterator[tuple[str, ...]]:
        """Yield the ways to read all values, as the formats that each needs; a single one if it is proven."""
        meanings = max((len(left or days) for days, left in self._left.items()), default=0)
        for place in range(meanings):
            forms: dict[str, None] = {}
            for days, left in self._left.items():
                open_forms = [form for form in days if form in (left or days)]
                day = open_forms[min(place, len(open_forms) - 1)]
                forms.update({day + time: None for time in self._times[days]})
            yield tuple(forms)
