"""KPI requests as GraphQL inputs: the inverse of `kpi_requests`. Requests that mean the same are written alike."""

from collections.abc import Iterable
from typing import Any

import orjson

from api.graph.derived.naming import camel
from api.graph.kpis.kpi_inputs import kpi_word
from api.metrics.dimensions import RECORD_DIMENSIONS
from api.metrics.periods.period_names import name_of
from api.metrics.request import ALL_HISTORY, ComparedTo, FunnelRequest, KpiRequest, Period, Switches, Where
from api.plan.json_values import instant_as_text
from schema.durations import iso_duration
from schema.kpis.comparisons import Comparand
from schema.kpis.dimension_vocab import Dimension

Given = dict[str, Any]


def kpi_arguments(request: KpiRequest) -> Given:
    """Return the arguments of `kpi` that make the request, as JSON values, without those that are left out."""
    pair = request.stages
    own = {
        "key": kpi_word(request.key),
        "grain": None if request.grain is None else request.grain.name,
        "stages": None if pair is None else {"from": pair.base, "to": pair.target},
        "compareTo": _compare_to(request.compare_to),
    }
    return _given(own | _shared_arguments(request))


def funnel_arguments(request: FunnelRequest) -> Given:
    """Return the arguments of `funnel` that make the request, as JSON values, without those that are left out."""
    return _given(_shared_arguments(request))


def _shared_arguments(request: KpiRequest | FunnelRequest) -> Given:
    return {
        "period": _period(request.period),
        "by": [dimension.name for dimension in request.by] or None,
        "top": request.top,
        "where": _where(request.where) or None,
        "switches": _switches(request.switches) or None,
    }


def _period(period: Period) -> Given | None:
    if period == ALL_HISTORY:
        return None
    if name := name_of(period):
        return {"named": name}
    return {"range": {"from": str(period.starts_on), "before": str(period.before)}}


def _where(where: Where) -> Given:
    """Return a filter with its parts sorted, each once; empty if it keeps everything."""
    parts = [_test(dimension, values) for dimension, values in where.tests]
    parts += [{records.table: orjson.loads(records.given)} for records in where.records]
    whole = list(map(_where, where.all_of))
    if where.any_of:
        options = _sorted(map(_where, where.any_of))
        whole.append(options[0] if len(options) == 1 else {"or": options})
    for part in whole:
        parts += part["and"] if part.keys() == {"and"} else [part]
    parts += [{"not": _where(part)} for part in where.none_of]
    found = _sorted(part for part in parts if part)
    return {"and": found} if len(found) > 1 else next(iter(found), {})


def _test(dimension: Dimension, values: Iterable[str | None]) -> Given:
    key = camel(dimension.value.lower())
    known = sorted({value for value in values if value is not None})
    if not known and None in values:
        return {key: {"isNull": True}}
    table = RECORD_DIMENSIONS.get(dimension)
    is_named = table is not None and not all(value.startswith(f"{table}_") for value in known)
    return {key: {"named" if is_named else "in": known}}


def _compare_to(compared_to: ComparedTo | None) -> Given | None:
    match compared_to:
        case None:
            return None
        case ComparedTo(comparand=Comparand.TARGET):
            return {"target": True}
        case ComparedTo(comparand=Comparand.ACCORD_VERSION):
            return {"accordVersion": compared_to.accord_version}
        case ComparedTo(comparand=Comparand.PREVIOUS_PERIOD):
            return {"previousPeriod": compared_to.span.name}
        case _:
            return {"samePeriodLastYear": compared_to.span.name}


def _switches(switches: Switches) -> Given:
    window: Given | None = None
    if switches.has_no_window:
        window = {"none": True}
    elif switches.window is not None:
        window = {"length": iso_duration(switches.window)}
    chosen = {
        "anchor": switches.anchor,
        "reentry": switches.reentry,
        "skip": switches.skip,
        "reading": switches.reading,
        "censoring": switches.censoring,
        "filterScope": switches.filter_scope,
        "currencyRule": switches.currency_rule,
        "cycleStart": switches.cycle_start,
    }
    excluded = switches.exclusions
    return _given(
        {key: None if choice is None else choice.name for key, choice in chosen.items()}
        | {
            "window": window,
            "exclusions": None if excluded is None else sorted(exclusion.name for exclusion in excluded),
            "asOf": None if switches.as_of is None else instant_as_text(switches.as_of),
            "timezone": switches.timezone,
            "accordVersion": switches.accord_version,
            "knownAt": None if switches.known_at is None else instant_as_text(switches.known_at),
        }
    )


def _sorted(parts: Iterable[Given]) -> list[Given]:
    found = {orjson.dumps(part, option=orjson.OPT_SORT_KEYS): part for part in parts}
    return [found[text] for text in sorted(found)]


def _given(arguments: Given) -> Given:
    return {key: value for key, value in arguments.items() if value is not None}
