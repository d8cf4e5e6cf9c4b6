"""No join of a statement multiplies what is counted: each finds at most one row, or is declared here to find several.

Read are the statements that answer: of every KPI and of the funnel, as a whole, by each dimension and by two, from
journeys and from facts. A join that cannot be told to be of one row fails until it is declared, with its reason. What
finds at most one row is told from the unique keys of the tables, and from the text of sub-selects.
"""

import re
from collections.abc import Iterator

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.metrics.answer import KpiAnswer
from api.metrics.funnels.funnel_answer import FunnelAnswer
from api.metrics.query import query_funnel, query_kpis
from api.metrics.request import FunnelRequest, KpiRequest, StagePair
from schema.kpis import CATALOGUE
from schema.kpis.dimension_vocab import Dimension
from schema.kpis.dimensions import PERSON_DIMENSIONS
from schema.kpis.kpi import Kpi
from schema.vocab import Grain
from tests.sample.test_recount import NOW, PAIRED
from tests.support.from_clauses import FromClause, from_clauses
from tests.support.journeys import answer_from_journeys

# A record counts at each of several instants, buckets or days, which are bound arrays or lists of constants, not rows
# of tables: its rows differ by them, and are grouped by them.
INSTANTS = {
    ("deal", "unnest"): "open deals, at each instant of a series",
    ("deal_span", "generate_series"): "open deals, at each instant of a series",
    ("stage_entry", "generate_series"): "people in a stage, at each instant of a series",
    ("reported_stage", "generate_series"): "people in a stage that a CRM reports, at each instant of a series",
    ("touchpoint", "generate_series"): "touches of the seven days before each instant of a series",
    ("deal_span", "unnest"): "open deals at an instant, with the days on which they should close for it: one row each",
    ("deal_version", "unnest"): "the same, from facts",
    ("campaign_cost", "unnest"): "costs of a range of days, with the part of each bucket",
    ("touchpoint", "values"): "a person counts in the bucket, and in the total",
    ("contact_version", "values"): "a person counts in the bucket, and in the total",
    ("handoff", "values"): "a handed over person counts in the bucket, and in the total",
    ("stage_entry", "values"): "a stay counts in its group, and in all groups together",
    ("journey", "values"): "an excluded person counts for its reason, and those merged into it for theirs",
    ("handoff_journey", "values"): "the same",
    ("stage_entry", "unnest"): "the time in a stage, cut by the buckets, and into its spans",
    ("unnest", "generate_series", "unnest"): "the opening times of each day of each time zone: no record is read",
}
HIGHEST = r"select (c\.key_\d, )*max\(e.rank\) as rank, max\(e.rank\) filter "
COUNTED = r"select (x.reason|coalesce\(x.reason, .*\)) as reason, count\(\*\) as n$"
# Facts of several records: what may be selected from them is which deals there are, or how many.
FACTS = {
    ("contact", "deal_contact"): (
        "select (a.deal_id$|r.deal_id, case when bool_or)",
        "deals of excluded people, by deal",
    ),
    ("deal", "deal_contact", "touchpoint"): ("select o.deal_id, ", "touches before a deal opened, grouped by deal"),
    ("stage_entry", "stage_entry"): (HIGHEST, "the stages of a person, for the highest one: grouped by person"),
    ("journey", "stage_entry"): (HIGHEST, "the same, of people from journeys"),
    ("deal", "deal"): (COUNTED, "deals that are deleted, or of excluded people alone: no deal is both"),
    ("deal_version", "deal"): (COUNTED, "the same, of open deals"),
}
ALL_BY: tuple[Dimension, ...] = ()


def breakdowns(kpi: Kpi) -> Iterator[tuple[Dimension, ...]]:
    """No dimension, each, and each with the next one."""
    yield ALL_BY
    yield from ((dimension,) for dimension in kpi.dimensions)
    yield from zip(kpi.dimensions, kpi.dimensions[1:], strict=False)


def undeclared(statement: str) -> list[FromClause]:
    """The FROM clauses whose rows multiply each other, and that are not declared to."""
    return [clause for clause in from_clauses(statement) if clause.multiplied and not is_declared(clause)]


def is_declared(clause: FromClause) -> bool:
    chosen, _ = FACTS.get(clause.multiplied, ("", ""))
    # No amount is added up over rows that facts multiply.
    is_of_facts = bool(chosen and re.match(chosen, clause.chosen) and "sum(" not in clause.chosen)
    return is_of_facts or clause.multiplied in INSTANTS


@pytest.mark.parametrize("key", CATALOGUE)
async def test_each_join_finds_at_most_one_row_or_is_declared(source: Database, key: str) -> None:
    kpi = CATALOGUE[key]
    pair = StagePair("mql", "opportunity") if key in PAIRED else None
    requests = [KpiRequest(key, stages=pair, by=by, grain=None if by else Grain.QUARTER) for by in breakdowns(kpi)]
    async with source.read() as session:
        for answer in await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW):
            assert isinstance(answer, KpiAnswer), answer
            assert undeclared(answer.sql) == []


