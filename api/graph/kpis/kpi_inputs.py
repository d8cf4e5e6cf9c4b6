"""The inputs of KPI questions, and their values read into requests."""

from collections.abc import Mapping
from datetime import timedelta
from enum import Enum
from typing import Any, cast

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, EnumType, Input, InputType, TypeRef, Word
from api.graph.derived.naming import camel
from api.metrics.periods import named_period, period
from api.metrics.request import ALL_HISTORY, FunnelRequest, KpiRequest, Period, StagePair, Switches, Where
from schema.kpis import CATALOGUE
from schema.vocab import Dimension

KPI_KEY = EnumType(
    "KpiKey",
    "The KPIs of the catalogue.",
    cast("type[Enum]", Enum("KpiKey", {key: key for key in CATALOGUE})),
    tuple(Word(kpi.key, f"{kpi.title}. {kpi.definition}", kpi.deprecated) for kpi in CATALOGUE.values()),
)

_NEVER = Where(none_of=(Where(),))
_BY_DIMENSION = {camel(dimension.value.lower()): dimension for dimension in Dimension}

_PERIOD = Input("period", "Which days, in the accord's time zone; left out: all history.", TypeRef("PeriodInput"))
_WHERE = Input("where", "Who or what is counted; left out: everybody.", TypeRef("KpiWhere"))
_SWITCHES = Input(
    "switches", "Choices that make another honest number; left out: the KPI's own.", TypeRef("KpiSwitches")
)
KPI_ARGUMENTS = (
    Input("key", "Which KPI.", TypeRef("KpiKey").required),
    _PERIOD,
    Input("grain", "Also bucket by bucket, so long each; left out: in one number only.", TypeRef("Grain")),
    Input("by", "Also broken down by this.", TypeRef("Dimension").listed),
    Input("stages", "From which stage to which, for a KPI between two stages of your choice.", TypeRef("StagePair")),
    _WHERE,
    _SWITCHES,
)
FUNNEL_ARGUMENTS = (_PERIOD, Input("by", "Also broken down by this.", TypeRef("Dimension")), _WHERE, _SWITCHES)


def question_types() -> tuple[Declared, ...]:
    """The input types of KPI questions."""
    return (KPI_KEY, _PERIOD_INPUT, _RANGE, _PAIR, _KPI_WHERE, _TEST, _KPI_SWITCHES, _WINDOW, _REQUEST)


def read_kpi(given: Mapping[str, Any]) -> KpiRequest:
    """The request that `kpi`'s arguments mean. Errors: BAD_PERIOD, BAD_INPUT."""
    pair = given.get("stages")
    return KpiRequest(
        key=given["key"].value,
        period=_read_period(given.get("period")),
        grain=given.get("grain"),
        by=tuple(given.get("by") or ()),
        stages=None if pair is None else StagePair(pair["from"], pair["to"]),
        where=_read_where(given.get("where") or {}),
        switches=_read_switches(given.get("switches") or {}),
    )


def read_funnel(given: Mapping[str, Any]) -> FunnelRequest:
    """The request that `funnel`'s arguments mean. Errors: BAD_PERIOD, BAD_INPUT."""
    return FunnelRequest(
        period=_read_period(given.get("period")),
        by=given.get("by"),
        where=_read_where(given.get("where") or {}),
        switches=_read_switches(given.get("switches") or {}),
    )


def _read_period(given: Mapping[str, Any] | None) -> Period:
    if given is None:
        return ALL_HISTORY
    if "named" in given:
        return named_period(given["named"])
    return period(given["range"]["from"], given["range"]["before"])


def _read_where(given: Mapping[str, Any]) -> Where:
    """Every part must hold. As for records, a null part is left out, and an operator without a value refused."""
    parts: list[Where] = []
    for key, value in given.items():
        if value is None:
            continue
        if key == "and":
            parts += [_read_where(each) for each in value]
        elif key == "or":
            parts.append(Where(any_of=tuple(_read_where(each) for each in value)) if value else _NEVER)
        elif key == "not":
            parts.append(Where(none_of=(_read_where(value),)))
        else:
            parts += [_read_test(key, operator, operand) for operator, operand in value.items()]
    return parts[0] if len(parts) == 1 else Where(all_of=tuple(parts))


