"""The groups of a funnel with the most people, beside which its breakdown has one group for all others.

A group is ranked by the people of the cohort, those who entered the first stage in the period: every bar of a funnel is
a part of that one.
"""

from api.db import ReadSession
from api.metrics.breakdowns.group_limit import limited_rows
from api.metrics.compile import key_columns, with_names
from api.metrics.counted_rows import keyed_rows
from api.metrics.dimensions import key_name
from api.metrics.figure_table import Keys
from api.metrics.kinds.stage_entries import counted_entries
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql, join


async def largest_groups(session: ReadSession, request: ResolvedKpiRequest, top: int) -> tuple[Keys, ...]:
    """The keys of the groups with the most people in the first stage, from the largest down.

    Of equal groups, the one with more entries into all stages comes first, then the one that is first by its labels.

    Shapes: one request -> at most `top` keys. Reads one statement.
    Errors: TOO_MANY_GROUPS.
    """
    places = range(1, len(request.by) + 1)
    entered = keyed_rows(request, counted_entries(request, request.stages), ())
    groups = Sql(
        "select {}count(*) filter (where c.rank = 1) as people, count(*) as entries from ({}) c group by {}",
        key_columns(request),
        entered,
        join(", ", (Sql("c.{}", key_name(place)) for place in places)),
    )
    records = await limited_rows(session, request.by, with_names(request, groups))
    ranked: list[tuple[int, int, list[str], list[str], Keys]] = []
    for record in records:
        keys: Keys = tuple(record[f"key_{place}"] for place in places)
        named = ((key, record.get(f"label_{place}")) for key, place in zip(keys, places, strict=True))
        labels = ["" if key is None else str(label or key) for key, label in named]
        ranked.append((-record["people"], -record["entries"], labels, [str(key) for key in keys], keys))
    return tuple(keys for *_, keys in sorted(ranked, key=lambda group: group[:4])[:top])
