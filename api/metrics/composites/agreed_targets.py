"""The target that the accord states for a KPI in some days: one of their own, or those of shorter periods together."""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TypeAlias

from api.metrics.composites.cell_days import CellDays
from api.metrics.periods.period_days import days_of
from api.metrics.periods.period_names import named_period
from api.metrics.request import Where
from api.metrics.resolved_request import ResolvedKpiRequest
from schema.access.rights import Reach
from schema.clauses.targets import Target
from schema.kpis.dimension_vocab import Dimension

Selected: TypeAlias = tuple[tuple[Dimension, object], ...]  # a value of each of these dimensions
_Stated: TypeAlias = Mapping[tuple[date, date], Decimal]


def target_between(
    request: ResolvedKpiRequest, kpi: str, days: CellDays, group: tuple[object, ...] | None
) -> Decimal | None:
    """The target of a KPI that adds up over time, for the days of a cell and its group; None if there is none.

    A target for just these days counts. Without one, those for shorter periods count together, if they have each of
    the days once. A filter or a group needs a target that is for this part of the KPI alone. Who reaches only a part of
    the records has no target: it is for all of them.
    """
    if request.context.principal.reach is not Reach.ALL:
        return None
    selected = _selected(request.where)
    if days.first is None or days.before is None or selected is None:
        return None
    selected += tuple(zip(request.by, group or (), strict=group is not None))
    if len(selected) > 1:
        return None
    found: dict[tuple[date, date], list[Target]] = {}
    for target in request.context.accord.targets:
        span = _days(request, target)
        if target.kpi == kpi and _slice(target) == selected and span is not None:
            found.setdefault(span, []).append(target)
    stated = {span: value for span, targets in found.items() if (value := _of_both(targets)) is not None}
    return _covering(stated, days.first, days.before)


def _covering(stated: _Stated, first: date, before: date) -> Decimal | None:
    """The target for just these days, or the sum of those that have each of them once; None if there are none."""
    if first == before:
        return Decimal(0)
    if (first, before) in stated:
        return stated[first, before]
    # The longest one comes first, so that a year of quarters and months is made of the quarters.
    ends = sorted((end for start, end in stated if start == first and end < before), reverse=True)
    for end in ends:
        rest = _covering(stated, end, before)
        if rest is not None:
            return stated[first, end] + rest
    return None


def _days(request: ResolvedKpiRequest, target: Target) -> tuple[date, date] | None:
    frame = request.frame
    days = days_of(named_period(target.period), frame.zone, frame.as_of, request.context.accord.reporting)
    return None if days.starts_on is None or days.before is None else (days.starts_on, days.before)


def _slice(target: Target) -> Selected:
    return () if target.only is None else ((target.only.dimension, target.only.value),)


def _of_both(targets: list[Target]) -> Decimal | None:
    """The value of the target for both teams, or of the only one; None if each team has another one."""
    shared = [target for target in targets if target.team is None] or targets
    return shared[0].value if len(shared) == 1 else None


def _selected(where: Where) -> Selected | None:
    """The values that a filter selects; None if it selects several values of a dimension, or some records."""
    if where.any_of or where.none_of or where.records or any(len(values) != 1 for _, values in where.tests):
        return None
    found: Selected = tuple((dimension, value) for dimension, (value,) in where.tests)
    for part in where.all_of:
        within = _selected(part)
        if within is None:
            return None
        found += within
    return found
