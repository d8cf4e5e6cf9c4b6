"""Cursors of changes: positions that only this database can read.

A position counts the changes of all records. Whoever reads two of them, and follows only some records, learns how much
happens to the others. So a cursor is encrypted with a secret of the database, which every process reads, and no two
cursors are alike: neither their text nor whether it changed says anything.
"""

import base64
import binascii
import hashlib
import secrets
import struct

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV

_NONCE_BYTES = 16
_CONTENT = struct.Struct(">Q8s")  # the position, and the digest of the owners


class ChangeCursors:
    """Writes and reads the cursors of one database. `secret` are 256 bits, in hexadecimal.

    A cursor also holds of which reach it is: a digest of a text that names the owners whose records are in reach.
    """

    def __init__(self, secret: str, owners: str) -> None:
        # Without a counter or state, any number of processes may write any number of cursors: SIV allows 2^48.
        self._cipher = AESSIV(bytes.fromhex(secret))
        self._owners = hashlib.sha256(owners.encode()).digest()[:8]

    def write(self, position: int) -> str:
        """Return a cursor of a position."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        content = _CONTENT.pack(position, self._owners)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(content, [nonce])).decode()

    def read(self, cursor: str) -> tuple[int, bool] | None:
        """Return the position of a cursor, and whether it is of the same owners; None if it is not of this database."""
        try:
            data = base64.b64decode(cursor.encode("ascii"), altchars=b"-_", validate=True)
            nonce = data[:_NONCE_BYTES]
            content = self._cipher.decrypt(data[_NONCE_BYTES:], [nonce])
            position, owners = _CONTENT.unpack(content)
        except (binascii.Error, UnicodeEncodeError, InvalidTag, ValueError, struct.error):
            return None
        return int(position), owners == self._owners
