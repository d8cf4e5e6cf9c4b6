"""The versions of the accord, and what was derived from them: evaluations and stage entries."""

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Record, Table, column, link
from schema.vocab import AccordStatus, ExitKind, Reading


class AccordVersion(Record, table=True):
    """One version of the accord: its content and where it stands in its life. Shown by the field `accord`."""

    __tablename__ = "accord_version"
    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index("uq_accord_version_active", "status", unique=True, postgresql_where=sa.text("status = 'ACTIVE'")),
        sa.CheckConstraint("in_force_until > in_force_from", name="in_force_some_time"),
    )

    number: int = column("The version's number, from 1.", ge=1, unique=True)
    status: AccordStatus = column("Where it stands in its life.", vocab=AccordStatus)
    body: dict[str, Any] = column("The document (canonical JSON).", json=True)
    content_hash: str = column("SHA-256 of the canonical JSON, in hex; signatures name it.")
    in_force_from: datetime | None = column(
        "Since when it is in force; null means from the beginning of time.", default=None
    )
    in_force_until: datetime | None = column("Until when it was in force.", default=None)
    signed_at: datetime | None = column(
        "When the second of the two teams signed the present content; null while provisional.", default=None
    )


class Evaluation(Record, table=True):
    """One run of the evaluator over everybody."""

    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index("uq_evaluation_current", "reading", unique=True, postgresql_where=sa.text("is_current")),
    )

    reading: Reading = column("By which version history is judged.", vocab=Reading)
    accord_version_id: UUID = link("accord_version", "The version in force when it ran.", hidden=True)
    known_at: datetime | None = column("Only what was recorded up to then counts; null means everything.", default=None)
    started_at: datetime = column("When it began.")
    finished_at: datetime | None = column("When it ended.", default=None)
    watermark: datetime | None = column("When the last fact it saw was recorded; null if there was none.", default=None)
    is_current: bool = column("The one that answers.", server_default="false", default=None)


class StageEntry(Table, table=True):
    """A person's entry into a stage, derived from the facts by the accord; the evaluator alone writes it."""

    # Its links are derived: three foreign keys took three quarters of the time of storing a rebuild, and locked every
    # contact for it.
    __tablename__ = "stage_entry"
    __plural__: ClassVar[str] = "stage_entries"
    __table_args__ = (
        sa.Index(None, "evaluation_id", "stage", "entered_at"),
        sa.CheckConstraint("own_at >= entered_at", name="own_after_entered"),
        sa.CheckConstraint("exited_at >= entered_at", name="exited_after_entered"),
        sa.CheckConstraint("(exited_at is null) = (exit_kind is null)", name="exit_has_kind"),
    )

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="stageEntries",
        back_doc="The person's way through the funnel.",
        primary_key=True,
        index=False,
        is_derived=True,
    )
    evaluation_id: UUID = link(
        "evaluation", "The evaluation it belongs to.", hidden=True, primary_key=True, index=False, is_derived=True
    )
    stage: str = column("The key of the stage in the accord.", primary_key=True)
    occurrence: int = column("The how many-th entry of the person into the stage, from 1.", ge=1, primary_key=True)
    rank: int = column("The stage's place on the ladder, from 1.", ge=1)
    entered_at: datetime = column("When the stage was entered.", begins=True)
    own_at: datetime | None = column(
        "When the stage's own rule held; null if it was only skipped past.", known_by="own_at", default=None
    )
    exited_at: datetime | None = column(
        "When the entry ended; null while the person is in the stage.", known_by="exited_at", default=None
    )
    exit_kind: ExitKind | None = column("How the entry ended.", vocab=ExitKind, known_by="exited_at", default=None)
    accord_version_id: UUID = link(
        "accord_version", "The version that judged it.", hidden=True, index=False, is_derived=True
    )
    is_implied: bool = column("Entered because a higher stage was, not by its own rule.")
