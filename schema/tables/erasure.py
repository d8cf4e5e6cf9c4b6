"""What remains of people who were erased: keyed hashes, by which later imports recognise and skip them."""

from datetime import datetime
from typing import ClassVar

import sqlalchemy as sa

from schema.base import Table, column


class ErasedKey(Table, table=True):
    """An e-mail address or external key of a person who was erased, as a keyed hash that cannot be read back."""

    __tablename__ = "erased_key"
    __is_hidden__: ClassVar[bool] = True

    hash: str = column("HMAC-SHA-256 of the address or key, in hexadecimal.", primary_key=True)
    erased_at: datetime = column("When the person was erased.", server_default="now()", default=None)


class ErasureSecret(Table, table=True):
    """The secret of the hashes: without it, nobody can try addresses against them. At most one row."""

    __tablename__ = "erasure_secret"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (sa.CheckConstraint("number = 1", name="single"),)

    number: int = column("Always 1.", primary_key=True)
    secret: str = column("256 random bits, in hexadecimal.")
