"""The stage that a source system says a person entered: a fact kept beside the accord's own judgement."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Table, column, link


class ReportedStage(Table, table=True):
    """A stage that a source system, or a person by hand, says a contact entered. The accord judges for itself."""

    __tablename__ = "reported_stage"
    __plural__: ClassVar[str] = "reported_stages"
    __table_args__ = (sa.Index(None, "contact_id", "entered_at"), sa.Index(None, "id"))

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="reportedStages",
        back_doc="The stages that source systems say the person entered.",
        primary_key=True,
        index=False,
    )
    id: UUID = column("The report's identity (UUIDv7, made by the application).", primary_key=True, default=None)
    recorded_at: datetime = column("When Accord was told.", server_default="now()", default=None)
    source: str = column("The system that says so.")
    source_stage: str = column("The stage in the source's words.")
    stage: str | None = column(
        "The key of the accord's stage that the preset maps it to; null if it maps to none.", default=None
    )
    entered_at: datetime | None = column(
        "When the person entered it, as the source says; unknown is null.", begins=True, default=None
    )
