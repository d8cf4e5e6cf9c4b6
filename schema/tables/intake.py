"""The origin of records: their keys in other systems, and the imports that created them."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Record, Table, column


class ExternalKey(Table, table=True):
    """The key of a record in another system."""

    __tablename__ = "external_key"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (sa.Index(None, "record_id"),)

    entity: str = column("The name of the record's table.", primary_key=True)
    source: str = column("The name of the other system.", primary_key=True)
    external_id: str = column("The record's key in that system.", primary_key=True)
    record_id: UUID = column("The id of the record in Accord.")


class ImportJob(Record, table=True):
    """One finished import, or one generation of the sample company."""

    __tablename__ = "import_job"
    __is_hidden__: ClassVar[bool] = True

    preset: str = column("The name of the import preset, such as olist; `sample` for the sample company.")
    origin: str = column("The folder or file that was read; for the sample company, its options.")
    source: str | None = column("The system whose keys the import brought; null for the sample company.")
    columns: dict[str, Any] | None = column("The columns of every file that was read, by its name.", json=True)
    started_at: datetime = column("When the import started.")
    finished_at: datetime = column("When the import ended.")
    counts: dict[str, Any] = column("The numbers of rows read, stored, unchanged and rejected.", json=True)
