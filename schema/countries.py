"""Countries: ISO 3166-1 alpha-2 codes, and the names that lead to them.

Source: pycountry for the codes and English names, Babel (Unicode CLDR) for the names in other languages.
"""

import unicodedata
from collections import Counter
from functools import cache

import pycountry
from babel import Locale

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl")
KOSOVO = "XK"  # no ISO code of its own: CLDR, the EU and the CRMs use this user-assigned one

# Common names that neither ISO nor CLDR lists.
_EVERYDAY = {
    "uk": "GB",
    "great britain": "GB",
    "england": "GB",
    "scotland": "GB",
    "wales": "GB",
    "northern ireland": "GB",
    "usa": "US",
    "united states of america": "US",
    "holland": "NL",
    "the netherlands": "NL",
    "czech republic": "CZ",
    "south korea": "KR",
    "north korea": "KP",
    "russia": "RU",
    "ivory coast": "CI",
    "cape verde": "CV",
    "swaziland": "SZ",
    "burma": "MM",
    "macedonia": "MK",
    "turkey": "TR",
    "hong kong": "HK",
    "macau": "MO",
    "palestine": "PS",
    "vatican": "VA",
    "kosovo": KOSOVO,
}


@cache
def country_codes() -> frozenset[str]:
    """Every alpha-2 code that a country column holds."""
    return frozenset(country.alpha_2 for country in pycountry.countries) | {KOSOVO}


@cache
def country_names() -> tuple[str, ...]:
    """The English names of all countries, in alphabetical order."""
    return tuple(sorted(name for _, name in _territories("en")))


def country_code(text: str) -> str | None:
    """The alpha-2 code of a country written as a code (alpha-2, alpha-3) or as a name; None if it is not recognised.

    Case, accents and punctuation do not matter: `Germany`, `DEU`, `de` and `allemagne` are all DE.
    """
    return _names().get(_folded(text))


@cache
def _names() -> dict[str, str]:
    """Names and codes in folded form. A name that means different countries in different languages is left out."""
    found = [(_folded(name), code) for language in LANGUAGES for code, name in _territories(language)]
    for country in pycountry.countries:
        names = (country.name, getattr(country, "official_name", None), getattr(country, "common_name", None))
        found += [(_folded(name), country.alpha_2) for name in names if name]
    meanings = Counter(name for name, _ in set(found))
    unambiguous = {name: code for name, code in found if meanings[name] == 1}
    codes: dict[str, str] = {code.lower(): code for code in country_codes()}
    codes |= {country.alpha_3.lower(): country.alpha_2 for country in pycountry.countries}
    return unambiguous | _EVERYDAY | codes


def _territories(language: str) -> list[tuple[str, str]]:
    """The countries with their names in a language; CLDR lists continents and the like beside them."""
    return [(code, name) for code, name in Locale(language).territories.items() if code in country_codes()]


def _folded(text: str) -> str:
    """Lower case, without accents and punctuation, single blanks."""
    letters = unicodedata.normalize("NFKD", text.casefold().replace(".", ""))
    kept = "".join(letter if letter.isalnum() else " " for letter in letters if not unicodedata.combining(letter))
    return " ".join(kept.replace(" and ", " ").split())
