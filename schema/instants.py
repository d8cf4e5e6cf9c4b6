"""Instants as systems write them. Digits beyond the microsecond are cut, so that no instant moves past another.

ValueError says why a text is not an instant, as the rest of a sentence: `'2026-05-31' is not an instant: …`.
"""

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal

_RFC3339 = re.compile(
    r"(?P<day>\d{4}-\d{2}-\d{2})(?:[Tt ](?P<time>\d{2}:\d{2}(?::\d{2})?)(?P<fraction>\.\d+)?(?P<zone>.*))?", re.DOTALL
)
_OFFSET = re.compile(r"[Zz]|[+-]\d{2}:\d{2}")
# What warehouses and CRMs write: a T or a blank, 0 to 9 digits of a second; Z, UTC or an offset, perhaps after a blank.
# A spreadsheet that saved such a file again leaves out the first zero of an hour.
_EXPORTED = re.compile(
    r"(\d{4}-\d{2}-\d{2})(?:[T ](\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,12})?)?))?(?: ?(Z|UTC|GMT|[+-]\d{2}(?::?\d{2})?))?",
    re.IGNORECASE | re.ASCII,
)
_EPOCH = re.compile(r"\d{1,13}(?:\.\d{1,9})?", re.ASCII)
_SERIAL = re.compile(r"\d{1,7}(?:\.\d{1,18})?", re.ASCII)
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001 - a serial date has no zone; day 60 (29 February 1900) never was
_EXCEL_FIRST, _EXCEL_LAST = 61, 2_958_465
_SECONDS_OF = {"epoch": 1, "epoch-ms": 1000, "epoch-us": 1_000_000}


def read_rfc3339(text: str) -> datetime:
    """An instant by RFC 3339, with any number of digits after the second, in UTC."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise ValueError("is not an instant: write one like 2026-01-10T09:30:00Z (RFC 3339)")
    time, zone = found["time"], found["zone"]
    if time is None:
        raise ValueError(f"is a day, not an instant: add the time and the zone, as in {found['day']}T00:00:00Z")
    if len(time) == 5:
        raise ValueError(f"has no seconds: write {found['day']}T{time}:00Z")
    if not zone:
        raise ValueError("has no zone: add Z for UTC, or an offset such as +02:00")
    if not _OFFSET.fullmatch(zone):
        raise ValueError(f"has '{zone}' for a zone: write Z for UTC, or an offset such as +02:00 (RFC 3339)")
    fraction = (found["fraction"] or "")[:7]
    return _utc(f"{found['day']}T{time}{fraction}{zone.upper()}")


def read_exported(text: str) -> datetime:
    """An instant in the ISO form of any exporter; naive if the text has no zone. A day is read as its midnight."""
    found = _EXPORTED.fullmatch(text)
    if found is None:
        raise ValueError("is not a date in the format iso, such as 2026-01-10 or 2026-01-10 09:30:00 UTC")
    day, time, zone = found.groups()
    if time is None and zone is not None:
        raise ValueError("is a day with a zone, which is not an instant")
    zone = {"Z": "+00:00", "UTC": "+00:00", "GMT": "+00:00", None: ""}.get(zone and zone.upper(), zone)
    if time is None:
        time = "00:00"
    elif time[1] == ":":
        time = f"0{time}"
    return _parsed(f"{day}T{time}{zone}")


def read_epoch(text: str, unit: str = "epoch") -> datetime:
    """An instant as seconds (`epoch`), milliseconds (`epoch-ms`) or microseconds (`epoch-us`) since 1970 in UTC.

    Milliseconds read as seconds lie tens of thousands of years ahead, and seconds read as milliseconds in January 1970:
    both are refused.
    """
    if not _EPOCH.fullmatch(text) and not (unit == "epoch-us" and text.isascii() and text.isdecimal()):
        raise ValueError("is not a number of seconds since 1970")
    seconds = Decimal(text) / _SECONDS_OF[unit]
    if not 31_536_000 <= seconds <= 32_503_680_000:
        raise ValueError(f"is not between 1971 and 3000, read as '{unit}'")
    return datetime.fromtimestamp(int(seconds), UTC) + timedelta(microseconds=int(seconds % 1 * 1_000_000))


def read_serial(text: str) -> datetime:
    """A naive instant from Excel's days since 1900, to the millisecond that Excel keeps."""
    if not _SERIAL.fullmatch(text) or not _EXCEL_FIRST <= float(text) < _EXCEL_LAST + 1:
        raise ValueError("is not an Excel date: a number of days since 1900, such as 46032.395833")
    return _EXCEL_EPOCH + timedelta(milliseconds=round(Decimal(text) * 86_400_000))


def _utc(text: str) -> datetime:
    try:
        return _parsed(text).astimezone(UTC)
    except OverflowError as error:
        raise ValueError("is not a date of the calendar") from error


def _parsed(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError("is not a date of the calendar") from error
