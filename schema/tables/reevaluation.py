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


class TouchedContact(Table, table=True):
    """A contact whose facts changed while all contacts were evaluated; the evaluation ends with these contacts."""

    __tablename__ = "touched_contact"
    __is_hidden__: ClassVar[bool] = True

    contact_id: UUID = link("contact", "The person.", primary_key=True, index=False, is_derived=True)
    touched_at: datetime = column(
        "When its entries were evaluated again.", primary_key=True, server_default="clock_timestamp()", default=None
    )
