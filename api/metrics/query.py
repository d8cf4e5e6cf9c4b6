"""Compute KPI and funnel requests: one statement per request, all in one snapshot."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import AnswerWarning, Excluded, KpiAnswer
from api.metrics.answer_warnings import in_order, kpi_warnings
from api.metrics.breakdowns.dimension_warnings import different_meanings
from api.metrics.breakdowns.group_limit import limited_rows, require_few_groups
from api.metrics.breakdowns.top_groups import highest
from api.metrics.columns import StatementRow
from api.metrics.comparisons.compare import compare_with_earlier, compare_with_version
from api.metrics.comparisons.compare_with_targets import compare_with_targets
from api.metrics.context import MetricContext, contacts_exist
from api.metrics.day_sums.summed_rows import SumUnit
from api.metrics.drill_down import FigureDrillDown
from api.metrics.figure_table import FigureTable, in_one_currency
from api.metrics.figures import breakdown, buckets_before_first, drilled_figure, series, shown_buckets
from api.metrics.filtering.filter_values import with_known_values
from api.metrics.funnels.funnel import compute_funnel
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.journeys.journey_entries import are_journeys_readable
from api.metrics.kind_of import first_fact, kind_of
from api.metrics.kinds.kind import KpiKind
from api.metrics.period_warnings import answered_period, missing_period
from api.metrics.periods.buckets import buckets, pairs
from api.metrics.population import NOTHING_EXCLUDED, beside_excluded, excluded_only, read_excluded, with_excluded
from api.metrics.readable_sql import readable
from api.metrics.readings.known_session import facts_session
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import FunnelRequest, KpiRequest
from api.metrics.resolve import reject_unknown_switches, resolve
from api.metrics.resolved_request import ResolvedKpiRequest
from api.metrics.summing.merged_lengths import merged_lengths
from api.metrics.summing.read_sums import with_sums, without_sums
from api.sql import Sql
from schema.kpis import CATALOGUE
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.comparisons import Comparand
from schema.kpis.kpi import Kpi


async def query_kpis(
    session: ReadSession, principal: Principal, requests: Sequence[KpiRequest], *, now: datetime | None = None
) -> list[KpiAnswer | AccordError]:
    """Compute each request. An invalid request has its error in its place and does not affect the others.

    Shapes: n KpiRequests -> n KpiAnswers or AccordErrors, in their order.
    Reads:  one statement per request, one more for its `top` groups, and one for what it is compared with, all in one
            snapshot, within the principal's reach.
    Units:  counts and shares as decimals, money in the answer's currency, durations in seconds; instants UTC.
    Errors: NO_ACCORD, raised.
    """
    contexts = await ContextReader.of(session, principal, now or datetime.now(UTC))
    answers: list[KpiAnswer | AccordError] = []
    for request in requests:
        try:
            kpi = _known(request.key)
            reject_unknown_switches(request, kpi)
            answers.append(await _compute(contexts, kpi, request))
        except AccordError as error:
            answers.append(error)
    computed = [answer for answer in answers if isinstance(answer, KpiAnswer)]
    return [_beside(answer, computed) if isinstance(answer, KpiAnswer) else answer for answer in answers]


async def _compute(contexts: ContextReader, kpi: Kpi, request: KpiRequest) -> KpiAnswer:
    """Compute one request, and what its answer is compared with."""
    context = await contexts.context(request.switches)
    session = facts_session(contexts.session, context.known_at)
    answer = await compute_kpi(session, kpi, request, context)
    compared_to = request.compare_to
    if compared_to is None:
        return answer

    async def compute(other: KpiRequest) -> KpiAnswer:
        return await _compute(contexts, kpi, other)

    match compared_to.comparand:
        case Comparand.TARGET:
            return await compare_with_targets(session, kpi, answer, context, compute)
        case Comparand.ACCORD_VERSION:
            return await compare_with_version(kpi, answer, compute)
        case _:
            return await compare_with_earlier(kpi, answer, compared_to, compute)


async def query_funnel(
    session: ReadSession, principal: Principal, request: FunnelRequest, *, now: datetime | None = None
) -> FunnelAnswer:
    """Follow the people who entered the first stage in the period.

    Shapes: one FunnelRequest -> one FunnelAnswer.
    Reads:  one statement, within the principal's reach.
    Errors: NO_ACCORD; EVALUATING; NOT_EVALUATED; BAD_INPUT; BAD_PERIOD; TOO_MANY_GROUPS.
    """
    reject_unknown_switches(request)
    contexts = await ContextReader.of(session, principal, now or datetime.now(UTC))
    context = await contexts.context(request.switches)
    return await compute_funnel(facts_session(session, context.known_at), request, context)


async def compute_kpi(
    session: ReadSession, kpi: Kpi, request: KpiRequest, context: MetricContext, *, counts_excluded: bool = True
) -> KpiAnswer:
    """Compute one request for one KPI. With `counts_excluded` false, the answer says nothing of excluded records.

    Shapes: one KpiRequest -> one KpiAnswer.
    Reads:  one statement; before it the values that a filter names, and the first instant of a series without a start;
            after it the first fact of all, if nothing was counted in a period that has an end.
    Errors: BAD_INPUT, UNKNOWN_STAGE, UNKNOWN_VALUE, BAD_PERIOD, NOT_EVALUATED, TOO_MANY_GROUPS.
    """
    kind = kind_of(kpi.measure)
    resolved = await with_known_values(session, resolve(kpi, request, context))
    resolved = replace(resolved, reads_journeys=are_journeys_readable(resolved) and kind.reads_journeys(resolved))
    boundaries: tuple[datetime, ...] = ()
    rows: list[StatementRow] = []
    excluded = NOTHING_EXCLUDED
    summed = resolved
    if resolved.lacks_contacts:
        statement = contacts_exist(context.accord, context.principal)
    else:
        resolved = await _with_kept(session, request, resolved, kind)
        boundaries = await _boundaries(session, resolved, kind)
        summed = with_sums(resolved, kind, boundaries)
        statement = kpi_statement(summed, kind, boundaries, counts_excluded=counts_excluded)
        records = await limited_rows(session, resolved.by, statement)
        if counts_excluded:
            excluded = read_excluded(records[0]["excluded"])
            records = [record for record in records if record["is_row"]]
        rows = [StatementRow.read(record, resolved.key_count) for record in records]
        if summed.sums is not None and summed.sums.unit is SumUnit.MONTH:
            rows = merged_lengths(resolved, rows)
        require_few_groups(resolved.by, len({row.keys for row in rows if not row.is_all_keys}), len(pairs(boundaries)))
    table = _table(resolved, kind, rows, boundaries)
    is_ahead = kind.may_lie_ahead and not resolved.frame.has_begun
    is_missing = not table.total.n and not resolved.lacks_contacts and not is_ahead
    missing = await missing_period(session, resolved, first_fact(resolved)) if is_missing else None
    return _answer(
        request,
        resolved,
        kind,
        table,
        boundaries,
        statement,
        excluded=excluded,
        missing=missing,
        answered_from=summed.answered_from,
    )


def _table(
    request: ResolvedKpiRequest, kind: KpiKind, rows: Sequence[StatementRow], boundaries: tuple[datetime, ...]
) -> FigureTable:
    table = kind.tabulated(rows, len(boundaries) - 1 if boundaries else None)
    table = kind.adjusted(request, table, boundaries)
    if request.kpi.has_money or kind.divides_amounts:
        reporting = request.context.accord.reporting.currency
        return replace(table, currency=reporting) if reporting else in_one_currency(table)
    return table


async def _with_kept(
    session: ReadSession, requested: KpiRequest, request: ResolvedKpiRequest, kind: KpiKind
) -> ResolvedKpiRequest:
    """With `top`: the request with the groups to keep. One more statement finds those with the highest values."""
    if requested.top is None:
        return request
    kept = requested.kept
    if kept is None:
        whole = replace(request, grain=None)
        records = await limited_rows(session, request.by, kpi_statement(whole, kind, (), counts_excluded=False))
        rows = [StatementRow.read(record, whole.key_count) for record in records]
        kept = highest(kind, _table(whole, kind, rows, ()), requested.top)
    return replace(request, kept=kept)


def kpi_statement(
    request: ResolvedKpiRequest, kind: KpiKind, boundaries: tuple[datetime, ...], *, counts_excluded: bool
) -> Sql:
    """The statement of a request; with `counts_excluded`, it counts the excluded records, too."""
    unsummed = without_sums(request)
    if not counts_excluded:
        return kind.statement(unsummed, boundaries)
    left_out = kind.excluded(excluded_only(replace(request, sums=None)))
    return with_excluded(request, left_out, kind.statement(beside_excluded(unsummed), boundaries))


def _beside(answer: KpiAnswer, others: Sequence[KpiAnswer]) -> KpiAnswer:
    """An answer with the warnings that only concern it beside the other answers of the request."""
    found = (*answer.warnings, *different_meanings(answer, others))
    return replace(answer, warnings=in_order(found))


def _answer(
    requested: KpiRequest,
    request: ResolvedKpiRequest,
    kind: KpiKind,
    table: FigureTable,
    boundaries: tuple[datetime, ...],
    statement: Sql,
    *,
    excluded: Excluded,
    missing: AnswerWarning | None,
    answered_from: AnsweredFrom,
) -> KpiAnswer:
    """Put an answer together. Without contacts or data of the period its value is null, which is not the same as 0."""
    kpi, context = request.kpi, request.context
    whole = FigureDrillDown(request, kept_currency=table.kept_currency)
    # A series without a start of its own starts with the first bucket in which anything was counted.
    skipped = buckets_before_first(table, boundaries) if request.frame.interval.start is None else 0
    shown, shown_in = table.without_first(skipped), shown_buckets(request, boundaries)
    answer = KpiAnswer(
        **drilled_figure(kind, table.total, whole),
        key=kpi.key,
        title=kpi.title,
        definition=kpi.definition,
        unit=kpi.unit,
        currency=table.currency,
        series=series(table, kind, shown_in, whole, skipped),
        breakdown=breakdown(request, kind, table, shown_in, skipped),
        warnings=kpi_warnings(
            request,
            shown,
            kind.empty_reason(request),
            kind.warnings(request, shown),
            kind.tables(request),
            kind.row_noun,
            empty_code=kind.empty_code,
            missing=missing,
        ),
        dimensions=request.dimensions,
        excluded=excluded,
        is_canonical=not request.overrides,
        overrides=request.overrides,
        accords=context.accords_in(request.frame.interval.start, request.frame.until),
        period=answered_period(request.frame),
        as_of=request.frame.as_of,
        known_at=context.known_at,
        evaluated_at=context.evaluated_at if request.reads_entries else None,
        answered_from=answered_from,
        data_watermark=context.watermark if request.is_about_contacts else table.total.updated_at,
        sql=readable(context.with_facts(statement)),
        request=requested,
        kept=request.kept,
    )
    return answer if missing is None and not request.lacks_contacts else _without_values(answer)


def _without_values(answer: KpiAnswer) -> KpiAnswer:
    """The answer with null for every value, and without groups: 0 would be a figure."""
    empty = tuple(replace(bucket, value=None, numerator=None, denominator=None, parts=()) for bucket in answer.series)
    return replace(answer, value=None, numerator=None, denominator=None, parts=(), series=empty, breakdown=())


async def _boundaries(session: ReadSession, request: ResolvedKpiRequest, kind: KpiKind) -> tuple[datetime, ...]:
    """The boundaries of the buckets; empty if no grain was requested, or there is nothing before `asOf`."""
    frame = request.frame
    if request.grain is None:
        return ()
    first = frame.interval.start or await session.value(kind.first_instant(request))
    if first is None or first >= frame.until:
        return ()
    return buckets(frame.days, first, frame.as_of, request.grain, frame.zone, request.context.accord.reporting)


def _known(key: str) -> Kpi:
    if key not in CATALOGUE:
        raise AccordError(ErrorCode.BAD_INPUT, f"There is no KPI '{key}'.", f"The KPIs are {', '.join(CATALOGUE)}.")
    return CATALOGUE[key]
