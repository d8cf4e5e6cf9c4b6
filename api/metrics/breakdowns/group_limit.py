"""The limit of a breakdown: one with more groups is rejected, because one that is cut would look complete."""

from collections.abc import Sequence

from api.errors import AccordError, ErrorCode
from schema.kpis.dimension_vocab import Dimension

MOST_GROUPS = 200


def require_few_groups(by: Sequence[Dimension], groups: int) -> None:
    """Require that a breakdown by these dimensions has few enough groups.

    Errors: TOO_MANY_GROUPS with the number of groups.
    """
    if groups <= MOST_GROUPS:
        return
    remedy = "Narrow it with `where`, for example to the values that matter, or with a shorter period"
    if len(by) > 1:
        remedy += ", or break down by fewer dimensions"
    raise AccordError(
        ErrorCode.TOO_MANY_GROUPS,
        f"The breakdown by {' and '.join(by)} has {groups:,} groups. The limit is {MOST_GROUPS}.",
        f"{remedy}.",
    )
