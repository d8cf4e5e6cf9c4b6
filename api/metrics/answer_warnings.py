"""The warnings of an answer: what to know before using the value."""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta

from api.metrics.answer import AnswerWarning
from api.metrics.breakdowns.dimension_warnings import mostly_empty
from api.metrics.clocks.clock_warnings import clock_warnings
from api.metrics.figure_table import ALL, FigureTable
from api.metrics.filtering.record_filters import filtered_as_of_today
from api.metrics.period_warnings import as_of_ahead, unfinished_period
from api.metrics.readings.reading_warnings import reading_warnings
from api.metrics.request import Where
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.source_gaps import STAGE_ENTRIES, gap_warnings
from schema.kpis.answer_vocab import WarningCode

LOW_SAMPLE = 20
_ORDER = (
    WarningCode.NO_CONTACTS,
    WarningCode.AS_OF_AHEAD,
    WarningCode.CLOCK_SKEW,
    WarningCode.DATED_AHEAD,
    WarningCode.PERIOD_NOT_BEGUN,
    WarningCode.PERIOD_BEFORE_DATA,
    WarningCode.UNKNOWN_VALUE,
    WarningCode.FILTERED_AS_OF_TODAY,
    WarningCode.SOURCE_INCOMPLETE,
    WarningCode.READING_OUTDATED,
    WarningCode.KNOWN_AT_LIMITS,
    WarningCode.MISSING_INPUT,
    WarningCode.TARGET_MET,
    WarningCode.NOT_RECORDED,
    WarningCode.ZERO_DENOMINATOR,
    WarningCode.LOW_SAMPLE,
    WarningCode.PERIOD_OPEN,
    WarningCode.COST_SPREAD,
    WarningCode.COST_SOURCES_OVERLAP,
    WarningCode.OPEN_COHORT,
    WarningCode.SKIPPED_STAGE,
    WarningCode.NEVER_TOUCHED,
    WarningCode.UNDATED,
    WarningCode.MOSTLY_EMPTY,
    WarningCode.DIFFERENT_MEANINGS,
    WarningCode.HISTORY_ASSUMED,
    WarningCode.UNKNOWN_ORIGIN,
    WarningCode.UNKNOWN_AMOUNT,
    WarningCode.UNKNOWN_PROBABILITY,
    WarningCode.MISSING_RATE,
    WarningCode.UNEQUAL_PERIODS,
    WarningCode.PARTIAL_REACH,
    WarningCode.NO_TARGET,
    WarningCode.UNKNOWN_KPI,
    WarningCode.UNKNOWN_TARGET_WORD,
    WarningCode.NO_PACE,
)


def kpi_warnings(
    request: ResolvedKpiRequest,
    table: FigureTable,
    empty_reason: str | None,
    own: Iterable[AnswerWarning],
    reads: Collection[str],
    row_noun: str,
    *,
    empty_code: WarningCode,
    missing: AnswerWarning | None,
) -> tuple[AnswerWarning, ...]:
    """The warnings of a KPI's answer: those that all kinds share, and its kind's own.

    `empty_reason` says why there is no value if n is 0; None for a kind whose value is then 0. `empty_code` is the code
    of that warning. `reads` are the tables
    that the kind reads, and `row_noun` is what it counts, in the plural. `missing` says why the period has no value.
    """
    gaps = (
        *as_of_ahead(request.frame),
        *clocks_of(request, reads),
        *gap_warnings(request.context.gaps, reads, request.context.accord),
        *reading_warnings(request.context, reads_stages=STAGE_ENTRIES in reads),
    )
    if request.lacks_contacts:
        return (no_contacts(), *gaps)
    if missing is not None:
        return (missing, *filter_warnings(request), *gaps)
    found = [
        *filter_warnings(request),
        *gaps,
        *unfinished_period(request.frame),
        *_undated(request, table),
        *_assumed(table, row_noun),
        *_mostly_empty(request, table),
        *own,
    ]
    if empty_reason is not None:
        found += [*_no_value(request, table, empty_code, empty_reason), *_low_sample(table)]
    return in_order(found)


def in_order(warnings: Iterable[AnswerWarning]) -> tuple[AnswerWarning, ...]:
    """Warnings in the order in which an answer lists them."""
    return tuple(sorted(warnings, key=lambda warning: _ORDER.index(warning.code)))


