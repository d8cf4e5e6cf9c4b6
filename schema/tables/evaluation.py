"""What the evaluator derives from facts and the accord: evaluations and stage entries."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.accord_vocab import EntryCause, Reading
from schema.base import Table, column, link
from schema.records import Record
from schema.vocab import ExitKind

# The entry is the present stage of the person: the highest one that they are in.
_IS_PRESENT = sa.text("exited_at is null and present_at is not null")


class Evaluation(Record, table=True):
    """One run of the evaluator over all contacts.

    Readers see the current evaluation, which follows every write. Beside it, runs of other readings are kept as they
    were made, while they are asked for (`last_read_at`).
    """

    __is_hidden__: ClassVar[bool] = True
    __table_args__ = (
        sa.Index("uq_evaluation_current", "reading", unique=True, postgresql_where=sa.text("is_current")),
        sa.Index(
            "uq_evaluation_kept",
            *("reading", "accord_version_id", "known_at"),
            unique=True,
            postgresql_where=sa.text("last_read_at is not null"),
            postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("not is_current or reading = 'IN_FORCE' and known_at is null", name="current_is_in_force"),
        sa.CheckConstraint("not is_current or last_read_at is null", name="kept_is_not_current"),
    )

    reading: Reading = column("Which version of the accord the run applies to the history.", vocab=Reading)
    accord_version_id: UUID = link(
        "accord_version", "The version of the accord in force when the run started.", hidden=True
    )
    known_at: datetime | None = column(
        "Only facts recorded up to this instant count; null means all facts.", default=None
    )
    started_at: datetime = column("When the run started.")
    finished_at: datetime | None = column("When the run ended; null while it runs.", default=None)
    watermark: datetime | None = column(
        "When the most recent fact that the run used was recorded; null if there were no facts.", default=None
    )
    is_current: bool = column(
        "True for the evaluation that KPIs and stage fields read unless a request names another reading.",
        server_default="false",
        default=None,
    )
    has_journeys: bool = column(
        "Whether the run has journeys beside its entries, from which KPIs answer more quickly.",
        server_default="false",
        default=None,
    )
    accord_hash: str | None = column(
        "The content hash of that version when the run started; null for the evaluations that follow every write.",
        default=None,
    )
    basis: str | None = column(
        "A mark of the facts that the run read. While it is that of the facts now, nothing has changed since.",
        default=None,
    )
    entry_count: int | None = column("The number of entries of a run that is kept as it was made.", ge=0, default=None)
    last_read_at: datetime | None = column(
        "When a run that is kept as it was made was last asked for, to the minute; null for all others.", default=None
    )


class StageEntry(Table, table=True):
    """An entry of a person into a stage, computed from the facts by the accord's rules. Only the evaluator writes."""

    # The links have no foreign keys: three of them took three quarters of the time that storing a rebuild takes, and
    # locked every contact row meanwhile.
    __tablename__ = "stage_entry"
    __plural__: ClassVar[str] = "stage_entries"
    __table_args__ = (
        sa.Index(None, "evaluation_id", "stage", "entered_at"),
        # A person has one present stage at most. The first index finds it; the second one serves lists of people in a
        # stage, in the order of their ids; the third one serves lists that are sorted by the stage.
        sa.Index("uq_stage_entry_present", "contact_id", "evaluation_id", unique=True, postgresql_where=_IS_PRESENT),
        sa.Index("ix_stage_entry_present_stage", "evaluation_id", "stage", "contact_id", postgresql_where=_IS_PRESENT),
        sa.Index(
            "ix_stage_entry_present_rank",
            *("evaluation_id", "rank", "entered_at", "contact_id"),
            postgresql_where=_IS_PRESENT,
        ),
        sa.CheckConstraint("own_at >= entered_at", name="own_after_entered"),
        sa.CheckConstraint("exited_at >= entered_at", name="exited_after_entered"),
        sa.CheckConstraint("(exited_at is null) = (exit_kind is null)", name="exit_has_kind"),
        sa.CheckConstraint("present_at >= entered_at", name="present_after_entered"),
    )

    contact_id: UUID = link(
        "contact",
        "The person.",
        back="stageEntries",
        back_doc=(
            "The person's entries into the stages of the funnel. One without `exitedAt` is open; a person can have"
            " several of them, and the highest is their current stage."
        ),
        primary_key=True,
        index=False,
        is_derived=True,
    )
    evaluation_id: UUID = link(
        "evaluation",
        "The evaluation that computed the entry.",
        hidden=True,
        primary_key=True,
        index=False,
        is_derived=True,
    )
    stage: str = column("The key of the stage, as the accord defines it.", primary_key=True)
    occurrence: int = column(
        "The ordinal number of this entry among the person's entries into the stage, from 1.", ge=1, primary_key=True
    )
    rank: int = column(
        "The position of the stage, from 1 (lowest), in the version of the accord whose rules were applied.", ge=1
    )
    entered_at: datetime = column("When the person entered the stage.", begins=True)
    own_at: datetime | None = column(
        "When the stage's own rule was first fulfilled; null if the person skipped the stage.",
        known_by="own_at",
        default=None,
    )
    exited_at: datetime | None = column(
        "When the entry ended; null while the person is in the stage.", known_by="exited_at", default=None
    )
    exit_kind: ExitKind | None = column("How the entry ended.", vocab=ExitKind, known_by="exited_at", default=None)
    present_at: datetime | None = column(
        "Since when the stage is the highest one that the person is in, until the exit; null if it never was.",
        known_by="present_at",
        hidden=True,
        default=None,
    )
    accord_version_id: UUID = link(
        "accord_version",
        "The version of the accord whose rules were applied. In the reading `IN_FORCE`, it was in force when the person"
        " entered the stage.",
        hidden=True,
        index=False,
        is_derived=True,
    )
    cause: EntryCause = column(
        "Why the person entered the stage at that instant.", vocab=EntryCause, server_default="'FACTS'", default=None
    )
    is_implied: bool = column(
        "True if the person counts as entered because a higher stage was entered first, not by the stage's own rule."
    )
