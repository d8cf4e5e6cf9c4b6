"""Reject reasons as parts of everything decided: their shares sum to the rate of the whole."""

from collections import Counter
from dataclasses import replace

from api.metrics.figures import Table
from api.metrics.question import Question
from schema.vocab import Dimension


def of_everything_decided(question: Question, table: Table) -> Table:
    """The table with each reason's denominator that of all reasons, and without the accepted, which have none."""
    if Dimension.REJECT_REASON not in question.by:
        return table
    place = question.by.index(Dimension.REJECT_REASON)
    decided = Counter[tuple[object, ...]]()
    for (keys, bucket), cell in table.cells.items():
        if isinstance(keys, tuple):
            decided[*keys[:place], *keys[place + 1 :], bucket] += cell.n
    cells = {
        (keys, bucket): replace(cell, n=decided[*keys[:place], *keys[place + 1 :], bucket])
        if isinstance(keys, tuple)
        else cell
        for (keys, bucket), cell in table.cells.items()
        if not isinstance(keys, tuple) or keys[place] is not None
    }
    return replace(table, cells=cells)
