"""What the evaluator keeps between two evaluations of a contact; nothing else writes it."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from schema.base import Table, column, link


class WakeUp(Table, table=True):
    """When a contact is to be evaluated again, because time alone may change its stage entries."""

    __tablename__ = "wake_up"
    __is_hidden__: ClassVar[bool] = True

    contact_id: UUID = link("contact", "The person.", primary_key=True, index=False, is_derived=True)
    due_at: datetime = column("The first instant at which the entries may change.", index=True)


class TouchedRecord(Table, table=True):
    """A record that changed while a job evaluated contacts; the job ends with the contacts whom it concerns."""

    __tablename__ = "touched_record"
    __is_hidden__: ClassVar[bool] = True

    record_type: str = column("The name of the record's table.", primary_key=True)
    record_id: UUID = column("The id of the record.", primary_key=True)
    touched_at: datetime = column(
        "When its writer evaluated the contacts.", primary_key=True, server_default="clock_timestamp()", default=None
    )
