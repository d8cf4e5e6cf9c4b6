"""The arguments of the KPI root fields and their input types."""

from enum import Enum
from typing import cast

from api.graph.declared import Declared, EnumType, EnumWord, Input, InputType, TypeRef
from api.graph.derived.enums import enum_of
from api.graph.derived.naming import camel
from api.metrics.breakdowns.group_limit import MOST_FIGURES, MOST_GROUPS
from api.metrics.dimensions import RECORD_DIMENSIONS
from api.metrics.periods.name_forms import forms_in_markdown
from api.metrics.resolve import MOST_DIMENSIONS
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import dimension_doc
from schema.tables import SHAPES

MAX_KPI_REQUESTS = 50  # of one GraphQL request, in all its root fields
RECORD_TABLES = ("contact", "deal")
DIMENSION_FIELDS = {camel(dimension.value.lower()): dimension for dimension in Dimension}


def kpi_word(key: str) -> str:
    """Return the enum value of a KPI's key: `win_rate` is `WIN_RATE`."""
    return key.upper()


_STRING, _DATE = TypeRef("String"), TypeRef("Date")

_PERIOD = Input(
    "period", "The days to report on, in the accord's time zone. If left out: all history.", TypeRef("PeriodInput")
)
_WHERE = Input("where", "A filter over what is counted. If left out: everything.", TypeRef("KpiWhere"))
_SWITCHES = Input(
    "switches",
    "Choices in how the number is computed. If left out: the KPI's defaults.",
    TypeRef("KpiSwitches"),
)
_BY = Input(
    "by",
    f"The dimensions of `breakdown`, at most {MOST_DIMENSIONS}. If left out: no breakdown. A breakdown of more than"
    f" {MOST_GROUPS} groups, or {MOST_FIGURES:,} figures of groups and buckets, is an error, TOO_MANY_GROUPS.",
    TypeRef("KpiDimension").listed,
)
KPI_ARGUMENTS = (
    Input("key", "The KPI.", TypeRef("KpiKey").required),
    _PERIOD,
    Input("grain", "The length of the buckets of `series`. If left out: no series.", TypeRef("TimeGrain")),
    _BY,
    Input(
        "top",
        f"How many groups `breakdown` has, from 1 to {MOST_GROUPS - 1}: those with the highest values of the whole"
        " period, and after them one group for all others (`isOther`). If left out: all groups.",
        TypeRef("Int"),
    ),
    Input("stages", "The two stages, for a KPI between stages of your choice.", TypeRef("KpiStagePair")),
    _WHERE,
    _SWITCHES,
    Input(
        "compareTo",
        "What to compare the answer with, in `comparison`. If left out: nothing.",
        TypeRef("KpiCompareTo"),
    ),
)
FUNNEL_ARGUMENTS = (
    _PERIOD,
    _BY,
    Input(
        "top",
        f"How many groups `breakdown` has, from 1 to {MOST_GROUPS - 1}: those with the most people who entered the"
        " first stage in the period, and after them one group for all others (`isOther`). If left out: all groups.",
        TypeRef("Int"),
    ),
    _WHERE,
    _SWITCHES,
)

_IS_NULL = Input("isNull", "True: the source has no value. False: it has one.", TypeRef("Boolean"))


_RECORDS_DOC = {
    "contact": "Of a KPI about people, and of the funnel: only people who match this filter, which is that of"
    " `contacts`. It reads them as they are today, and the answer has the warning FILTERED_AS_OF_TODAY. A KPI about"
    " deals refuses it (BAD_INPUT).",
    "deal": "Of a KPI about deals: only deals that match this filter, which is that of `deals`. It reads them as they"
    " are today, and the answer has the warning FILTERED_AS_OF_TODAY. A KPI about people, and the funnel, refuse it"
    " (BAD_INPUT).",
}


def _filter(dimension: Dimension) -> TypeRef:
    return TypeRef("KpiRecordFilter" if dimension in RECORD_DIMENSIONS else "KpiTextFilter")


