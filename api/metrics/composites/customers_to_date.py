"""The customers won by the end of the period, or of each bucket."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from api.metrics.columns import StatementRow
from api.metrics.counted_rows import CountedRows
from api.metrics.deal_kinds.deal_counts import FirstWinCount
from api.metrics.figure_table import ALL, CellAddress, FigureCell, FigureTable, Keys, tabulate
from api.metrics.periods.period_days import Interval
from api.metrics.resolved_request import ResolvedKpiRequest


@dataclass(frozen=True, slots=True)
class CustomersToDate(FirstWinCount):
    """Customers whose first deal was won in the period or before it. No customer counts as lost: nothing records that.

    Shapes: one row per customer, named by that deal, in the bucket in which it was won.
    Source: the deals, their companies and contacts, and their history for a past `asOf`.
    """

    def counted(self, request: ResolvedKpiRequest, boundaries: tuple[datetime, ...] = ()) -> CountedRows:
        """The first wins: `deal_id, at, updated_at`."""
        if not request.frame.has_begun:  # a period to come has no customers, as it has no revenue
            return FirstWinCount.counted(self, request, boundaries)
        until = Interval(None, request.frame.interval.end)
        return FirstWinCount.counted(self, replace(request, frame=replace(request.frame, interval=until)), boundaries)

    def tabulated(self, rows: Sequence[StatementRow], last_bucket: int | None) -> FigureTable:
        """The table in which every bucket has the customers of those before it too."""
        table = tabulate(rows)
        if last_bucket is None:
            return table
        cells: dict[CellAddress, FigureCell] = {}
        groups: tuple[Keys | Literal["all"], ...] = (ALL, *table.keys)
        for keys in groups:
            reached = table.cells.get((keys, 0), FigureCell())
            for bucket in range(1, last_bucket + 1):
                reached = _together(reached, table.cells.get((keys, bucket), FigureCell()))
                cells[keys, bucket] = reached
            cells[keys, ALL] = reached
        return replace(table, cells=cells)


def _together(one: FigureCell, other: FigureCell) -> FigureCell:
    watermarks = [cell.updated_at for cell in (one, other) if cell.updated_at is not None]
    return FigureCell(
        n=one.n + other.n,
        undated=one.undated + other.undated,
        assumed=one.assumed + other.assumed,
        updated_at=max(watermarks, default=None),
    )
