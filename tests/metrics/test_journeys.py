"""Answers from journeys are those from facts, for generated contacts and requests."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.errors import AccordError
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, Switches
from api.metrics.resolved_request import dimensions_of
from schema.kpis.answer_vocab import AnsweredFrom
from schema.kpis.declared_dimensions import DECLARED_DIMENSIONS
from schema.vocab import Anchor, RecordSide, Reentry
from tests.metrics import generated_activity, oracle
from tests.metrics.generated_contacts import NOW, Person, load, worlds
from tests.metrics.test_activity_against_oracle import requests as activity_requests
from tests.metrics.test_against_oracle import QUICK, RARE_INSTANTS, conversions, filters, periods, requests
from tests.support.examples import examples
from tests.support.journeys import answer_from_journeys, derive_journeys

Request = KpiRequest | FunnelRequest
Answer = KpiAnswer | FunnelAnswer


@st.composite
def funnels(draw: st.DrawFn) -> FunnelRequest:
    dimensions = st.lists(st.sampled_from([*oracle.CARRIED, oracle.SOURCE_DETAIL]), max_size=2, unique=True)
    return FunnelRequest(draw(periods()), tuple(draw(dimensions)), draw(filters()), Switches(as_of=draw(RARE_INSTANTS)))


def first_entries(request: KpiRequest) -> KpiRequest:
    """The request for first entries, which journeys have, of those that the oracle knows."""
    switches = request.switches
    scope = switches.filter_scope if switches.anchor is Anchor.PERIOD else None
    chosen = replace(switches, reentry=Reentry.FIRST, exclusions=None, filter_scope=scope)
    return replace(request, switches=chosen)


@settings(QUICK, max_examples=examples(40))
@given(
    world=worlds(),
    batch=st.lists((requests() | conversions()).map(first_entries), min_size=4, max_size=7),
    more=st.lists(funnels(), min_size=1, max_size=2),
)
async def test_answers_from_journeys_are_those_from_facts(
    ready: tuple[Database, UUID], world: list[Person], batch: list[KpiRequest], more: list[FunnelRequest]
) -> None:
    database, version = ready
    async with database.write() as session:
        await load(session, world, version)
        await derive_journeys(session)
    await compare(database, (*batch, *more), NOW)


@settings(QUICK, max_examples=examples(30))
@given(
    found=generated_activity.worlds(),
    batch=st.tuples(*(activity_requests(key) for key in ("speed_to_lead", "mql_acceptance", "rejection_rate"))),
)
async def test_waits_and_decisions_from_journeys_are_those_from_facts(
    ready: tuple[Database, UUID], found: list[generated_activity.Known], batch: tuple[KpiRequest, ...]
) -> None:
    database, version = ready
    async with database.write() as session:
        await generated_activity.load(session, found, version)
        await derive_journeys(session)
    decided = tuple(replace(request, switches=replace(request.switches, anchor=None)) for request in batch)
    await compare(database, decided, NOW)


async def compare(database: Database, wanted: Sequence[Request], now: datetime) -> None:
    """Require the answers, and their records, to be the same from journeys and from facts."""
    quick = await answers(database, wanted, now, AnsweredFrom.JOURNEYS)
    slow = await answers(database, wanted, now, AnsweredFrom.FACTS)
    for request, one, other in zip(wanted, quick, slow, strict=True):
        assert one == other, request


async def answers(
    database: Database, wanted: Sequence[Request], now: datetime, source: AnsweredFrom, *, is_strict: bool = True
) -> list[tuple[Answer, list[object]] | str]:
    """Return each answer without its statement, with its records; of a rejected request the message."""
    async with database.write() as session:
        await answer_from_journeys(session, is_allowed=source is AnsweredFrom.JOURNEYS)
    found: list[tuple[Answer, list[object]] | str] = []
    async with database.read() as session:
        for request in wanted:
            answer = await answered(session, request, now)
            if isinstance(answer, AccordError):
                found.append(answer.message)
                continue
            assert answer.answered_from is source or not is_strict or not are_carried(request), request
            found.append((replace(answer, sql="", answered_from=AnsweredFrom.FACTS), await records(session, answer)))
    return found


def are_carried(request: Request) -> bool:
    """Whether journeys have the dimensions of a request: those that columns declare are read from facts."""
    tested = {*request.by, *dimensions_of(request.where)}
    return not any(dimension.value in DECLARED_DIMENSIONS for dimension in tested)


async def answered(session: ReadSession, request: Request, now: datetime) -> Answer | AccordError:
    if isinstance(request, FunnelRequest):
        try:
            return await query_funnel(session, LOCAL_OPERATOR, request, now=now)
        except AccordError as error:
            return error
    [answer] = await query_kpis(session, LOCAL_OPERATOR, [request], now=now)
    return answer


async def records(session: ReadSession, answer: Answer) -> list[object]:
    """Return the records of the whole and of the last group; of a funnel those of every stage."""
    figures = answer.stages if isinstance(answer, FunnelAnswer) else (answer, *answer.breakdown[-1:])
    found: list[object] = []
    for figure in figures:
        assert figure.drill_down is not None
        page = await read_page(session, figure.drill_down, RecordSide.BASE, size=500)
        found.append(page.records)
    return found
