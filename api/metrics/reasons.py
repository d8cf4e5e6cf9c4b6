"""Reject reasons as parts of everything decided: their shares sum to the rate of the whole."""

from collections import Counter, defaultdict
from dataclasses import replace

from api.metrics.figures import Cell, CellPlace, Keys, Table
from api.metrics.question import Question
from schema.vocab import Dimension


def of_everything_decided(question: Question, table: Table) -> Table:
    """The table with each reason's denominator that of all reasons, and without the accepted, which have none."""
    if Dimension.REJECT_REASON not in question.by:
        return table
    place = question.by.index(Dimension.REJECT_REASON)
    cells: dict[CellPlace, Cell] = {at: cell for at, cell in table.cells.items() if not isinstance(at[0], tuple)}
    decided = defaultdict[Keys, Counter[int | str]](Counter)
    for (keys, bucket), cell in table.cells.items():
        if isinstance(keys, tuple):
            decided[_without(keys, place)][bucket] += cell.n
    for keys in table.keys:
        if keys[place] is not None:
            # Where the reason was never given it is a share of 0, as long as anything was decided.
            for bucket, n in decided[_without(keys, place)].items():
                cells[keys, bucket] = replace(table.cells.get((keys, bucket), Cell()), n=n)
    return replace(table, cells=cells)


def _without(keys: Keys, place: int) -> Keys:
    return (*keys[:place], *keys[place + 1 :])