async def test_each_join_of_the_funnel_finds_at_most_one_row(source: Database) -> None:
    async with source.read() as session:
        for by in (ALL_BY, *((dimension,) for dimension in PERSON_DIMENSIONS)):
            answer = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(by=by), now=NOW)
            assert isinstance(answer, FunnelAnswer)
            assert undeclared(answer.sql) == []


async def test_no_declaration_is_left_over(company: Database) -> None:
    found: set[tuple[str, ...]] = set()
    for is_allowed in (True, False):
        async with company.write() as session:
            await answer_from_journeys(session, is_allowed=is_allowed)
        async with company.read() as session:
            pair = StagePair("mql", "opportunity")
            requests = [
                KpiRequest(key, stages=pair if key in PAIRED else None, by=by, grain=None if by else Grain.QUARTER)
                for key, kpi in CATALOGUE.items()
                for by in (ALL_BY, kpi.dimensions[:1])
            ]
            for answer in await query_kpis(session, LOCAL_OPERATOR, requests, now=NOW):
                assert isinstance(answer, KpiAnswer), answer
                found |= {clause.multiplied for clause in from_clauses(answer.sql)}
            for by in (ALL_BY, PERSON_DIMENSIONS[:1], (PERSON_DIMENSIONS[-1],)):
                funnel = await query_funnel(session, LOCAL_OPERATOR, FunnelRequest(by=by), now=NOW)
                assert isinstance(funnel, FunnelAnswer)
                found |= {clause.multiplied for clause in from_clauses(funnel.sql)}
    assert {*INSTANTS, *FACTS} <= found


WON = "select c.deal_id, c.amount from deal c where c.outcome = 'WON'"


@pytest.mark.parametrize(
    "statement",
    [
        "select sum(d.amount) from deal d join touchpoint t on t.deal_id = d.id",
        f"select sum(w.amount) from ({WON}) w left join touchpoint t on t.deal_id = w.deal_id and t.voided_at is null",
        f"select sum(w.amount) from ({WON}) w, touchpoint t where t.deal_id = w.deal_id",
        (
            f"with w as materialized ({WON}) select sum(w.amount) from w cross join lateral"
            " (select t.id from touchpoint t where t.deal_id = w.deal_id) t"
        ),
        "select (select sum(d.amount) from deal d join deal_contact r on r.deal_id = d.id) as amount",
        "select sum(d.amount) from deal d join deal_version v on v.deal_id = d.id",
        "select sum(d.amount) from deal d join deal_version v on v.deal_id = d.id and v.valid_to is null or true",
        "select 1 from deal d join (select r.deal_id from deal_contact r group by r.contact_id) r on r.deal_id = d.id",
        "select 1 from deal d join (select distinct r.deal_id, r.role from deal_contact r) r on r.deal_id = d.id",
        "select 1 from deal d join member m on m.id = d.owner_id or m.id = d.created_by_id",
        "select 1 from deal d join stage_entry e on e.contact_id = d.contact_id and e.stage = 'mql'",
        "select sum(d.amount) from deal d join deal_contact r using (deal_id)",
        "select 1 from deal d join (select r.deal_id, r.role from deal_contact r group by 1, 2) r using (deal_id)",
    ],
)
def test_a_join_that_may_find_several_rows_is_not_declared(statement: str) -> None:
    assert undeclared(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "select sum(d.amount) from deal d left join member m on m.id = d.owner_id left join team t on t.id = m.team_id",
        (
            "select sum(d.amount) from deal d join (select r.deal_id, count(*) as n from deal_contact r"
            " group by r.deal_id) r on r.deal_id = d.id"
        ),
        (
            "select sum(d.amount) from deal d cross join lateral (select t.channel from touchpoint t"
            " where t.deal_id = d.id order by t.occurred_at limit 1) t"
        ),
        (
            "select 1 from deal d left join (select distinct on (t.deal_id) t.deal_id, t.channel from touchpoint t"
            " order by t.deal_id, t.occurred_at) t using (deal_id)"
        ),
        "select x.n, m.* from (select count(*) as n from deal) x left join touchpoint m on true",
        "select d.amount from deal d where exists (select from touchpoint t where t.deal_id = d.id)",
        (
            "select 1 from touchpoint t join (select e.contact_id from stage_entry e where (e.stage = 'mql') and"
            " (e.evaluation_id = 'x') and (e.occurrence = 1)) e on e.contact_id = t.contact_id"
        ),
    ],
)
def test_a_join_of_at_most_one_row_needs_no_declaration(statement: str) -> None:
    assert undeclared(statement) == []
