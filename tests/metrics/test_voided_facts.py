"""Voided touchpoints and roles count nowhere: all is as in a database that never had them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import pytest

from api.access.evaluation import is_current
from api.access.principal import LOCAL_OPERATOR
from api.db import Database, ReadSession
from api.funnel.evaluate import evaluate
from api.metrics.query import query_funnel
from api.metrics.request import FunnelRequest, KpiRequest
from api.sql import Sql
from api.workflows.make_sample import make_sample
from schema.kpis import CATALOGUE
from schema.kpis.dimensions import PERSON_DIMENSIONS
from tests.metrics.test_scope import NOW, WITHOUT_VALUE, computed, requests, values

# Two thirds of the facts stay, so that every KPI counts something on both sides.
_VOID = """
update touchpoint set voided_at = now(), void_reason = 'wrong' where hashtext(id::text) % 3 = 0;
update deal_contact set voided_at = now() where hashtext(contact_id::text) % 3 = 0;
"""
_FORGET = "delete from touchpoint where voided_at is not null; delete from deal_contact where voided_at is not null"
_ENTRIES = Sql(
    "select contact_id, stage, occurrence, entered_at, own_at, exited_at, exit_kind, present_at from stage_entry"
    " where evaluation_id = (select v.id from evaluation v where {}) order by contact_id, stage, occurrence",
    is_current("v"),
)


_UNVOID = "update touchpoint set voided_at = null, void_reason = null; update deal_contact set voided_at = null"
# KPIs of deals in which a role may matter, if at all, only by who is a tester.
_OF_FACTS = (
    "inquiries mqls sqls opportunities_created deals_won new_customers revenue_won speed_to_lead time_in_stage"
    " touches_per_contact_7d over_pressure_rate inquiry_to_mql"
).split()


class _RolledBackError(Exception):
    """Ends a transaction that must not leave anything."""


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    """A sample with testers, whose deals may have other people too, and with deals that have no company."""
    async with module_database.write() as session:
        await make_sample(session, contacts=400, seed=7, until=date(2026, 6, 30))
        await session.script("update contact set is_test = true where hashtext(id::text) % 4 = 0")
        await session.script("update deal set company_id = null where hashtext(id::text) % 2 = 0")
        await session.script(_VOID)
        await evaluate(session, as_of=NOW)
    return module_database


@asynccontextmanager
async def after(database: Database, script: str) -> AsyncIterator[ReadSession]:
    """A session on the database after a script, with the entries that follow from it; nothing of it stays."""
    try:
        async with database.write() as session:
            await session.script(script)
            await evaluate(session, as_of=NOW)
            yield ReadSession(session.connection)
            raise _RolledBackError
    except _RolledBackError:
        pass


def batches() -> dict[str, list[KpiRequest]]:
    """For each KPI: alone, and by its first and last dimension."""
    return {key: [it for it in requests(kpi) if len(it.by) != 1] for key, kpi in CATALOGUE.items()}


async def test_every_kpi_is_that_of_a_database_without_the_voided_facts(company: Database) -> None:
    async with company.read() as session:
        found = {key: await computed(session, LOCAL_OPERATOR, batch) for key, batch in batches().items()}
    async with after(company, _FORGET) as session:
        expected = {key: await computed(session, LOCAL_OPERATOR, batch) for key, batch in batches().items()}
    for key, answers in found.items():
        for (answer, drilled), (plain, listed) in zip(answers, expected[key], strict=True):
            assert values(answer) == values(plain), key
            assert drilled == listed, key
        assert answers[0][0].n or key in WITHOUT_VALUE, key


async def test_the_funnel_and_its_entries_are_those_of_a_database_without_the_voided_facts(company: Database) -> None:
    batch = [FunnelRequest(), *(FunnelRequest(by=(dimension,)) for dimension in PERSON_DIMENSIONS)]
    async with company.read() as session:
        entries = await session.rows(_ENTRIES)
        found = [values(await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)) for request in batch]
    async with after(company, _FORGET) as session:
        assert entries == await session.rows(_ENTRIES)
        assert found == [values(await query_funnel(session, LOCAL_OPERATOR, request, now=NOW)) for request in batch]


async def test_these_facts_would_change_kpis_if_they_were_not_voided(company: Database) -> None:
    """Else the tests above could not fail."""
    batch = [next(requests(CATALOGUE[key])) for key in _OF_FACTS if key in CATALOGUE]
    async with company.read() as session:
        voided = await computed(session, LOCAL_OPERATOR, batch)
    async with after(company, _UNVOID) as session:
        counted = await computed(session, LOCAL_OPERATOR, batch)
    same = [
        answer.key for (answer, _), (other, _) in zip(voided, counted, strict=True) if values(answer) == values(other)
    ]
    assert same == []
