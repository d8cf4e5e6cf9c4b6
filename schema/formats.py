"""Formats of text columns: how a value is written, so that equal things have equal text.

A reader takes what a person or an export wrote and returns the one spelling that is stored. ValueError says why a text
is not of the format, as the rest of a sentence: `'N/A' is not an e-mail address (it has no @)`.
"""

import re
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from zoneinfo import available_timezones

import email_validator

from schema.countries import country_code

MOST_DIGITS = 15  # of a telephone number: ITU-T E.164
SOURCE_NAME = r"^[a-z][a-z0-9_]{0,39}$"  # of a source system, such as our_crm
FEWEST_DIGITS = 3  # emergency and short numbers

# The common spelling of an address. The validator accepts all of these, at 40 times the cost.
_PLAIN_ADDRESS = re.compile(
    r"[a-z0-9]+(?:[._%+-][a-z0-9]+)*@(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.){1,5}[a-z]{2,24}", re.ASCII
)
_SURELY_SHORT = 64  # characters: a part before the @ may have so many
_RESERVED = frozenset(email_validator.SPECIAL_USE_DOMAIN_NAMES)
_MARKED_ADDRESS = re.compile(r"(?:mailto:\s*)?(?:[^<>]*<\s*([^<>]+?)\s*>|(\S+))", re.IGNORECASE)
_EXPONENT = re.compile(r"[+-]?\d+(?:[.,]\d+)?e[+-]?\d+", re.IGNORECASE)
_EXTENSION = re.compile(r"(?:;ext=|[,;]?\s*(?:ext(?:ension)?\.?|x|#)\s*)(\d{1,6})$", re.IGNORECASE)
_PHONE = re.compile(r"\+?[\d\s().\-/\u00a0\u2010-\u2015]+")
# The common spelling of a number, in which only the marks between its digits have to go.
_PLAIN_PHONE = re.compile(r"\+?(?!\(?00)(?:\(\d{2,5}\)(?:[ \-./]?\d){4,10}|\d(?:[ \-./]?\d){4,14})", re.ASCII)
_PHONE_MARKS = str.maketrans("", "", " -./()")
_SCHEME = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_DOMAIN = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{1,62}", re.ASCII)


class Format(StrEnum):
    """How a text column is written."""

    EMAIL = "EMAIL"  # one address, lower case
    PHONE = "PHONE"  # digits, with a leading + and an extension where given: +493012345, +493012345x12
    COUNTRY = "COUNTRY"  # ISO 3166-1 alpha-2
    DOMAIN = "DOMAIN"  # an internet domain without www, lower case
    TIMEZONE = "TIMEZONE"  # an IANA name


def read_email(text: str) -> str:
    """One e-mail address, in lower case. ValueError if the text is not exactly one. No DNS is looked up.

    `Ada Byron <ada@acme.example>` and `mailto:ada@acme.example` are read as the address in them.
    """
    plain = text.lower()
    if len(plain) <= _SURELY_SHORT and _PLAIN_ADDRESS.fullmatch(plain) and plain.rpartition(".")[2] not in _RESERVED:
        return plain
    marked = _MARKED_ADDRESS.fullmatch(text.strip())
    address = (marked[1] or marked[2] if marked else text.strip()).lower()
    if address.count("@") > 1:
        raise ValueError("holds more than one e-mail address")
    if _PLAIN_ADDRESS.fullmatch(address) and _is_short(address) and address.rpartition(".")[2] not in _RESERVED:
        return address
    try:
        found = email_validator.validate_email(address, check_deliverability=False, strict=True)
    except email_validator.EmailNotValidError as error:
        reason = str(error).rstrip(".")
        raise ValueError(f"is not an e-mail address ({reason[:1].lower()}{reason[1:]})") from error
    return found.normalized.lower()


def _is_short(address: str) -> bool:
    return len(address) <= 254 and len(address.partition("@")[0]) <= 64


def read_phone(text: str) -> str:
    """A telephone number: its digits, a leading + (also for 00), and `x` before an extension. ValueError if it is none.

    The country is not guessed: `0171 234567` stays a national number.
    """
    if _PLAIN_PHONE.fullmatch(text):
        return text.translate(_PHONE_MARKS)
    number = text.strip().removeprefix("'").removeprefix("tel:").strip()
    if _EXPONENT.fullmatch(number):
        raise ValueError("is a number that a spreadsheet rounded, not a telephone number: format the column as text")
    extension = _EXTENSION.search(number)
    if extension:
        number = number[: extension.start()].strip()
    if not _PHONE.fullmatch(number):
        raise ValueError("is not a telephone number")
    digits = re.sub(r"\D", "", number.replace("(0)", "") if number.startswith(("+", "00")) else number)
    if not number.startswith("+") and digits.startswith("00"):
        number, digits = "+", digits[2:]
    if not FEWEST_DIGITS <= len(digits) <= MOST_DIGITS:
        raise ValueError(
            f"is not a telephone number: it has {len(digits)} digits, not {FEWEST_DIGITS} to {MOST_DIGITS}"
        )
    plus = "+" if number.startswith("+") else ""
    return f"{plus}{digits}x{extension[1]}" if extension else plus + digits


def read_country(text: str) -> str:
    """The ISO 3166-1 alpha-2 code of a country given by code or name. ValueError if it is not recognised."""
    code = country_code(text)
    if code is None:
        raise ValueError("is not a country: give the ISO 3166 code, such as DE, or its usual name")
    return code


def read_domain(text: str) -> str:
    """An internet domain, in lower case, without `www.`; of an address on the web, its domain. ValueError if none."""
    host = _SCHEME.sub("", text.strip(), count=1).partition("/")[0].partition("?")[0].partition("#")[0]
    host = host.rpartition("@")[2].partition(":")[0].lower().rstrip(".").removeprefix("www.")
    try:
        encoded = host if host.isascii() else host.encode("idna").decode()
    except UnicodeError as error:
        raise ValueError("is not an internet domain") from error
    if not _DOMAIN.fullmatch(encoded) or len(encoded) > 253:
        raise ValueError("is not an internet domain")
    return host


def read_timezone(text: str) -> str:
    """An IANA time zone in its own spelling, whatever the case. ValueError if there is no such zone."""
    zone = _timezones().get(text.strip().lower().replace(" ", "_"))
    if zone is None:
        raise ValueError("is not an IANA time zone, such as Europe/Berlin")
    return zone


@cache
def _timezones() -> dict[str, str]:
    return {zone.lower(): zone for zone in available_timezones()}


READERS: dict[Format, Callable[[str], str]] = {
    Format.EMAIL: read_email,
    Format.PHONE: read_phone,
    Format.COUNTRY: read_country,
    Format.DOMAIN: read_domain,
    Format.TIMEZONE: read_timezone,
}
