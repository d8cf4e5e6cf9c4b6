"""The share of closed deals, or of their amounts, that closed with some of the outcomes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.amount_shares import amount_share, portion, unfit_to_divide
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_kind import ClosingKind
from api.metrics.deal_kinds.deal_rows import (
    IS_NEGATIVE,
    NEWEST_UPDATE,
    closing_amounts,
    closing_rows,
    unknown_amounts,
)
from api.metrics.figure_table import FigureCell, FigureTable
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


@dataclass(frozen=True, slots=True)
class ClosingAmountShare(ClosingKind):
    """The amounts of the deals closed in the period with an outcome of the part, divided by those of the whole.

    Shapes: one row per deal; n counts those with a known amount.
    Units:  the reporting currency; unconverted amounts are in neither numerator nor denominator.
    Source: the deals, their history, and the exchange rates.
    """

    part: Closings
    whole: Closings
    divides_amounts = True

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings without negative amounts: `deal_id, at, outcome, worth, unconverted_currency`."""
        is_part = Sql("c.outcome = any ({}::text[])", [outcome.value for outcome in self.part.outcomes])
        counted = counted_amounts(converted(request, closing_amounts(request, self.whole, has_refunds=False)))
        return replace(
            counted,
            aggregates=replace(counted.aggregates, portions=portion(is_part)),
            is_converted=Sql("{} and c.worth is not null", is_part),
            is_negative=IS_NEGATIVE,
        )

    def figure(self, cell: FigureCell) -> FigureValues:
        """The amounts of the part divided by those of the whole."""
        return amount_share(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No amount is known."""
        return "No deal closed in the period has a known amount, so there is nothing to divide by."

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """ZERO_DENOMINATOR, UNKNOWN_AMOUNT, MISSING_RATE."""
        yield from unfit_to_divide(table, "deals closed in the period")
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)