KPI_INPUT_TYPES: tuple[Declared, ...] = (
    enum_of(Dimension, dimension_doc),
    EnumType(
        "KpiKey",
        "The KPIs of the catalogue.",
        cast("type[Enum]", Enum("KpiKey", {kpi_word(key): key for key in CATALOGUE})),
        tuple(
            EnumWord(kpi_word(kpi.key), f"{kpi.title}. {kpi.definition} Formula: {kpi.formula}", kpi.deprecated)
            for kpi in CATALOGUE.values()
        ),
    ),
    InputType(
        "PeriodInput",
        "A range of days, by dates or by name.",
        (
            Input("range", "The days from a first date until before another.", TypeRef("DateRange")),
            Input(
                "named",
                f"The name of a period, in upper or lower case:\n{forms_in_markdown()}\n\nToday is the day of `asOf` in"
                " the time zone of the request. The answer's `period` has the days that the name means.",
                _STRING,
            ),
        ),
        is_one_of=True,
    ),
    InputType(
        "DateRange",
        "The days from one date until before another, in the accord's time zone.",
        (
            Input("from", "The first day.", _DATE.required),
            Input("before", "The first day after the range.", _DATE.required),
        ),
    ),
    InputType(
        "KpiStagePair",
        "Two stages of the accord.",
        (
            Input("from", "The key of the lower stage, whose people are followed.", _STRING.required),
            Input("to", "The key of the higher stage, which they may reach.", _STRING.required),
        ),
    ),
    InputType(
        "KpiWhere",
        "A filter over what is counted. All given parts must hold. A part that is null is refused (BAD_INPUT): leave it"
        " out, or find nulls with `isNull: true`.",
        (
            Input("and", "All of these must hold.", TypeRef("KpiWhere").listed),
            Input("or", "At least one of these must hold. An empty list matches nothing.", TypeRef("KpiWhere").listed),
            Input("not", "This must not hold.", TypeRef("KpiWhere")),
            *(Input(key, dimension_doc(dimension), _filter(dimension)) for key, dimension in DIMENSION_FIELDS.items()),
            *(Input(table, _RECORDS_DOC[table], TypeRef(f"{SHAPES[table].type_name}Where")) for table in RECORD_TABLES),
        ),
    ),
    InputType(
        "KpiTextFilter",
        "Conditions on a dimension of texts, at the moment of the dimension. All given conditions must hold.",
        (
            Input("eq", "Equal to this value.", _STRING),
            Input("in", "Equal to one of these values. An empty list matches nothing.", _STRING.listed),
            _IS_NULL,
        ),
    ),
    InputType(
        "KpiRecordFilter",
        "Conditions on a dimension whose values are records, at its moment. All given conditions must hold.",
        (
            Input(
                "eq",
                "The record with this id. An id that no record has is refused (UNKNOWN_VALUE); of companies, it matches"
                " nothing, like one of a company that is not visible to you.",
                TypeRef("ID"),
            ),
            Input("in", "One of the records with these ids. An empty list matches nothing.", TypeRef("ID").listed),
            Input(
                "named",
                "A record with one of these names, which several may have. An empty list matches nothing.",
                _STRING.listed,
            ),
            _IS_NULL,
        ),
    ),
    InputType(
        "KpiSwitches",
        "Choices in how a number is computed. The result lists those that differ from the KPI's defaults.",
        (
            Input("anchor", "Which events of a rate must be in the period.", TypeRef("AnchorSwitch")),
            Input("reentry", "Which entries of a person into a stage count.", TypeRef("ReentrySwitch")),
            Input("skip", "How stages that a person skipped count.", TypeRef("SkippedStagesSwitch")),
            Input(
                "window",
                "How long a conversion may take. If left out: as the accord says, or the KPI whose time is its own."
                " Such a KPI takes no `none`.",
                TypeRef("ConversionWindowInput"),
            ),
            Input(
                "censoring",
                "Which people of a cohort count while some can still convert. If left out: `ALL_OPEN`.",
                TypeRef("CensoringSwitch"),
            ),
            Input(
                "filterScope",
                "Which end of a conversion the filter applies to. If left out: `BASE`, or with the anchor PERIOD"
                " `BOTH`.",
                TypeRef("FilterScopeSwitch"),
            ),
            Input(
                "exclusions",
                "Whom the number leaves out, besides the deleted and the merged. An empty list leaves out nobody else."
                " If left out: whom the accord excludes.",
                TypeRef("ExclusionSwitch").listed,
            ),
            Input(
                "currencyRule",
                "The day whose exchange rate converts an amount. If left out: `TRANSACTION_DATE`.",
                TypeRef("CurrencyRuleSwitch"),
            ),
            Input(
                "cycleStart",
                "The instant from which the time to the win of a deal runs. If left out: `OPENED`.",
                TypeRef("CycleStartSwitch"),
            ),
            Input(
                "reading",
                "Which version of the accord decides who entered which stage when, and what the duties, costs and"
                " targets are. If left out: `IN_FORCE`. KPIs that no clause but `reporting` defines do not have this"
                " switch.",
                TypeRef("Reading"),
            ),
            Input("accordVersion", "The number of the version, for the reading `PINNED` alone.", TypeRef("Int")),
            Input(
                "asOf",
                "Only what happened at or before this instant counts. If left out: now, or `knownAt`.",
                TypeRef("DateTime"),
            ),
            Input(
                "knownAt",
                "Only facts that Accord had recorded by this instant count. If left out: all facts.",
                TypeRef("DateTime"),
            ),
            Input(
                "timezone",
                "The time zone in which days and buckets start (IANA name). If left out: the accord's.",
                _STRING,
            ),
        ),
    ),
    InputType(
        "ConversionWindowInput",
        "How long a conversion may take.",
        (
            Input("length", "At most this long; who converts at its last instant has converted.", TypeRef("Duration")),
            Input("none", "True: no limit.", TypeRef("Boolean")),
        ),
        is_one_of=True,
    ),
    InputType(
        "KpiCompareTo",
        "What an answer is compared with.",
        (
            Input(
                "previousPeriod",
                "The period before the requested one: of a month the month before, of a range of days as many days"
                " before. A range from the first of a month to the last of one is one of months.",
                TypeRef("KpiComparedSpan"),
            ),
            Input(
                "samePeriodLastYear",
                "The same dates a year before; of weeks, the same weekdays 52 weeks before.",
                TypeRef("KpiComparedSpan"),
            ),
            Input("target", "True: the targets of the accord in force.", TypeRef("Boolean")),
            Input(
                "accordVersion",
                "The number of a version of the accord: the same request, with the reading `PINNED`.",
                TypeRef("Int"),
            ),
        ),
        is_one_of=True,
    ),
    InputType("KpiRequest", "One KPI request.", KPI_ARGUMENTS),
)
