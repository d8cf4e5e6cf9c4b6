"""Pipelines and their stages, which deals move through."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.access.rights import Permission
from schema.base import column, link
from schema.records import DeactivatableRecord
from schema.vocab import StageCategory, Unit


class Pipeline(DeactivatableRecord, table=True):
    """A sequence of stages that deals move through from opening to close."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP

    name: str = column("The name of the pipeline.", unique=True)
    is_new_business: bool = column(
        "True if the deals are new business, which KPIs count as opportunities; false for renewals or expansions.",
        server_default="true",
        default=None,
    )


class PipelineStage(DeactivatableRecord, table=True):
    """A stage of a pipeline, for deals. The stages of the funnel, for people, are defined by the accord."""

    __edit_permission__: ClassVar[Permission | None] = Permission.EDIT_SETUP
    __tablename__ = "pipeline_stage"
    __plural__: ClassVar[str] = "pipeline_stages"
    __table_args__ = (sa.UniqueConstraint("pipeline_id", "name"),)

    pipeline_id: UUID = link(
        "pipeline",
        "The pipeline that the stage belongs to.",
        back="stages",
        back_doc="The stages of the pipeline.",
        index=False,
    )
    name: str = column("The name of the stage.")
    rank: int = column("The position of the stage in the pipeline, from 1 (first).", ge=1)
    probability: Decimal | None = column(
        "The probability, from 0 to 1, that a deal in this stage is won.",
        unit=Unit.RATIO,
        numeric=(5, 4),
        ge=0,
        le=1,
        default=None,
    )
    category: StageCategory = column("Whether deals in this stage are open, won or lost.", vocab=StageCategory)
