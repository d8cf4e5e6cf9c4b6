"""The SQL evaluator derives the same entries as the reference evaluator, over generated versions of the accord."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from tests.funnel import histories
from tests.funnel.generated_versions import versions
from tests.funnel.test_reference import AFTER_ALL, compare
from tests.support.examples import examples
from tests.support.random_choices import RandomChoices


async def compare_generated(database: Database, choices: RandomChoices, size: int) -> int:
    periods = versions(choices)
    companies = histories.companies(choices)
    contacts = list(choices.several(1, size, lambda: histories.contact(choices)))
    as_of = histories.instant(choices) if choices.happens(6) else AFTER_ALL
    return await compare(database, periods, contacts, companies, as_of)


@settings(
    max_examples=examples(60),
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(data=st.data())
async def test_sql_and_reference_agree_over_versions(module_database: Database, data: st.DataObject) -> None:
    await compare_generated(module_database, RandomChoices.of_hypothesis(data), size=3)


async def test_sql_and_reference_agree_on_many_contacts_over_versions(module_database: Database) -> None:
    entries = [await compare_generated(module_database, RandomChoices.of_seed(seed), size=40) for seed in range(40)]
    assert sum(entries) > 400
