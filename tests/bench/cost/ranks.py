"""Spearman's rank correlation."""

import statistics
from collections.abc import Sequence


def rank_correlation(first: Sequence[float], second: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two series: 1 if both have the same order, 0 if neither tells the other."""
    return statistics.correlation(_ranks(first), _ranks(second))


def _ranks(values: Sequence[float]) -> list[float]:
    """Return the rank of every value; equal ones share the average of theirs."""
    ordered = sorted(values)
    places = {value: ordered.index(value) + (ordered.count(value) - 1) / 2 for value in set(values)}
    return [places[value] for value in values]
