"""A pipeline, and the stages a deal passes in it."""

from decimal import Decimal
from typing import ClassVar
from uuid import UUID

import sqlalchemy as sa

from schema.base import Record, column, link
from schema.vocab import StageCategory, Unit


class Pipeline(Record, table=True):
    """A way that deals take from opening to close."""

    name: str = column("What the pipeline is called.", unique=True)


class PipelineStage(Record, table=True):
    """A stage of a pipeline. The stages of the funnel are others: they belong to the accord."""

    __tablename__ = "pipeline_stage"
    __plural__: ClassVar[str] = "pipeline_stages"
    __table_args__ = (sa.UniqueConstraint("pipeline_id", "name"),)

    pipeline_id: UUID = link("pipeline", "The pipeline.", back="stages", back_doc="Its stages.", index=False)
    name: str = column("What the stage is called.")
    rank: int = column("Its place in the pipeline, from 1.", ge=1)
    probability: Decimal | None = column(
        "The share of deals in it that are won in the end.", unit=Unit.RATIO, numeric=(5, 4), ge=0, le=1, default=None
    )
    category: StageCategory = column("Whether deals in it are open, won or lost.", vocab=StageCategory)
