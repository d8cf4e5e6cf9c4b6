"""No dimension multiplies what is counted: every join of one finds at most one row for each counted row.

The joins are read from the statements themselves: of every dimension of each subject, from facts and from journeys.
"""

from dataclasses import replace
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.dimensions import joins
from api.metrics.journeys.journey_dimensions import have_journeys, journey_joins
from api.metrics.readings.reading_contexts import ContextReader
from api.metrics.request import KpiRequest, StagePair, Switches, Where
from api.sql import Sql
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind, Subject
from tests.sample.kpi_answers import try_to_ask
from tests.sample.test_recount import NOW, PAIRED
from tests.support.from_clauses import from_clauses

DIMENSIONS = {
    subject: tuple(
        dict.fromkeys(dimension for kpi in CATALOGUE.values() if kpi.subject is subject for dimension in kpi.dimensions)
    )
    for subject in Subject
}
CASES = [(subject, dimension) for subject, dimensions in DIMENSIONS.items() for dimension in dimensions]
ADDED_UP = [key for key, kpi in CATALOGUE.items() if kpi.kind in (Kind.COUNT, Kind.SUM) and kpi.dimensions]


@pytest.mark.parametrize(("subject", "dimension"), CASES)
async def test_each_join_finds_at_most_one_row(company: Database, subject: Subject, dimension: Dimension) -> None:
    async with company.read() as session:
        contexts = await ContextReader.of(session, LOCAL_OPERATOR, NOW)
        context = await contexts.context(Switches())
    for has_merged in (False, True):
        context = replace(context, has_merged_contacts=has_merged)
        found = [joins(subject, (dimension,), context, NOW)]
        if have_journeys(subject, (dimension,)):
            found.append(journey_joins(subject, (dimension,), NOW))
        for sql in found:
            [clause, *_] = from_clauses(Sql("select c.* from counted c{}", sql).render()[0])
            assert clause.multiplied == ()


@pytest.mark.parametrize("key", ADDED_UP)
async def test_the_groups_of_every_dimension_add_up_to_the_total(company: Database, key: str) -> None:
    kpi = CATALOGUE[key]
    pair = StagePair("mql", "opportunity") if key in PAIRED else None
    for where in (Where(), Where(none_of=(Where(tests=((Dimension.COUNTRY, ("DE", None)),)),))):
        whole = await try_to_ask(company, KpiRequest(key, stages=pair, where=where))
        assert isinstance(whole, KpiAnswer), whole
        for dimension in kpi.dimensions:
            # With `top`, a dimension of more values than a breakdown may have adds up too.
            answer = await try_to_ask(company, KpiRequest(key, stages=pair, where=where, by=(dimension,), top=100))
            assert isinstance(answer, KpiAnswer), answer
            assert (answer.value, answer.n) == (whole.value, whole.n)
            assert sum(group.n for group in answer.breakdown) == whole.n
            if whole.value is not None:
                assert sum((group.value or Decimal(0) for group in answer.breakdown), Decimal(0)) == whole.value
