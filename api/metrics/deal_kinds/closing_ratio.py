"""The share of closed deals that closed with some of the outcomes."""

from dataclasses import dataclass
from datetime import datetime

from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_kind import ClosingKind
from api.metrics.deal_kinds.deal_rows import IS_NEGATIVE, NEWEST_UPDATE, closing_rows
from api.metrics.figure_table import FigureCell
from api.metrics.kinds.kind import FigureValues, share_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.measures.deals import Closings


@dataclass(frozen=True, slots=True)
class ClosingShare(ClosingKind):
    """Deals closed in the period with an outcome of the part, divided by those with an outcome of the whole.

    Shapes: one row per deal.
    Source: the deals, and their history for a past `asOf`.
    """

    part: Closings
    whole: Closings

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings: `deal_id, at, outcome, updated_at`."""
        is_part = Sql("c.outcome = any ({}::text[])", [outcome.value for outcome in self.part.outcomes])
        return CountedRows(
            rows=closing_rows(request, self.whole),
            aggregates=Aggregates(numerator=count_where(is_part), updated_at=NEWEST_UPDATE),
            is_converted=is_part,
            is_negative=IS_NEGATIVE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The part divided by the whole."""
        return share_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No deal was closed."""
        return "No deal was closed in the period, so there is nothing to divide by."
