"""The dates of public holidays, from the library `holidays`.

They are looked up when a version is proposed, and only then: the document states them by year, so that a later release
of the library changes no signed version.
"""

from collections.abc import Iterator
from datetime import date
from functools import cache

import holidays

from schema.nearest_words import suggestion

_LANGUAGE = "en_US"  # without it the names depend on the language of the server


@cache
def _regions() -> dict[str, list[str]]:
    return holidays.list_supported_countries(include_aliases=False)


def unknown_region(country: str, subdivision: str | None) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield what is wrong with a country or subdivision: which of the two, and a sentence without a full stop."""
    known = _regions()
    if country not in known:
        yield (
            ("country",),
            f"the holidays of '{country}' are not known. {suggestion(country, known, 'countries')}".rstrip("."),
        )
    elif subdivision is not None and subdivision not in known[country]:
        parts = suggestion(subdivision, known[country], f"parts of {country}")
        yield (
            ("subdivision",),
            f"'{subdivision}' is not a part of {country} with holidays of its own. {parts}".rstrip("."),
        )


def holidays_of(country: str, subdivision: str | None, year: int) -> dict[date, str]:
    """Look up the public holidays of a year, by date, with their English names where the library has them.

    Errors: ValueError for a country or subdivision that the library does not know.
    """
    try:
        found = holidays.country_holidays(country, subdiv=subdivision, years=[year], language=_LANGUAGE)
    except NotImplementedError as error:
        raise ValueError(f"the holidays of {country} {subdivision or ''} are not known") from error
    return {day: found[day] for day in sorted(found) if day.year == year}
