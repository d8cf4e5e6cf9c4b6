"""The number of deals closed, of deals opened, and of new customers."""

from abc import ABC
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from api.metrics.answer import AnswerWarning
from api.metrics.columns import Aggregates, count_where
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_kind import ClosingKind, OpeningKind
from api.metrics.deal_kinds.deal_rows import (
    IS_NEGATIVE,
    NEWEST_UPDATE,
    closing_rows,
    first_wins,
    unopened_deals,
)
from api.metrics.deal_kinds.openings import NOT_IN_PERIOD, opening_rows
from api.metrics.figure_table import FigureCell, FigureTable
from api.metrics.kinds.kind import FigureValues, KpiKind, count_figure
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.kpis.measures.deals import Closings, Openings


class _DealCount(KpiKind, ABC):
    """What counts of deals share."""

    def figure(self, cell: FigureCell) -> FigureValues:
        """The number of deals."""
        return count_figure(cell)

    def empty_reason(self, request: ResolvedKpiRequest) -> str | None:
        """None: no deals count as 0."""
        return None


@dataclass(frozen=True, slots=True)
class ClosingCount(_DealCount, ClosingKind):
    """Deals closed in the period with one of the outcomes.

    Shapes: one row per deal.
    Source: the deals, and their history for a past `asOf`.
    """

    of: Closings

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The closings: `deal_id, at, updated_at`."""
        return CountedRows(
            rows=closing_rows(request, self.of),
            aggregates=Aggregates(updated_at=NEWEST_UPDATE),
            is_negative=IS_NEGATIVE,
        )


@dataclass(frozen=True, slots=True)
class FirstWinCount(_DealCount, ClosingKind):
    """Customers whose first deal was won in the period.

    Shapes: one row per customer, named by that deal.
    Source: the deals, their companies and contacts, and their history for a past `asOf`.
    """

    reads = ("deal", "deal_contact", "contact")

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The first wins: `deal_id, at, updated_at`."""
        return CountedRows(
            rows=first_wins(request), aggregates=Aggregates(updated_at=NEWEST_UPDATE), is_negative=IS_NEGATIVE
        )


@dataclass(frozen=True, slots=True)
class OpeningCount(_DealCount, OpeningKind):
    """Deals opened in the period.

    Shapes: one row per deal; those without a known opening are counted in a warning.
    Source: the deals, and their history where their pipeline matters.
    """

    of: Openings

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The openings: `deal_id, at, updated_at, is_unopened`."""
        is_dated = Sql("not c.is_unopened")
        return CountedRows(
            rows=opening_rows(request, self.of, has_amounts=False),
            aggregates=Aggregates(
                n=count_where(is_dated), unopened=count_where(Sql("c.is_unopened")), updated_at=NEWEST_UPDATE
            ),
            is_base=is_dated,
        )

    def warnings(self, request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
        """UNDATED."""
        return unopened_deals(table, NOT_IN_PERIOD)
