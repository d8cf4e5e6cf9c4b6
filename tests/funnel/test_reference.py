"""The SQL evaluator gives the same entries as the plain Python one, on generated histories and generated accords."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database, WriteSession
from api.funnel.evaluate import derived
from api.funnel.flat_rule import is_flat
from api.funnel.ladder import ladder_of
from api.funnel.lifetimes import VisibleFacts
from api.funnel.normal_form import normal_form
from api.funnel.reference import CompanyHistories, ContactHistory, ReferenceEntry, entries_of
from api.funnel.stage_statement import sweep_statement
from api.sql import Sql
from schema.accord import Accord
from tests.funnel import histories
from tests.funnel.stored_facts import write_facts
from tests.support.random_choices import RandomChoices

_DERIVED = (
    "select contact_id, stage, rank, occurrence, entered_at, own_at, exited_at, exit_kind, is_implied from ({}) found"
    " order by contact_id, rank, occurrence"
)
AFTER_ALL = histories.START + timedelta(days=400)


class _RollBack(Exception):  # noqa: N818 - not an error
    """Ends a transaction whose facts nobody needs any more."""


@asynccontextmanager
async def scratch(database: Database) -> AsyncIterator[WriteSession]:
    """A unit of work that leaves nothing."""
    try:
        async with database.write() as session:
            yield session
            raise _RollBack
    except _RollBack:
        pass


async def compare(
    database: Database, accord: Accord, people: list[ContactHistory], companies: CompanyHistories, as_of: datetime
) -> int:
    """Judge the same facts twice; the number of entries."""
    async with scratch(database) as session:
        ids = await write_facts(session, people, companies)
        async with derived(session, accord, as_of) as found:
            rows = await session.rows(Sql(_DERIVED, found))
            await compare_with_sweeps(session, accord, as_of)
    by_sql: dict[object, list[ReferenceEntry]] = {key: [] for key in ids}
    for contact, *values in rows:
        by_sql[contact].append(ReferenceEntry(*values))
    for key, person in zip(ids, people, strict=True):
        assert by_sql[key] == entries_of(person, companies, accord, as_of), (
            accord.canonical(),
            person,
            companies,
            as_of,
        )
    return len(rows)


async def compare_with_sweeps(session: WriteSession, accord: Accord, as_of: datetime) -> None:
    """Judge by the one way that compiles every rule, which also looks for merged people: the moments are the same."""
    await session.script("create temp table by_any_way on commit drop as select * from funnel_own")
    await session.script("truncate funnel_own")
    ladder = ladder_of(accord)
    for rung in ladder.rungs:
        seen = VisibleFacts(as_of, has_merged=True)
        await session.run(sweep_statement(normal_form(rung.stage.rule), ladder, rung, seen))
    differing = "select * from ({} except all {}) d union all select * from ({} except all {}) d"
    one, other = Sql("select * from funnel_own"), Sql("select * from by_any_way")
    assert await session.rows(Sql(differing, one, other, other, one)) == [], (accord.canonical(), as_of)
    await session.script("drop table by_any_way")


async def compare_generated(database: Database, chance: RandomChoices, size: int) -> int:
    accord = histories.accord(chance)
    companies = histories.companies(chance)
    people = list(chance.several(1, size, lambda: histories.person(chance)))
    as_of = histories.instant(chance) if chance.happens(4) else AFTER_ALL
    return await compare(database, accord, people, companies, as_of)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_sql_and_reference_agree(module_database: Database, data: st.DataObject) -> None:
    await compare_generated(module_database, RandomChoices.of_hypothesis(data), size=3)


async def test_sql_and_reference_agree_on_many(module_database: Database) -> None:
    entries = [await compare_generated(module_database, RandomChoices.of_seed(seed), size=40) for seed in range(40)]
    assert sum(entries) > 400


def test_generated_rules_go_both_ways_of_compiling() -> None:
    forms = [
        normal_form(stage.rule) for seed in range(40) for stage in histories.accord(RandomChoices.of_seed(seed)).stages
    ]
    flat = [form for form in forms if is_flat(form)]
    assert sum(len(form.leaves) > 1 for form in flat) > 15
    assert sum(len(form.leaves) == 1 for form in flat) > 15
    assert len(forms) - len(flat) > 30
