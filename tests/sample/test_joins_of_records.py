"""No join multiplies what is counted: in statements with `top`, with filters over records, and in lists of records.

Beside `test_joins_of_statements`, whose declarations hold here too. Lists are read as they are sent to the server: the
records behind a whole figure, its first bucket, its first group and the group Other, and behind each of its parts.
"""

import asyncio
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from asyncpg.connection import LoggedQuery

from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.graph.contract import read_filter
from api.metrics.answer import DrillDown, KpiAnswer, KpiFigure
from api.metrics.dimensions import RECORD_OF
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.readable_sql import literal
from api.metrics.record_lists.record_pages import read_page
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Where
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kinds import Subject
from schema.kpis.kpi import Kpi
from schema.vocab import Grain, RecordSide
from tests.graph.test_kpi_record_filters import FILTERS
from tests.sample.test_joins_of_statements import undeclared
from tests.sample.test_recount import NOW, PAIRED
from tests.support.examples import examples
from tests.support.from_clauses import FromClause

ACROSS: dict[Subject, tuple[dict[str, Any], ...]] = {
    Subject.PERSON: (
        *FILTERS[Subject.PERSON],
        {"company": {"deals": {"some": {"touchpoints": {"some": {"channel": {"eq": "EMAIL"}}}}}}},
    ),
    Subject.DEAL: (
        *FILTERS[Subject.DEAL],
        {"company": {"contacts": {"some": {"touchpoints": {"count": {"gte": 1}}}}}},
    ),
}


def three_at_a_time(dimensions: Sequence[Dimension]) -> list[tuple[Dimension, ...]]:
    return [tuple(dimensions[place : place + 3]) for place in range(0, len(dimensions), 3)]


def filters(subject: Subject) -> Iterator[Where]:
    for given in ACROSS[subject]:
        yield read_filter(json.dumps({RECORD_OF[subject]: given}))


def requests_of(kpi: Kpi) -> Iterator[KpiRequest]:
    """The whole; by all dimensions with `top`; with each filter, by two of them."""
    pair = StagePair("mql", "opportunity") if kpi.key in PAIRED else None
    yield KpiRequest(kpi.key, stages=pair, grain=Grain.QUARTER)
    for by in three_at_a_time(kpi.dimensions):
        yield KpiRequest(kpi.key, stages=pair, by=by, top=2, grain=Grain.QUARTER)
    for where in filters(kpi.subject) if kpi.dimensions else ():
        yield KpiRequest(kpi.key, stages=pair, by=kpi.dimensions[:2], where=where, top=2, grain=Grain.QUARTER)


def drill_downs(answer: KpiAnswer) -> Iterator[DrillDown]:
    """Those of the whole, the first group and the group Other, of the last bucket of each, and of all their parts."""
    figures: list[KpiFigure] = [answer, *answer.series[-1:]]
    for group in (*answer.breakdown[:1], *answer.breakdown[-1:]):
        figures += [group, *group.series[-1:]]
    for figure in figures:
        found = (figure.drill_down, *(part.drill_down for part in figure.parts))
        yield from (drill_down for drill_down in found if drill_down is not None)


async def list_statements(session: ReadSession, found: DrillDown) -> list[str]:
    """The statements of the first page of a list, with and without its total, and from the side of the numerator.

    They are those that the server gets, with their values as literals.
    """
    sent: list[LoggedQuery] = []
    has_pressure = found.contact_policy is not None
    with session.connection.query_logger(sent.append):
        for needs_total in (False, True):
            await read_page(
                session, found, RecordSide.BASE, size=2, needs_total=needs_total, needs_pressure=has_pressure
            )
        try:
            await read_page(session, found, RecordSide.CONVERTED, size=2)
        except AccordError as error:
            if error.code is not ErrorCode.BAD_INPUT:  # the numerator counts no records
                raise
        await asyncio.sleep(0)  # the driver logs in the next turn of the loop
    assert len(sent) >= 2
    return [with_literals(query) for query in sent]


def with_literals(sent: LoggedQuery) -> str:
    return re.sub(r"\$(\d+)", lambda place: literal(sent.args[int(place[1]) - 1]), sent.query)


def is_step(clause: FromClause) -> bool:
    """Whether a list joins the people of a funnel to their first entry into one stage.

    There is one for each person: the entries of an evaluation are numbered by person and stage. Where versions have
    other stages, there may be some, and the list is grouped by person.
    """
    chosen = "select c.id, e.entered_at as at, '' as tie, 1::numeric as value"
    return clause.chosen == chosen and clause.multiplied in (("journey", "stage_entry"), ("stage_entry", "stage_entry"))


def listed(answers: Sequence[Any]) -> Iterator[DrillDown]:
    """The lists of a sixth of the answers, of which the first one is of the whole; in thorough runs those of all."""
    for answer in answers[:: -(-len(answers) // examples(len(answers)))]:
        yield from drill_downs(answer)


@pytest.mark.parametrize("key", CATALOGUE)
async def test_each_join_of_groups_filters_and_lists_finds_at_most_one_row(source: Database, key: str) -> None:
    async with source.read() as session:
        answers = await query_kpis(session, LOCAL_OPERATOR, [*requests_of(CATALOGUE[key])], now=NOW)
        for answer in answers:
            assert isinstance(answer, KpiAnswer), answer
            assert undeclared(answer.sql) == []
        for found in listed(answers):
            statements = await list_statements(session, found)
            assert [clause for statement in statements for clause in undeclared(statement)] == []


async def test_each_join_of_the_funnels_groups_filters_and_lists_finds_at_most_one_row(source: Database) -> None:
    requests = [FunnelRequest(by=by, top=2) for by in three_at_a_time(PERSON_DIMENSIONS)]
    requests += [FunnelRequest(where=where) for where in filters(Subject.PERSON)]
    async with source.read() as session:
        for request in requests:
            answer = await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)
            assert isinstance(answer, FunnelAnswer)
            assert undeclared(answer.sql) == []
            groups = (*answer.breakdown[:1], *answer.breakdown[-1:])
            for step in (*answer.stages, *(step for group in groups for step in group.stages)):
                assert step.drill_down is not None
                statements = await list_statements(session, step.drill_down)
                multiplied = [clause for statement in statements for clause in undeclared(statement)]
                assert multiplied  # the declaration is not left over
                assert [clause for clause in multiplied if not is_step(clause)] == []
