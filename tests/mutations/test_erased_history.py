"""After an erasure, every stage entry stays as it was, by any accord, and so it does in a later rebuild."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from api.db import Database
from api.funnel.evaluate import evaluate
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from schema.accord import Accord
from schema.clauses.rules import FieldIs
from schema.tables import METADATA
from tests.funnel import histories
from tests.funnel.stored_facts import write_facts
from tests.support.accords import unguarded
from tests.support.mutations import run
from tests.support.random_choices import RandomChoices

ENTRIES = Sql(
    "select e.contact_id, e.stage, e.occurrence, e.entered_at, e.own_at, e.exited_at, e.exit_kind, e.is_implied,"
    " e.present_at from stage_entry e join evaluation v on v.id = e.evaluation_id and v.is_current order by 1, 2, 3"
)


async def entries(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        return [tuple(row) for row in await session.rows(ENTRIES)]


async def begin(database: Database, accord: Accord, choices: RandomChoices, size: int) -> list[UUID]:
    """Write generated people into an empty database, and evaluate them by an accord."""
    async with database.write() as session:
        names = ", ".join(table.name for table in METADATA.sorted_tables)
        async with unguarded(session):
            await session.script(f"truncate {names} restart identity cascade")
        await adopt_accord(session, accord)
        people = choices.several(1, size, lambda: histories.contact(choices))
        ids = await write_facts(session, people, histories.companies(choices))
        await evaluate(session)
    return ids


async def erase(database: Database, people: Sequence[UUID]) -> None:
    for id_ in people:
        erased = await run(database, "erasePerson", "contact { id }", {"contact": {"id": f"contact_{id_}"}})
        assert erased["userErrors"] == []


async def require_kept(database: Database, choices: RandomChoices, size: int) -> int:
    """Erase some people, and require that no entry differs; how many entries there are."""
    people = await begin(database, histories.accord(choices), choices, size)
    before = await entries(database)
    await erase(database, choices.some(people))
    assert await entries(database) == before
    async with database.write() as session:
        await evaluate(session)
    assert await entries(database) == before
    return len(before)


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_entries_stay_by_any_accord(module_database: Database, data: st.DataObject) -> None:
    await require_kept(module_database, RandomChoices.of_hypothesis(data), size=3)


async def test_entries_of_many_people_stay(module_database: Database) -> None:
    found = [await require_kept(module_database, RandomChoices.of_seed(seed), size=12) for seed in range(8)]
    assert sum(found) > 30


async def test_a_value_stays_only_if_a_rule_names_it(module_database: Database) -> None:
    choices = RandomChoices.of_seed(1)
    accord = histories.accord(choices)
    rule = FieldIs(field="contact.job_title", op="in", value=("CEO", "erased"))
    stage = accord.stages[0].model_copy(update={"rule": rule})
    accord = accord.model_copy(update={"stages": (stage,), "exits": ()})
    [ada] = await begin(module_database, accord, choices, 1)
    values = (("ada@x.io", "CEO"), ("ada@y.io", "Salonniere"), ("ada@x.io", None), (None, "Patron"))
    async with module_database.write() as session:
        await session.run(Sql("delete from contact_version where contact_id = {}", ada))
        for day, (email, title) in enumerate(values):
            since = histories.START + timedelta(days=day)
            await session.run(
                Sql(
                    "insert into contact_version (contact_id, valid_from, valid_to, email, job_title, email_opt_out,"
                    " do_not_call, is_test, is_internal, is_assumed)"
                    " values ({}, {}, {}, {}, {}, false, false, false, false, false)",
                    *(ada, since, since + timedelta(days=1), email, title),
                )
            )
    await erase(module_database, [ada])
    async with module_database.read() as session:
        read = "select email, job_title from contact_version where contact_id = {} order by valid_from"
        found = [tuple(row) for row in await session.rows(Sql(read, ada))]
    assert found == [
        ("erased@erased.invalid", "CEO"),
        ("erased2@erased.invalid", "erased2"),
        ("erased@erased.invalid", None),
        (None, "erased3"),
    ]


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "contact.email", "op": "eq", "value": "ada@x.io"},
        {"field": "contact.last_name", "op": "in", "value": ["Lovelace"]},
        {"field": "contact.phone", "op": "ne", "value": "0"},
    ],
)
def test_rules_cannot_name_personal_data(rule: dict[str, object]) -> None:
    with pytest.raises(ValidationError, match="is personal data; rules can only ask whether it is known"):
        FieldIs.model_validate(rule)
    FieldIs.model_validate({"field": rule["field"], "op": "is_null", "value": True})
    with pytest.raises(ValidationError, match="is not a field that rules can read"):
        FieldIs.model_validate({"field": "contact.erased_at", "op": "is_null", "value": True})
