"""Shares of decisions by reject reason: every reason is divided by all decisions, not by the rejections for it."""

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Literal

from api.metrics.figure_table import ALL, CellAddress, FigureCell, FigureTable, Keys
from api.metrics.resolved_request import ResolvedKpiRequest
from schema.kpis.dimension_vocab import Dimension

_Bucket = int | Literal["all"]


def as_shares_of_all(request: ResolvedKpiRequest, table: FigureTable) -> FigureTable:
    """The table of a breakdown by REJECT_REASON, in which every reason is a share of the decisions of all reasons.

    Beside other dimensions it is one of the decisions with the same values of these. With `top`, Other is the share of
    all decisions of the answer that were rejected in none of the kept groups. Decisions without a reason, such as
    acceptances, are only part of the denominator.
    """
    place = request.by.index(Dimension.REJECT_REASON)
    cells: dict[CellAddress, FigureCell] = {
        address: cell for address, cell in table.cells.items() if not isinstance(address[0], tuple)
    }
    decided = defaultdict[Keys, Counter[_Bucket]](Counter)
    others = Counter[_Bucket]()
    for (keys, bucket), cell in table.cells.items():
        if isinstance(keys, tuple):
            decided[_without_reason(request, keys, place)][bucket] += cell.n
            others[bucket] += cell.numerator if request.is_other(keys) else 0
    for keys in table.keys:
        if keys[place] is not None:
            # A bucket in which the reason was not given is a share of 0, as long as anything was decided in it.
            for bucket, n in decided[_without_reason(request, keys, place)].items():
                address: CellAddress = (keys, bucket)
                cells[address] = replace(table.cells.get(address, FigureCell()), n=n)
    if others[ALL]:
        for (everything, bucket), whole in table.cells.items():
            if everything == ALL:
                other: CellAddress = ((*(None for _ in request.by), True), bucket)
                cells[other] = FigureCell(n=whole.n, numerator=others[bucket])
    return replace(table, cells=cells)


def _without_reason(request: ResolvedKpiRequest, keys: Keys, place: int) -> Keys:
    """The values of the other dimensions."""
    return (*keys[:place], *keys[place + 1 : len(request.by)])
