"""The encoding of PostgreSQL's binary COPY format, by column type.

A field is its length in four bytes and then its value, big-endian; a row starts with the number of its fields. See
"COPY, Binary Format" in PostgreSQL's documentation, and the `…_recv` functions of its types.
"""

import struct
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal

import sqlalchemy as sa

Encoder = Callable[..., bytes]

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
TRAILER = struct.pack(">h", -1)
NULL = struct.pack(">i", -1)
_LENGTHS = tuple(struct.pack(">i", length) for length in range(256))
_LENGTH = struct.Struct(">i").pack
_EIGHT_BYTES, _FOUR_BYTES = struct.Struct(">iq").pack, struct.Struct(">ii").pack
_TRUE, _FALSE = struct.pack(">i?", 1, True), struct.pack(">i?", 1, False)
_ID_LENGTH = _LENGTHS[16]
# PostgreSQL counts instants and days from 1 January 2000.
_EPOCH_SECONDS, _EPOCH_DAY = 946_684_800, date(2000, 1, 1).toordinal()
_NEGATIVE = 0x4000


def row_header(fields: int) -> bytes:
    """Return the start of a row with this number of fields."""
    return struct.pack(">h", fields)


def _uuid(value: bytes) -> bytes:
    return _ID_LENGTH + value


def _text(value: str) -> bytes:
    encoded = value.encode()
    return (_LENGTHS[len(encoded)] if len(encoded) < 256 else _LENGTH(len(encoded))) + encoded


def _instant(seconds: int) -> bytes:
    return _EIGHT_BYTES(8, (seconds - _EPOCH_SECONDS) * 1_000_000)


def _date(value: date) -> bytes:
    return _FOUR_BYTES(4, value.toordinal() - _EPOCH_DAY)


def _integer(value: int) -> bytes:
    return _FOUR_BYTES(4, value)


def _boolean(value: bool) -> bytes:
    return _TRUE if value else _FALSE


def _numeric(value: Decimal) -> bytes:
    """Encode a number as base-10,000 digits, the weight of the first digit, the sign and the decimal places."""
    whole, _, fraction = f"{abs(value):f}".partition(".")
    whole_digits, fraction_digits = -(-len(whole) // 4), -(-len(fraction) // 4)
    figures = whole.zfill(whole_digits * 4) + fraction.ljust(fraction_digits * 4, "0")
    digits = [int(figures[at : at + 4]) for at in range(0, len(figures), 4)]
    sign = _NEGATIVE if value < 0 else 0
    encoded = struct.pack(f">hhHh{len(digits)}h", len(digits), whole_digits - 1, sign, len(fraction), *digits)
    return _LENGTHS[len(encoded)] + encoded


_BY_TYPE: Mapping[type[object], Encoder] = {
    sa.Uuid: _uuid,
    sa.Text: _text,
    sa.DateTime: _instant,
    sa.Date: _date,
    sa.Integer: _integer,
    sa.Numeric: _numeric,
    sa.Boolean: _boolean,
}


def encoder(column: "sa.Column[object]") -> Encoder:
    """Return the encoder of a column's values. KeyError for a type that no column of the sample has."""
    return _BY_TYPE[type(column.type)]
