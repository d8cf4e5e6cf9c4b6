"""Where records came from: the keys that other systems know them by, and the imports that brought them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Record, Table, column


class ExternalKey(Table, table=True):
    """The key by which another system knows a record."""

    __tablename__ = "external_key"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (sa.Index(None, "record_id"),)

    entity: str = column("The record's table.", primary_key=True)
    source: str = column("The other system.", primary_key=True)
    external_id: str = column("Its key for the record.", primary_key=True)
    record_id: UUID = column("Our record.")


class ImportJob(Record, table=True):
    """One finished import, or the making of the sample company."""

    __tablename__ = "import_job"
    __is_hidden__: ClassVar[bool] = True

    preset: str = column("The preset, such as olist, or sample.")
    origin: str = column("The folder or file it read, or how the sample was made.")
    started_at: datetime = column("When it began.")
    finished_at: datetime = column("When it ended.")
    counts: dict[str, Any] = column("Rows read, kept, unchanged and rejected.", json=True)
