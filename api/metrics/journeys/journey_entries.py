"""Counted rows that are journeys. The kinds of `api.metrics.kinds` have the same rows from facts: their definition."""

from collections.abc import Sequence

from api.metrics.journeys.journey_dimensions import carried_columns, have_journeys
from api.metrics.resolved_request import ResolvedKpiRequest, dimensions_of
from api.sql import Sql, all_of
from schema.access.rights import Reach


def are_journeys_readable(request: ResolvedKpiRequest) -> bool:
    """Whether there are journeys for the reading of a request, with its dimensions, and its principal reaches all."""
    return (
        request.context.has_journeys
        and request.context.principal.reach is Reach.ALL
        and have_journeys(request.kpi.subject, (*dimensions_of(request.where), *request.by))
    )


def picked_journeys(
    request: ResolvedKpiRequest, chosen: Sequence[Sql], columns: Sql, *, own: bool, is_joined: bool = False
) -> Sql:
    """The counted entries as `picked_entries` has them, without their exits, and with what dimensions read.

    `chosen` are the conditions on evaluation, stage and instant of the row `e`, and `columns` are further ones of it.
    """
    conditions = [*chosen, Sql("e.is_own" if own else "e.is_entry")]
    if not is_joined:
        conditions.append(is_journey_of(request, "e"))
    return Sql(
        "select e.contact_id, e.counted_at as at, {} as is_implied, e.stage, {} as own_at, {} from journey e where {}",
        Sql("false" if own else "not e.is_own"),
        Sql("e.counted_at" if own else "e.own_at"),
        columns,
        all_of(conditions),
    )


def journey_columns(request: ResolvedKpiRequest, row: str) -> Sql:
    """The further columns of a journey that the request reads, each after a comma: for dimensions, and who is excluded.

    Selects of journeys in selects hand them on, so that the outermost one finds them.
    """
    if not request.reads_journeys:
        return Sql("")
    excluded = Sql(f", {row}.not_counted" if request.is_excluded_only else "")
    if request.is_excluded_only and request.is_about_contacts:
        excluded = Sql("{}{}", excluded, Sql(f", {row}.merged_count"))
    return Sql(
        "{}{}", carried_columns(request.kpi.subject, (*dimensions_of(request.where), *request.by), row), excluded
    )


def is_journey_of(request: ResolvedKpiRequest, row: str) -> Sql:
    """The condition that the person of a journey belongs to the population of the request."""
    # As the index of the few excluded ones has it.
    excluded = "{0}.not_counted is not null or {0}.merged_count > 0" if request.is_excluded_only else ""
    return Sql((excluded or "{0}.not_counted is null").format(row))