def _read_test(key: str, operator: str, operand: Any) -> Where:  # noqa: ANN401 - any coerced input
    if operand is None:
        message = f"`{key}: {{{operator}: null}}` compares with nothing."
        remedy = "Leave the operator out, or ask for the empty value with `isNull: true`."
        raise AccordError(ErrorCode.BAD_INPUT, message, remedy)
    dimension = _BY_DIMENSION[key]
    if operator == "isNull":
        empty = Where(tests=((dimension, (None,)),))
        return empty if operand else Where(none_of=(empty,))
    return Where(tests=((dimension, tuple(operand) if operator == "in" else (operand,)),))


def _read_switches(given: Mapping[str, Any]) -> Switches:
    window = given.get("window") or {}
    if window.get("none") is False:
        message = "`window: {none: false}` says no window."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Leave `window` out for the accord's, or give its `seconds`.")
    return Switches(
        anchor=given.get("anchor"),
        reentry=given.get("reentry"),
        skip=given.get("skip"),
        window=timedelta(seconds=window["seconds"]) if "seconds" in window else None,
        has_no_window="none" in window,
        as_of=given.get("asOf"),
        timezone=given.get("timezone"),
    )


_RANGE = InputType(
    "DateRange",
    "The days from one on, before another, in the accord's time zone.",
    (
        Input("from", "The first day.", TypeRef("Date").required),
        Input("before", "The first day that is no longer part of it.", TypeRef("Date").required),
    ),
)
_PERIOD_INPUT = InputType(
    "PeriodInput",
    "Some days, by their dates or by a name.",
    (
        Input("range", "By the first day and the first one after.", TypeRef("DateRange")),
        Input(
            "named",
            "`2026`, `2026-Q1`, `2026-03` or `last-90-days` (weeks, months, quarters, years too).",
            TypeRef("String"),
        ),
    ),
    is_one_of=True,
)
_PAIR = InputType(
    "StagePair",
    "Two stages of the accord.",
    (
        Input("from", "The key of the lower stage, whose people are followed.", TypeRef("String").required),
        Input("to", "The key of the higher stage, which they reach or not.", TypeRef("String").required),
    ),
)
_TEST = InputType(
    "DimensionFilter",
    "Tests of a dimension's value at the counted instant; all that are given must hold.",
    (
        Input(
            "eq",
            "This value: a record's id or name where the dimension is of records, else the text.",
            TypeRef("String"),
        ),
        Input("in", "One of these values; an empty list matches nothing.", TypeRef("String").listed),
        Input("isNull", "True: the source was empty. False: it was not.", TypeRef("Boolean")),
    ),
)
_KPI_WHERE = InputType(
    "KpiWhere",
    "Who or what is counted: every part that is given must hold.",
    (
        Input("and", "All of these must hold.", TypeRef("KpiWhere").listed),
        Input("or", "At least one of these must hold; an empty list matches nothing.", TypeRef("KpiWhere").listed),
        Input("not", "This must not hold.", TypeRef("KpiWhere")),
        *(Input(key, dimension.doc, TypeRef("DimensionFilter")) for key, dimension in _BY_DIMENSION.items()),
    ),
)
_WINDOW = InputType(
    "WindowInput",
    "How long a conversion may take.",
    (
        Input("seconds", "So many seconds, the last one included.", TypeRef("Int")),
        Input("none", "True: as long as it likes.", TypeRef("Boolean")),
    ),
    is_one_of=True,
)
_KPI_SWITCHES = InputType(
    "KpiSwitches",
    "The choices that make two honest numbers differ; an answer says which were overridden.",
    (
        Input("anchor", "Which moments a rate puts into its period.", TypeRef("Anchor")),
        Input("reentry", "Which entries of a person into a stage count.", TypeRef("Reentry")),
        Input("skip", "How stages that a person skipped count.", TypeRef("Skip")),
        Input("window", "How long a conversion may take; left out: as the accord says.", TypeRef("WindowInput")),
        Input("asOf", "Only what happened before this instant counts; left out: now.", TypeRef("DateTime")),
        Input(
            "timezone",
            "The zone in which days and buckets begin (IANA name); left out: the accord's.",
            TypeRef("String"),
        ),
    ),
)
_REQUEST = InputType("KpiRequest", "One question about one KPI.", KPI_ARGUMENTS)
