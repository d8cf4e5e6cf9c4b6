"""Reading the arguments of KPI root fields: their values become KPI requests."""

from collections.abc import Mapping
from typing import Any

from api.errors import AccordError, ErrorCode
from api.graph.kpis.filter_json import filter_as_json
from api.graph.kpis.kpi_inputs import DIMENSION_FIELDS, RECORD_TABLES
from api.graph.reading.filter_value import read_where
from api.graph.reading.limits import Usage
from api.graph.reading.merged_filter import require_listed
from api.graph.reading.refused_values import null_filter, null_operand, null_value
from api.identity.ids import parse_id
from api.metrics.dimensions import RECORD_DIMENSIONS
from api.metrics.periods.period_days import period
from api.metrics.periods.period_names import named_period
from api.metrics.request import (
    ALL_HISTORY,
    ComparedTo,
    FunnelRequest,
    KpiRequest,
    Period,
    RecordFilter,
    StagePair,
    Switches,
    Where,
)
from api.plan.value_checks.storable_text import require_comparable
from schema.kpis.comparisons import Comparand
from schema.tables import SHAPES

_NEVER = Where(none_of=(Where(),))


def read_kpi(given: Mapping[str, Any]) -> KpiRequest:
    """Return the request of the arguments of `kpi`. Errors: BAD_PERIOD, BAD_INPUT."""
    pair = given.get("stages")
    return KpiRequest(
        key=given["key"].value,
        period=read_period(given.get("period")),
        grain=given.get("grain"),
        by=tuple(given.get("by") or ()),
        stages=None if pair is None else StagePair(_comparable(pair["from"], "from"), _comparable(pair["to"], "to")),
        where=read_kpi_where(given.get("where") or {}),
        switches=_read_switches(given.get("switches") or {}),
        compare_to=_read_compared(given.get("compareTo")),
        top=given.get("top"),
    )


def read_funnel(given: Mapping[str, Any]) -> FunnelRequest:
    """Return the request of the arguments of `funnel`. Errors: BAD_PERIOD, BAD_INPUT."""
    return FunnelRequest(
        period=read_period(given.get("period")),
        by=tuple(given.get("by") or ()),
        where=read_kpi_where(given.get("where") or {}),
        switches=_read_switches(given.get("switches") or {}),
        top=given.get("top"),
    )


def read_period(given: Mapping[str, Any] | None) -> Period:
    """Return the period of an argument `period`; all history without one. Errors: BAD_PERIOD."""
    if given is None:
        return ALL_HISTORY
    if "named" in given:
        return named_period(_comparable(given["named"], "named"))
    return period(given["range"]["from"], given["range"]["before"])


def read_kpi_where(given: Mapping[str, Any]) -> Where:
    """Return the filter of an argument `where`. Errors: BAD_INPUT; TOO_LARGE for too many parts or levels."""
    Usage().add_filter("where", given)
    return _read_where(given)


def _read_where(given: Mapping[str, Any]) -> Where:
    """Return the filter, all of whose parts must hold. Errors: BAD_INPUT for a null, as in filters over records."""
    parts: list[Where] = []
    for key, value in given.items():
        if value is None:
            raise null_filter(key) if key in ("and", "or", "not") else null_value(key)
        if key == "and":
            parts += [_read_where(part) for part in value]
        elif key == "or":
            parts.append(Where(any_of=tuple(_read_where(part) for part in value)) if value else _NEVER)
        elif key == "not":
            parts.append(Where(none_of=(_read_where(value),)))
        elif key in RECORD_TABLES:
            parts.append(Where(records=(_read_record_filter(key, value),)))
        else:
            parts += [_read_test(key, operator, operand) for operator, operand in value.items()]
    return parts[0] if len(parts) == 1 else Where(all_of=tuple(parts))


def _read_record_filter(table: str, given: Mapping[str, Any]) -> RecordFilter:
    """Return a filter over the counted records. Errors: those of the filter of a list."""
    where = require_listed(read_where(SHAPES[table], given), with_merged=False)
    return RecordFilter(table, where, filter_as_json(given))


def _read_test(key: str, operator: str, operand: Any) -> Where:  # noqa: ANN401 - any coerced input
    if operand is None:
        raise null_operand(key, operator)
    dimension = DIMENSION_FIELDS[key]
    if operator == "isNull":
        is_null = Where(tests=((dimension, (None,)),))
        return is_null if operand else Where(none_of=(is_null,))
    values = tuple(operand) if isinstance(operand, list) else (operand,)
    table = RECORD_DIMENSIONS.get(dimension)
    if table is not None and operator != "named":
        values = tuple(f"{table}_{parse_id(table, value)}" for value in values)
    return Where(tests=((dimension, values),))


def _comparable(text: str, argument: str) -> str:
    """Return a text of bounded length. Errors: TOO_LARGE, BAD_INPUT."""
    require_comparable(text, f"of `{argument}`")
    return text


def _read_compared(given: Mapping[str, Any] | None) -> ComparedTo | None:
    if given is None:
        return None
    if given.get("target") is False:
        message = "`compareTo: {target: false}` names nothing to compare with."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave `compareTo` out, or write `{target: true}`.")
    if "target" in given:
        return ComparedTo(Comparand.TARGET)
    if "accordVersion" in given:
        return ComparedTo(Comparand.ACCORD_VERSION, accord_version=given["accordVersion"])
    if "previousPeriod" in given:
        return ComparedTo(Comparand.PREVIOUS_PERIOD, given["previousPeriod"])
    return ComparedTo(Comparand.SAME_PERIOD_LAST_YEAR, given["samePeriodLastYear"])


def _read_switches(given: Mapping[str, Any]) -> Switches:
    window = given.get("window") or {}
    if window.get("none") is False:
        message = "`window: {none: false}` gives no window."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave `window` out for the accord's, or give its `length`.")
    timezone = given.get("timezone")
    return Switches(
        anchor=given.get("anchor"),
        reentry=given.get("reentry"),
        skip=given.get("skip"),
        window=window.get("length"),
        has_no_window="none" in window,
        as_of=given.get("asOf"),
        timezone=None if timezone is None else _comparable(timezone, "timezone"),
        reading=given.get("reading"),
        accord_version=given.get("accordVersion"),
        known_at=given.get("knownAt"),
        censoring=given.get("censoring"),
        exclusions=None if given.get("exclusions") is None else frozenset(given["exclusions"]),
        currency_rule=given.get("currencyRule"),
        filter_scope=given.get("filterScope"),
        cycle_start=given.get("cycleStart"),
    )
