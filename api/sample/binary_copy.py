"""PostgreSQL's binary COPY format: how each type of column is sent.

A field is its length in four bytes and then its value, big-endian; a row is led by the number of its fields. See
"COPY, Binary Format" in PostgreSQL's documentation, and the `…_recv` functions of its types.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

Encode = Callable[..., bytes]

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)
_LENGTHS = tuple(struct.pack(">i", length) for length in range(256))
_LENGTH = struct.Struct(">i").pack
_EIGHT_BYTES, _FOUR_BYTES = struct.Struct(">iq").pack, struct.Struct(">ii").pack
_YES, _NO = struct.pack(">i?", 1, True), struct.pack(">i?", 1, False)
_ID_LENGTH = _LENGTHS[16]
# PostgreSQL counts from the first second, and the first day, of 2000.
_EPOCH_SECONDS, _EPOCH_DAY = 946_684_800, date(2000, 1, 1).toordinal()
_NEGATIVE = 0x4000


def row_head(fields: int) -> bytes:
    """What a row of so many fields begins with."""
    return struct.pack(">h", fields)


def _id(value: bytes) -> bytes:
    return _ID_LENGTH + value


def _text(value: str) -> bytes:
    sent = value.encode()
    return (_LENGTHS[len(sent)] if len(sent) < 256 else _LENGTH(len(sent))) + sent


def _instant(seconds: int) -> bytes:
    return _EIGHT_BYTES(8, (seconds - _EPOCH_SECONDS) * 1_000_000)


def _day(value: date) -> bytes:
    return _FOUR_BYTES(4, value.toordinal() - _EPOCH_DAY)


def _whole(value: int) -> bytes:
    return _FOUR_BYTES(4, value)


def _flag(value: bool) -> bytes:
    return _YES if value else _NO


def _number(value: Decimal) -> bytes:
    """A decimal number: digits to the base of 10,000, and how many of them stand before the point."""
    whole, _, part = f"{abs(value):f}".partition(".")
    before, behind = -(-len(whole) // 4), -(-len(part) // 4)
    figures = whole.zfill(before * 4) + part.ljust(behind * 4, "0")
    digits = [int(figures[at : at + 4]) for at in range(0, len(figures), 4)]
    sign = _NEGATIVE if value < 0 else 0
    sent = struct.pack(f">hhHh{len(digits)}h", len(digits), before - 1, sign, len(part), *digits)
    return _LENGTHS[len(sent)] + sent


_BY_TYPE: Mapping[type[object], Encode] = {
    sa.Uuid: _id,
    sa.Text: _text,
    sa.DateTime: _instant,
    sa.Date: _day,
    sa.Integer: _whole,
    sa.Numeric: _number,
    sa.Boolean: _flag,
}


def encoder(column: "sa.Column[object]") -> Encode:
    """How the values of a column are sent. KeyError for a type that the sample has no column of."""
    return _BY_TYPE[type(column.type)]
