"""A breakdown by three dimensions agrees with the total, and with the filter that selects each of its groups."""

from dataclasses import replace
from decimal import Decimal

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.metrics.answer import Group
from api.metrics.query import query_funnel
from api.metrics.request import FunnelRequest, KpiRequest, StagePair, Where
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.kinds import Kind
from tests.sample.kpi_answers import ask, try_to_ask
from tests.sample.test_recount import NOW, PAIRED

OF_PEOPLE = (Dimension.COUNTRY, Dimension.LEAD_SOURCE, Dimension.CHANNEL)
CASES = [key for key, kpi in CATALOGUE.items() if kpi.kind is not Kind.FORMULA]


def three_of(key: str) -> tuple[Dimension, ...]:
    """Three dimensions of a KPI whose values are texts with few values."""
    allowed = CATALOGUE[key].dimensions
    wished = (*OF_PEOPLE, Dimension.PIPELINE, Dimension.INDUSTRY, Dimension.TEAM)
    return tuple(dimension for dimension in wished if dimension in allowed)[:3]


def only(group: Group) -> Where:
    return Where(tests=tuple((key.dimension, (key.id or key.value,)) for key in group.keys))


@pytest.mark.parametrize("key", CASES)
async def test_each_group_is_the_answer_to_its_own_filter_and_all_of_them_are_the_total(
    key: str, company: Database
) -> None:
    by = three_of(key)
    assert len(by) == 3
    request = KpiRequest(key, by=by, stages=StagePair("mql", "opportunity") if key in PAIRED else None)
    answer = await try_to_ask(company, request)
    if isinstance(answer, AccordError):
        assert answer.code is ErrorCode.TOO_MANY_GROUPS
        request = replace(request, where=Where(tests=((by[0], ("DE",)),)))
        answer = await ask(company, request)
    assert len({group.keys for group in answer.breakdown}) == len(answer.breakdown)
    assert sum(group.n for group in answer.breakdown) == answer.n
    kpi = CATALOGUE[key]
    if kpi.kind in (Kind.COUNT, Kind.SUM) and answer.value is not None:
        assert sum((group.value or Decimal(0) for group in answer.breakdown), Decimal(0)) == answer.value
    for group in answer.breakdown[:: max(1, len(answer.breakdown) // 3)]:
        alone = await ask(company, replace(request, by=(), where=only(group)))
        expected = (alone.value, alone.n, alone.numerator, alone.distribution)
        assert (group.value, group.n, group.numerator, group.distribution) == expected


async def test_a_funnel_by_three_dimensions_adds_up_with_equal_first_values_together(company: Database) -> None:
    async with company.read() as session:
        request = FunnelRequest(by=OF_PEOPLE, where=Where(tests=((Dimension.COUNTRY, ("DE", "FR")),)))
        funnel = await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)
    for place, step in enumerate(funnel.stages):
        assert sum(group.stages[place].reached or 0 for group in funnel.breakdown) == (step.reached or 0)
    for length in (1, 2, 3):
        starts = [group.keys[:length] for group in funnel.breakdown]
        runs = [start for before, start in zip([None, *starts], starts, strict=False) if before != start]
        assert len(runs) == len(set(runs))
