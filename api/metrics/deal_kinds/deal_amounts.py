"""The amounts of deals closed or opened: their sum, and their average."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal

from api.metrics.answer import AnswerWarning
from api.metrics.counted_rows import CountedRows
from api.metrics.day_sums.summed_rows import SummedRows
from api.metrics.deal_kinds.currency_conversion import converted, counted_amounts, missing_rates
from api.metrics.deal_kinds.deal_kind import ClosingKind, OpeningKind
from api.metrics.deal_kinds.deal_rows import (
    IS_NEGATIVE,
    closing_amounts,
    unknown_amounts,
    unopened_deals,
)
from api.metrics.deal_kinds.openings import NOT_IN_PERIOD, opening_rows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, figure_values, sum_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.measures.deals import Closings, Openings


@dataclass(frozen=True, slots=True)
class ClosingSum(ClosingKind):
    """The sum of the amounts of the deals closed in the period, as they were at the closing.

    Shapes: one row per deal.
    Units:  the reporting currency; unconverted amounts by their own.
    Source: the deals, their history, and the exchange rates.
    """

    of: Closings

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings: `deal_id, at, worth, unconverted_currency`."""
        return counted_amounts(converted(request, closing_amounts(request, self.of, has_refunds=True)))

    def figure(self, cell: FigureCell) -> FigureValues:
        """The sum."""
        return sum_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no deals sum to 0."""
        return None

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNKNOWN_AMOUNT, MISSING_RATE."""
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)


@dataclass(frozen=True, slots=True)
class ClosingAverage(ClosingSum):
    """The sum of a `ClosingSum` divided by the number of known amounts, with the distribution of the amounts."""

    def summed(self, request: ResolvedKpiRequest) -> SummedRows | None:
        """None: percentiles do not add up."""
        return None

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The same rows without negative amounts, which are no wins; with percentiles."""
        rows = converted(request, closing_amounts(request, self.of, has_refunds=False))
        return replace(counted_amounts(rows), spread=Sql("c.worth::double precision"), is_negative=IS_NEGATIVE)

    def figure(self, cell: FigureCell) -> FigureValues:
        """The average and the distribution."""
        apart, total = cell.unconverted(is_average=True), cell.amounts.get(None)
        if total is None:
            return figure_values(cell, None, apart=apart)
        fraction = (total.amount, Decimal(total.n))
        return figure_values(cell, total.mean, fraction=fraction, distribution=total.distribution, apart=apart)

    def empty_reason(self, request: ResolvedKpiRequest) -> str:
        """No amount is known."""
        outcomes = " or ".join(outcome.value.lower() for outcome in self.of.outcomes)
        return f"No deal {outcomes} in the period has a known amount, so there is nothing to divide by."


@dataclass(frozen=True, slots=True)
class OpeningSum(OpeningKind):
    """The sum of the amounts of the deals opened in the period, as they were at the opening.

    Shapes: one row per deal; those without a known opening are counted in a warning.
    Units:  the reporting currency; unconverted amounts by their own.
    Source: the deals, their history, and the exchange rates.
    """

    of: Openings

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The openings: `deal_id, at, worth, unconverted_currency, is_unopened`."""
        rows = converted(request, opening_rows(request, self.of, has_amounts=True))
        return counted_amounts(rows, Sql("not c.is_unopened"), Sql("c.is_unopened"))

    def figure(self, cell: FigureCell) -> FigureValues:
        """The sum."""
        return sum_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no deals sum to 0."""
        return None

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED, UNKNOWN_AMOUNT, MISSING_RATE."""
        yield from unopened_deals(table, NOT_IN_PERIOD)
        yield from unknown_amounts(table)
        yield from missing_rates(request, table)
