"""The forms in which a file may write a date: named ones, such as `iso` and `epoch-ms`, and formats such as %d/%m/%Y.

`form_reader` returns the reader of a form. It gives an instant with the zone that the text has, or a naive one.
ValueError says why a text is not in the form, as the rest of a sentence.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from functools import cache, partial

from schema.instants import read_epoch, read_exported, read_serial

NAMED_FORMS: dict[str, Callable[[str], datetime]] = {
    "iso": read_exported,
    "epoch": partial(read_epoch, unit="epoch"),
    "epoch-ms": partial(read_epoch, unit="epoch-ms"),
    "epoch-us": partial(read_epoch, unit="epoch-us"),
    "excel": read_serial,
}
EPOCHS = frozenset(form for form in NAMED_FORMS if form.startswith("epoch"))

# The codes of strptime, with its patterns. Beyond it, %f takes digits that are then cut, %p takes `p.m.`, and %z takes
# UTC and GMT: strptime would read these with %Z, and lose that the zone is UTC.
_CODES = {
    "Y": r"(\d{4})",
    "m": "(1[0-2]|0[1-9]|[1-9])",
    "d": r"(3[01]|[12]\d|0[1-9]|[1-9]| [1-9])",
    "H": r"(2[0-3]|[01]\d|\d)",
    "I": "(1[0-2]|0[1-9]|[1-9])",
    "M": r"([0-5]\d|\d)",
    "S": r"([0-5]\d|\d)",
    "f": r"(\d{1,6})\d{0,6}",
    "p": r"([ap])\.?\s?m\.?",
    "z": r"(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)",
}
_FRACTION = re.compile(r"([.,]\d{6})\d+")
_UTC_NAME = re.compile(r"(?:UTC|GMT)$", re.IGNORECASE)


def form_reader(form: str) -> Callable[[str], datetime]:
    """Return the reader of a named form or of a format."""
    if form in NAMED_FORMS:
        return NAMED_FORMS[form]
    codes = re.findall(r"%(.)", form)
    is_simple = all(code in _CODES for code in codes) and len(set(codes)) == len(codes)
    return _pattern_reader(form, codes) if is_simple else partial(_read_strptime, form=form)


def has_zone(form: str) -> bool:
    """Whether every text in the form has a zone of its own."""
    return "%z" in form or form in EPOCHS


def _pattern_reader(form: str, codes: list[str]) -> Callable[[str], datetime]:
    """A reader of formats of numbers, which takes a quarter of the time of strptime and reads what strptime reads."""
    parts = re.split(r"(%.|\s+)", form)
    written = (
        _CODES[part[1]] if part.startswith("%") else r"\s+" if part.isspace() else re.escape(part) for part in parts
    )
    match = re.compile("".join(written), re.IGNORECASE).fullmatch
    places = {code: place for place, code in enumerate(codes)}
    fixed = [places.get(code) for code in "YmdHMS"]
    twelve, noon, fraction, zone = (places.get(code) for code in "Ipfz")

    def read(text: str) -> datetime:
        found = match(text)
        if found is None:
            raise ValueError(f"is not a date in the format {form}")
        cells = found.groups()
        year, month, day, hour, minute, second = (0 if place is None else int(cells[place]) for place in fixed)
        if twelve is not None:
            is_after_noon = noon is not None and cells[noon] in "pP"
            hour = int(cells[twelve]) % 12 + 12 * is_after_noon
        micro = 0 if fraction is None else int(cells[fraction].ljust(6, "0"))
        try:
            offset = None if zone is None else _offset(cells[zone])
            return datetime(year or 1900, month or 1, day or 1, hour, minute, second, micro, offset)
        except ValueError as error:
            raise ValueError(f"is not a date in the format {form}") from error

    return read


@cache
def _offset(text: str) -> timezone:
    """The offset that a text such as Z, UTC, +02 or -03:30 names. ValueError if it is a day or more."""
    if text.upper() in {"Z", "UTC", "GMT"}:
        return UTC
    minutes = int(text[1:3]) * 60 + int(text[3:].removeprefix(":") or 0)
    return timezone(timedelta(minutes=-minutes if text.startswith("-") else minutes))


def _read_strptime(text: str, form: str) -> datetime:
    cell = _FRACTION.sub(r"\1", text) if "%f" in form else text
    if form.endswith("%z"):
        cell = _UTC_NAME.sub("+0000", cell)
    try:
        return datetime.strptime(cell, form)  # noqa: DTZ007 - the caller adds the zone
    except ValueError as error:
        raise ValueError(f"is not a date in the format {form}") from error
