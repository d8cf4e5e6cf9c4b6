"""Costs spread by day over the days that they are for, to the cent.

Of a cost of T for N days, the days a to b cost round(T * b / N) less round(T * a / N): so parts add up to the whole.
"""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from api.metrics.figure_table import CENT
from api.metrics.periods.calendar_units import plus_months
from schema.clauses.economics import Economics, SalesCost


def spread_cost(cost: Decimal, days: int, after: int, before: int) -> Decimal:
    """The cost of the days `[after, before)`, counted from the first of all its days."""
    upper, lower = ((cost * place / days).quantize(CENT, ROUND_HALF_UP) for place in (min(before, days), max(after, 0)))
    return upper - lower


def sales_cost_between(economics: Economics, first: date, before: date) -> Decimal | None:
    """What sales costs in the days `[first, before)`; None if the accord does not state it for all of their months."""
    total, month = Decimal(0), first.replace(day=1)
    while month < before:
        following = plus_months(month, 1)
        cost = _in_force(economics.sales_costs, month)
        if cost is None:
            return None
        total += spread_cost(cost, (following - month).days, (first - month).days, (before - month).days)
        month = following
    return total


def cuts_a_month(first: date, before: date) -> bool:
    """Whether the days begin or end within a month."""
    return first.day != 1 or before.day != 1


def _in_force(costs: tuple[SalesCost, ...], month: date) -> Decimal | None:
    """The cost of a month: that of the last entry that begins in it or before."""
    begun = [cost.per_month for cost in costs if cost.starts_on <= month]
    return begun[-1] if begun else None