def assumed_history(count: int, whole: int, noun: str, within: str = "") -> Iterator[AnswerWarning]:
    """HISTORY_ASSUMED: how many rows have values that the source had only later, out of how many.

    `within` is how the sentence begins if they are of one bucket.
    """
    if count:
        stand = "stands" if count == 1 else "stand"
        message = (
            f"{within}{count:,} of {whole:,} {noun} {stand} on an assumed history: the source has no values of that "
            "time, so those of a later import are used."
        )
        yield AnswerWarning(code=WarningCode.HISTORY_ASSUMED, message=message, count=count)


def no_contacts() -> AnswerWarning:
    """The warning of a request about people where there are none."""
    message = "There is no contact that may be counted, so KPIs about people have no value."
    return AnswerWarning(code=WarningCode.NO_CONTACTS, message=message, count=None)


def clocks_of(request: ResolvedKpiRequest, reads: Collection[str]) -> Iterator[AnswerWarning]:
    """The warnings of clocks. As of an earlier instant, whatever came later is later than `asOf`."""
    context = request.context
    if request.frame.as_of == context.now and context.known_at is None:
        yield from clock_warnings(context.clocks, reads, context.accord)


def filter_warnings(request: ResolvedKpiRequest) -> Iterator[AnswerWarning]:
    """The warnings of the filter: free texts that no record ever had, and records that it reads as of today."""
    for text in request.unknown_values:
        yield AnswerWarning(code=WarningCode.UNKNOWN_VALUE, message=text.message, count=0)
    yield from filtered_as_of_today(request)


def low_sample(count: int) -> AnswerWarning:
    """The warning of a value that is computed from few rows."""
    message = f"The value is computed from {number_of(count, 'row')} only: one more may change it a lot."
    return AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=count)


def length_in_words(length: timedelta) -> str:
    """A duration as text, in the largest unit of which it has at least two."""
    seconds = length.total_seconds()
    for unit, size in (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1)):
        if seconds >= 2 * size or unit == "second":
            count = f"{seconds / size:.1f}".removesuffix(".0")
            return f"{count} {unit}" if count == "1" else f"{count} {unit}s"
    raise AssertionError(length)


def number_of(count: int, noun: str) -> str:
    """A count with its noun: `1 deal`, `1,200 deals`."""
    return f"1 {noun}" if count == 1 else f"{count:,} {noun}s"


def _no_value(
    request: ResolvedKpiRequest, table: FigureTable, code: WarningCode, reason: str
) -> Iterator[AnswerWarning]:
    if table.total.n:
        return
    if request.where != Where():
        # Without the filter there may well be some: the reason holds for what the filter keeps.
        reason = f"Of what the filter keeps: {reason[0].lower()}{reason[1:]}"
    yield AnswerWarning(code=code, message=reason, count=0)


def _low_sample(table: FigureTable) -> Iterator[AnswerWarning]:
    total = table.total.n
    if 0 < total < LOW_SAMPLE:
        yield low_sample(total)
    elif small := sum(0 < table.cells[keys, ALL].n < LOW_SAMPLE for keys in table.keys):
        has = "has" if small == 1 else "have"
        message = f"{number_of(small, 'group')} {has} fewer than {LOW_SAMPLE} rows: one more may change a value a lot."
        yield AnswerWarning(code=WarningCode.LOW_SAMPLE, message=message, count=small)


def _undated(request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
    count, within = table.largest_count(lambda cell: cell.undated)
    if count:
        by = " and ".join(request.by)
        has = "has" if count == 1 else "have"
        message = (
            f"{within}{count:,} {has} no history at the counted instant; the breakdown by {by} has them under (empty)."
        )
        yield AnswerWarning(code=WarningCode.UNDATED, message=message, count=count)


def _assumed(table: FigureTable, noun: str) -> Iterator[AnswerWarning]:
    cell, within = table.largest(lambda cell: cell.assumed)
    return assumed_history(cell.assumed, cell.n, noun, within)


def _mostly_empty(request: ResolvedKpiRequest, table: FigureTable) -> Iterator[AnswerWarning]:
    shown = (keys for keys in table.keys if not request.is_other(keys))
    sizes = {keys[: len(request.by)]: table.cells[keys, ALL].n for keys in shown}
    return mostly_empty(request.by, sizes, table.total.n)
