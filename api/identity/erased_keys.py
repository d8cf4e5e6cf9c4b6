"""Keyed hashes of the addresses and external keys of people who were erased, so that nothing brings them back.

The secret is a row of the database: every process hashes alike, and a restored backup still recognises who was erased.
It keeps the hashes from being compared with lists of addresses by whoever sees the hashes alone.
"""

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from api.db import Session, WriteSession
from api.sql import Sql

_BLOCK = 64  # bytes, of SHA-256


@dataclass(frozen=True, slots=True)
class ErasureHash:
    """The keyed hash, in Python for single texts and in SQL for many."""

    secret: bytes

    def of(self, text: str) -> str:
        """Return the hash of a text of `address_text` or `key_text`."""
        return hmac.new(self.secret, text.encode(), hashlib.sha256).hexdigest()

    def sql(self, text: Sql) -> Sql:
        """Return the same of an SQL text: HMAC is two hashes with padded keys, and PostgreSQL has SHA-256."""
        padded = self.secret.ljust(_BLOCK, b"\0")
        inner, outer = (bytes(byte ^ pad for byte in padded) for pad in (0x36, 0x5C))
        return Sql(
            "encode(sha256({}::bytea || sha256({}::bytea || convert_to({}, 'UTF8'))), 'hex')", outer, inner, text
        )

    def is_erased(self, text: Sql) -> Sql:
        """Return the condition that a text belongs to somebody who was erased; false for null."""
        return Sql("exists (select from erased_key e where e.hash = {})", self.sql(text))


def address_text(email: str) -> str:
    """Return what is hashed of an e-mail address."""
    return f"email {email.strip().lower()}"


def key_text(source: str, external_id: str) -> str:
    """Return what is hashed of an external key."""
    return f"key {source} {external_id}"


def address_sql(email: Sql) -> Sql:
    """Return `address_text` in SQL; null for null."""
    return Sql("'email ' || lower(btrim({}))", email)


def key_sql(source: str, external_id: Sql) -> Sql:
    """Return `key_text` in SQL; null for null."""
    return Sql("{}::text || {}", f"key {source} ", external_id)


async def erasure_hash(session: Session) -> ErasureHash | None:
    """Return the hash of the database; None if nobody was erased."""
    secret = await session.value(Sql("select secret from erasure_secret"))
    return None if secret is None else ErasureHash(bytes.fromhex(secret))


async def keep_erased(session: WriteSession, texts: Iterable[str]) -> None:
    """Keep the hashes of texts of `address_text` and `key_text`. Writes erased_key; erasure_secret the first time."""
    await session.run(
        Sql("insert into erasure_secret (number, secret) values (1, {}) on conflict do nothing", secrets.token_hex(32))
    )
    hashed = await erasure_hash(session)
    if hashed is None:
        raise TypeError("the secret was inserted before")
    hashes = sorted({hashed.of(text) for text in texts})
    await session.run(Sql("insert into erased_key (hash) select unnest({}::text[]) on conflict do nothing", hashes))


async def erased_among(session: Session, texts: Sequence[str]) -> set[str]:
    """Return those of the texts that belong to somebody who was erased. One query while nobody was, else two."""
    hashed = await erasure_hash(session) if texts else None
    if hashed is None:
        return set()
    by_hash = {hashed.of(text): text for text in texts}
    rows = await session.rows(Sql("select hash from erased_key where hash = any({}::text[])", list(by_hash)))
    return {by_hash[row["hash"]] for row in rows}
