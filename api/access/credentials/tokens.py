"""Tokens of API keys: how they are written, made and checked, without a database.

`accord_<id>_<secret><checksum>`: the public id of the key (16 characters), 256 random bits (43 characters), and a
CRC-32 of all that is before it (6 characters), all in base 62. The start and the checksum let secret scanners find
tokens without false alarms, and let a mistyped one be refused without a look-up.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass, field

TOKEN_START = "accord_"  # noqa: S105 - what every token starts with
_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_ID_LENGTH, _SECRET_LENGTH, _CHECKSUM_LENGTH = 16, 43, 6
_SECRET_BITS = 256
_TOKEN = re.compile(
    rf"{TOKEN_START}([0-9A-Za-z]{{{_ID_LENGTH}}})_([0-9A-Za-z]{{{_SECRET_LENGTH}}})([0-9A-Za-z]{{{_CHECKSUM_LENGTH}}})"
)


@dataclass(frozen=True, slots=True)
class Token:
    """A token of an API key: its public id, and its secret, which `repr` leaves out."""

    key_id: str
    secret: str = field(repr=False)

    @property
    def text(self) -> str:
        """The whole token, with its checksum. It is shown once, when it is made."""
        return f"{TOKEN_START}{self.key_id}_{self.secret}{_checksum(self.key_id, self.secret)}"

    @property
    def secret_hash(self) -> str:
        """The SHA-256 of the secret, in hexadecimal: what the database stores. 256 random bits need no slower hash."""
        return hashlib.sha256(self.secret.encode()).hexdigest()

    def matches(self, secret_hash: str) -> bool:
        """Return whether a stored hash is that of the secret, in a time that does not depend on where they differ."""
        return hmac.compare_digest(self.secret_hash, secret_hash)


def make_token() -> Token:
    """Make the token of a new API key."""
    key_id = "".join(secrets.choice(_DIGITS) for _ in range(_ID_LENGTH))
    return Token(key_id, _base62(secrets.randbits(_SECRET_BITS), _SECRET_LENGTH))


def derived_token(text: str) -> Token:
    """Return a token that follows from a text: whoever knows the text knows the token."""
    key_id, secret = (hashlib.sha256(f"{part} {text}".encode()).digest() for part in ("id", "secret"))
    shown = _base62(int.from_bytes(key_id), _SECRET_LENGTH)[-_ID_LENGTH:]
    return Token(shown, _base62(int.from_bytes(secret), _SECRET_LENGTH))


def parse_token(text: str) -> Token | None:
    """Return the token that a text is; None if its form or its checksum is wrong."""
    found = _TOKEN.fullmatch(text)
    if found is None or found[3] != _checksum(found[1], found[2]):
        return None
    return Token(found[1], found[2])


def _checksum(key_id: str, secret: str) -> str:
    return _base62(zlib.crc32(f"{TOKEN_START}{key_id}_{secret}".encode()), _CHECKSUM_LENGTH)


def _base62(number: int, length: int) -> str:
    """Return a number in base 62, with leading zeros up to a length."""
    digits = []
    while number:
        number, digit = divmod(number, len(_DIGITS))
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits)).rjust(length, _DIGITS[0])
