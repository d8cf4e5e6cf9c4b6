"""Ask KPIs: every question one statement, all of one snapshot."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from api.access.principal import Principal
from api.db import ReadSession
from api.errors import AccordError, ErrorCode
from api.metrics.answer import FunnelAnswer, KpiAnswer
from api.metrics.cautions import cautions, is_without_people
from api.metrics.figures import before_the_first, in_one_currency, parts, series, tabulate
from api.metrics.filters import condition
from api.metrics.funnel import funnel
from api.metrics.ground import Ground, ground, who_is_known
from api.metrics.groups import breakdown
from api.metrics.periods import buckets
from api.metrics.question import Question, settle
from api.metrics.readable import readable
from api.metrics.reasons import of_everything_decided
from api.metrics.records import Place
from api.metrics.request import FunnelRequest, KpiRequest
from api.metrics.statements import outset, statement
from schema.kpis import CATALOGUE
from schema.kpis.kinds import Kind, Kpi
from schema.vocab import Unit


async def ask(
    session: ReadSession, principal: Principal, requests: Sequence[KpiRequest], *, now: datetime | None = None
) -> list[KpiAnswer | AccordError]:
    """Answer each request, or say why it has no answer: one bad request leaves the others standing.

    Shapes: n KpiRequests -> n KpiAnswers or AccordErrors, in their order.
    Reads:  one statement a request, all of one snapshot.
    Units:  counts and shares as decimals, money in the answer's currency, durations in seconds; instants UTC.
    Errors: NO_ACCORD, for all of them at once.
    """
    stands_on = await ground(session, principal, now or datetime.now(UTC))
    answers: list[KpiAnswer | AccordError] = []
    for request in requests:
        try:
            answers.append(await answer(session, _known(request.key), request, stands_on))
        except AccordError as error:
            answers.append(error)
    return answers


async def ask_funnel(
    session: ReadSession, principal: Principal, request: FunnelRequest, *, now: datetime | None = None
) -> FunnelAnswer:
    """Follow the people who entered the first stage in the period.

    Shapes: one FunnelRequest -> one FunnelAnswer. Reads only; one statement.
    Errors: NO_ACCORD; NOT_EVALUATED; BAD_INPUT; BAD_PERIOD.
    """
    return await funnel(session, request, await ground(session, principal, now or datetime.now(UTC)))


async def answer(session: ReadSession, kpi: Kpi, request: KpiRequest, stands_on: Ground) -> KpiAnswer:
    """Answer one question about one KPI.

    Errors: BAD_INPUT, UNKNOWN_STAGE, BAD_PERIOD, NOT_EVALUATED.
    """
    question = settle(kpi, request, stands_on)
    is_nobody = is_without_people(question)
    boundaries = () if is_nobody else await _boundaries(session, question)
    _ = condition(request.where, kpi.subject, stands_on.accord)  # refuses what cannot be, whoever is known
    # Where nobody is known, that is the answer, whatever the question would need.
    asked = who_is_known(question.ground.accord) if is_nobody else statement(question, boundaries)
    # The whole of a state is what stood at the end of its last bucket.
    last = len(boundaries) - 1 if kpi.kind is Kind.SNAPSHOT and boundaries else None
    rows = [] if is_nobody else await session.rows(asked)
    table = of_everything_decided(question, tabulate(map(dict, rows), len(question.by), last))
    if kpi.unit is Unit.MONEY:
        reporting = stands_on.accord.reporting.currency
        table = replace(table, currency=reporting) if reporting else in_one_currency(table)
    total = parts(kpi.kind, table.total)
    if is_nobody:
        total = {**total, "value": None, "numerator": None, "denominator": None}
    # Where the period has no beginning of its own, its series begins with the first thing counted.
    skipped = before_the_first(table, boundaries) if question.frame.stretch.start is None else 0
    return KpiAnswer(
        **total,
        key=kpi.key,
        title=kpi.title,
        definition=kpi.definition,
        unit=kpi.unit,
        currency=table.currency,
        series=() if is_nobody else series(table, kpi.kind, boundaries, Place(question), skipped),
        breakdown=() if is_nobody else breakdown(question, table, boundaries, skipped),
        warnings=cautions(question, table),
        is_canonical=not question.overrides,
        overrides=question.overrides,
        accords=stands_on.accords,
        as_of=question.frame.as_of,
        data_watermark=stands_on.watermark if question.is_about_people else table.total.told_at,
        sql=readable(asked),
        behind=Place(question),
    )


async def _boundaries(session: ReadSession, question: Question) -> tuple[datetime, ...]:
    """The buckets' boundaries, if a grain was asked and there is anything to put into them."""
    frame = question.frame
    if question.grain is None:
        return ()
    first = frame.stretch.start or await session.value(outset(question))
    if first is None or first >= frame.as_of:
        return ()
    week_start = question.ground.accord.reporting.week_start
    return buckets(frame.days, first, frame.as_of, question.grain, frame.zone, week_start)


def _known(key: str) -> Kpi:
    if key not in CATALOGUE:
        raise AccordError(ErrorCode.BAD_INPUT, f"There is no KPI '{key}'.", f"There are {', '.join(CATALOGUE)}.")
    return CATALOGUE[key]
