"""The groups with the highest values, beside which a breakdown has one group for all others.

The values are those of the whole period, computed before the breakdown. The others are counted together from their
rows, so that a share, a percentile or an average of them is as exact as that of any group.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Final

from api.errors import AccordError, ErrorCode
from api.metrics.breakdowns.group_limit import MOST_GROUPS
from api.metrics.figure_table import ALL, FigureCell, FigureTable, Keys
from api.metrics.kinds.kind import KpiKind
from api.metrics.resolved_request import ResolvedKpiRequest
from schema.kpis.dimension_vocab import Dimension

OTHER_LABEL: Final = "Other"


def require_top(by: Sequence[Dimension], top: int | None) -> None:
    """Require that the number of groups fits a breakdown by these dimensions. Errors: BAD_INPUT."""
    if top is None:
        return
    if not by:
        message = "`top` is the number of groups of a breakdown, and the request names no dimension."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Name dimensions in `by`, or leave `top` out.")
    if not 1 <= top < MOST_GROUPS:
        message = f"`top` is {top:,}, which is not between 1 and {MOST_GROUPS - 1}."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Use a number from 1 to {MOST_GROUPS - 1}.")


def highest(kind: KpiKind, table: FigureTable, top: int) -> tuple[Keys, ...]:
    """The keys of the groups with the highest values, from the highest down; those without a value come last.

    Of equal values, the group with more records comes first, then the one that is first by its labels.
    """

    def place(keys: Keys) -> tuple[bool, Decimal, int, list[str], list[str]]:
        cell = table.cells.get((keys, ALL), FigureCell())
        value = kind.figure(cell)["value"]
        labels = ["" if key is None else table.labels.get(key, str(key)) for key in keys]
        return value is None, -(value or Decimal(0)), -cell.n, labels, [str(key) for key in keys]

    return tuple(sorted(table.keys, key=place)[:top])


def kept_first(request: ResolvedKpiRequest, groups: Iterable[Keys]) -> list[Keys]:
    """The keys of the groups of a breakdown with `top`: the kept ones in their order, then those of the others."""
    order = {keys: place for place, keys in enumerate(request.kept or ())}
    return sorted(groups, key=lambda keys: len(order) if request.is_other(keys) else order[keys[:-1]])
