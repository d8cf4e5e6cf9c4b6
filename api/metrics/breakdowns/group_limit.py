"""The limits of a breakdown: one that exceeds them is rejected, because one that is cut would look complete."""

from collections.abc import Sequence

import asyncpg

from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.kpis.dimension_vocab import Dimension

MOST_GROUPS = 200
MOST_FIGURES = 50_000  # of all groups and their buckets
_MOST_ROWS = 100_000  # a group has one for each bucket and unconverted currency, and for each part of a formula


async def limited_rows(session: ReadSession, by: Sequence[Dimension], statement: Sql) -> list[asyncpg.Record]:
    """Read the rows of a statement. Of a breakdown, no more are read than an answer may need.

    Errors: TOO_MANY_GROUPS.
    """
    if not by:
        return await session.rows(statement)
    rows = await session.rows(Sql("select * from ({}) every_row limit {}", statement, _MOST_ROWS + 1))
    if len(rows) > _MOST_ROWS:
        message = f"The breakdown by {' and '.join(by)} has more than {_MOST_ROWS:,} rows of groups and buckets."
        raise AccordError(ErrorCode.TOO_MANY_GROUPS, message, _remedy(by))
    return rows


def require_few_groups(by: Sequence[Dimension], groups: int, buckets: int = 0) -> None:
    """Require that a breakdown by these dimensions has few enough groups, each with a series of that many buckets.

    Errors: TOO_MANY_GROUPS with the number of groups, or of figures.
    """
    if groups > MOST_GROUPS:
        raise AccordError(
            ErrorCode.TOO_MANY_GROUPS,
            f"The breakdown by {' and '.join(by)} has {groups:,} groups. The limit is {MOST_GROUPS}.",
            _remedy(by),
        )
    if groups * buckets > MOST_FIGURES:
        message = (
            f"The breakdown by {' and '.join(by)} has {groups:,} groups of {buckets:,} buckets: {groups * buckets:,}"
            f" figures. The limit is {MOST_FIGURES:,}."
        )
        remedy = "Use a coarser grain, a shorter period, or the `top` groups alone."
        raise AccordError(ErrorCode.TOO_MANY_GROUPS, message, remedy)


def _remedy(by: Sequence[Dimension]) -> str:
    remedy = "Narrow it with `where`, for example to the values that matter, or with a shorter period"
    if len(by) > 1:
        remedy += ", or break down by fewer dimensions"
    return f"{remedy}. `top` has the groups with the highest values, and one for all others."
