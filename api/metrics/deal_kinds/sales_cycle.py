"""How long deals take from opening to closing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_kind import DealKind
from api.metrics.deal_kinds.deal_rows import IS_NEGATIVE, NEWEST_UPDATE, closing_rows, first_closing, unopened_deals
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, duration_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.measures.deals import Closings


@dataclass(frozen=True, slots=True)
class SalesCycle(DealKind):
    """The time from opening to closing of the deals closed in the period.

    Shapes: one row per deal; n counts those with an opening at or before the closing.
    Units:  seconds.
    Source: the deals, and their history for a past `asOf`.
    """

    of: Closings

    def first_instant(self, request: ResolvedKpiRequest) -> Sql:
        """The first closing."""
        return first_closing(request)

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings. An opening after the closing is a wrong date, and counts as unknown."""
        took = Sql("case when c.opened_at <= c.at then extract(epoch from c.at - c.opened_at)::double precision end")
        is_known = Sql("coalesce(c.opened_at <= c.at, false)")
        return CountedRows(
            rows=closing_rows(request, self.of),
            aggregates=Aggregates(
                n=count_where(is_known),
                unopened=count_where(Sql("not {}", is_known)),
                mean=Sql("avg({})", took),
                updated_at=NEWEST_UPDATE,
            ),
            is_base=is_known,
            value=Sql("extract(epoch from c.at - c.opened_at)"),
            is_negative=IS_NEGATIVE,
            spread=took,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The median and the distribution."""
        return duration_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No opening is known."""
        outcomes = " or ".join(outcome.value.lower() for outcome in self.of.outcomes)
        return f"No deal {outcomes} in the period has a known opening, so there is no duration."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        return unopened_deals(table, " before the closing and cannot be in the value")
