"""The dimensions of the counted rows of a request, whether these are facts or journeys."""

from collections.abc import Iterable

from api.metrics.dimensions import assumed_version, dimension_value, is_undated, joins
from api.metrics.journeys.journey_dimensions import (
    is_assumed_journey,
    is_undated_journey,
    journey_joins,
    journey_value,
)
from api.metrics.resolved_request import ResolvedKpiRequest
from api.sql import Sql
from schema.accord import Accord
from schema.kpis.dimension_vocab import Dimension


def value_of(request: ResolvedKpiRequest, dimension: Dimension) -> Sql:
    """The value of a dimension of the counted row `c`."""
    if dimension is Dimension.STAGE_GROUP:
        return _stage_group(request.context.accord)
    if request.reads_journeys:
        return journey_value(request.kpi.subject, dimension, request.frame.until)
    return dimension_value(request.kpi.subject, dimension)


def joins_of(request: ResolvedKpiRequest, dimensions: Iterable[Dimension]) -> Sql:
    """The joins that the values need, each of them once."""
    if request.reads_journeys:
        return journey_joins(request.kpi.subject, dimensions, request.frame.until)
    return joins(request.kpi.subject, dimensions, request.context, request.frame.until)


def is_undated_of(request: ResolvedKpiRequest, dimensions: Iterable[Dimension]) -> Sql:
    """The condition that a row has no value of one of the dimensions because the record's history begins later."""
    if request.reads_journeys:
        return is_undated_journey(request.kpi.subject, dimensions, request.frame.until)
    return is_undated(request.kpi.subject, dimensions)


def is_assumed_of(request: ResolvedKpiRequest, dimensions: Iterable[Dimension]) -> Sql:
    """The condition that a version which the dimensions read is assumed."""
    if request.reads_journeys:
        return is_assumed_journey(request.kpi.subject, dimensions)
    return assumed_version(request.kpi.subject, dimensions)


def _stage_group(accord: Accord) -> Sql:
    """The group of the stage of the counted row; null for a stage that the accord does not have."""
    keys, groups = ([getattr(stage, field) for stage in accord.stages] for field in ("key", "group"))
    return Sql("({}::text[])[array_position({}::text[], c.stage)]", groups, keys)
