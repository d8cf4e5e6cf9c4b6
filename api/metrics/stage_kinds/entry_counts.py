"""The number of entries into a stage, or into any stage."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows, SumUnit
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.kind import FigureValues, KpiKind, count_figure
from api.metrics.kinds.stage_entries import RANK_TIE, counted_entries, first_entry
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.vocab import Reentry


@dataclass(frozen=True, slots=True)
class EntryCount(KpiKind):
    """Entries of people into one stage in the period, or with None into any stage.

    Shapes: one row per counted entry.
    Source: the stage entries of the current evaluation.
    """

    stage: str | None

    def stages(self, known: tuple[str, ...]) -> tuple[str, ...]:
        """The one stage, or all of them."""
        return known if self.stage is None else (self.stage,)

    def reads_journeys(self, request: ResolvedKpiRequest) -> bool:
        """Journeys have first entries."""
        return request.reentry is Reentry.FIRST

    def summed(self, request: ResolvedKpiRequest) -> SummedRows:
        """The days of the entries."""
        return SummedRows(SumUnit.DAY, "journey", request.stages)

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first entry into one of the stages."""
        return first_entry(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The entries: `contact_id, at, is_implied, stage, rank`."""
        return CountedRows(
            rows=counted_entries(request, request.stages),
            aggregates=Aggregates(implied=count_where(Sql("c.is_implied"))),
            tie=RANK_TIE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The number of entries."""
        return count_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no entries count as 0."""
        return None
