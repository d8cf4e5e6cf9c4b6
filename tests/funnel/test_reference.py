"""The SQL evaluator derives the same entries as the reference evaluator, for generated histories and accords."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import get_args
from uuid import UUID

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.accord.in_force import AccordPeriod
from api.db import Database, ScratchSession
from api.funnel.derivation import derived_entries
from api.funnel.flat_rule import is_flat
from api.funnel.ladder import ladder_of
from api.funnel.lifetimes import VisibleFacts, bound_instant
from api.funnel.normal_form import normal_form
from api.funnel.own_moments import first_of, without_entered
from api.funnel.reference import ReferenceEntry, entries_by_versions
from api.funnel.reference_facts import CompanyHistories, ContactHistory
from api.funnel.stage_statement import sweep_statement
from api.sql import Sql
from schema.clauses.rules import RuleLeaf, leaves
from tests.funnel import histories
from tests.funnel.stored_facts import write_facts
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices

_DERIVED = (
    "select contact_id, accord_version_id, stage, rank, occurrence, entered_at, own_at, exited_at, exit_kind,"
    " is_implied, cause, present_at from ({}) derived order by contact_id, rank, stage, occurrence"
)
VERSION = UUID(int=1)
AFTER_ALL = histories.START + timedelta(days=400)


async def compare(
    database: Database,
    periods: Sequence[AccordPeriod],
    contacts: list[ContactHistory],
    companies: CompanyHistories,
    as_of: datetime,
) -> int:
    """Derive the entries of the same facts in SQL and in Python, and require that they are equal; their number."""
    async with database.scratch() as session:
        ids = await write_facts(session, contacts, companies)
        async with derived_entries(session, periods, as_of) as derived:
            rows = await session.rows(Sql(_DERIVED, derived))
            await compare_with_sweeps(session, periods, as_of)
    by_contact: dict[object, list[ReferenceEntry]] = {key: [] for key in ids}
    for key, *values in rows:
        by_contact[key].append(ReferenceEntry(*values))
    for key, contact in zip(ids, contacts, strict=True):
        assert by_contact[key] == entries_by_versions(contact, companies, periods, as_of), (
            [(period.in_force_from, period.accord.canonical()) for period in periods],
            contact,
            companies,
            as_of,
        )
        require_one_present_stage(by_contact[key])
    return len(rows)


def require_one_present_stage(entries: list[ReferenceEntry]) -> None:
    """Require that at any instant one open entry is present: with one version, the highest one."""
    for at in {instant for entry in entries for instant in (entry.entered_at, entry.exited_at) if instant is not None}:
        is_open = [
            entry for entry in entries if entry.entered_at <= at and (entry.exited_at is None or entry.exited_at > at)
        ]
        present = [entry for entry in is_open if entry.present_at is not None and entry.present_at <= at]
        assert len(present) == min(len(is_open), 1)
        if len({entry.version_id for entry in entries}) == 1:
            assert present == sorted(is_open, key=lambda entry: entry.rank)[-1:]


async def compare_with_sweeps(session: ScratchSession, periods: Sequence[AccordPeriod], as_of: datetime) -> None:
    """Compile every rule to a sweep that also looks for merged contacts, and require the same moments."""
    await session.script("create temp table derived_before on commit drop as select * from funnel_own_entry")
    await session.script("truncate funnel_own_entry")
    ladder = ladder_of(periods)
    facts = VisibleFacts(bound_instant(as_of), has_merged=True)
    for step in ladder.steps:
        swept = [sweep_statement(normal_form(ranked.stage.rule), ladder, ranked, facts) for ranked in step]
        rows = first_of(swept, step[0])
        rows = without_entered(rows, step[0]) if step[0].continues else rows
        await session.run(Sql("insert into funnel_own_entry {}", rows))
    differing = "select * from ({} except all {}) d union all select * from ({} except all {}) d"
    after, before = Sql("select * from funnel_own_entry"), Sql("select * from derived_before")
    assert await session.rows(Sql(differing, after, before, before, after)) == [], (periods, as_of)
    await session.script("drop table derived_before")


async def compare_generated(database: Database, choices: RandomChoices, size: int) -> int:
    accord = histories.accord(choices)
    companies = histories.companies(choices)
    contacts = list(choices.several(1, size, lambda: histories.contact(choices)))
    as_of = histories.instant(choices) if choices.happens(4) else AFTER_ALL
    return await compare(database, (AccordPeriod(VERSION, accord),), contacts, companies, as_of)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_sql_and_reference_agree(module_database: Database, data: st.DataObject) -> None:
    await compare_generated(module_database, RandomChoices.of_hypothesis(data), size=3)


async def test_sql_and_reference_agree_on_many_contacts(module_database: Database) -> None:
    entries = [await compare_generated(module_database, RandomChoices.of_seed(seed), size=40) for seed in range(40)]
    assert sum(entries) > 400


def test_generated_rules_have_every_leaf() -> None:
    accords = [histories.accord(RandomChoices.of_seed(seed)) for seed in range(40)]
    generated = {type(leaf) for accord in accords for stage in accord.stages for leaf in leaves(stage.rule)}
    assert generated == set(get_args(RuleLeaf))


def test_generated_rules_compile_both_to_joins_and_to_sweeps() -> None:
    accords = [histories.accord(RandomChoices.of_seed(seed)) for seed in range(60)]
    forms = [normal_form(stage.rule) for accord in accords for stage in accord.stages]
    flat = [form for form in forms if is_flat(form)]
    assert sum(len(form.leaves) > 1 for form in flat) > 15
    assert sum(len(form.leaves) == 1 for form in flat) > 15
    assert len(forms) - len(flat) > 30
