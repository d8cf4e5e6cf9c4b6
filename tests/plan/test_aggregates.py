"""Aggregates of all rows of a list equal those of the oracle over the same rows."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from schema.access.rights import Reach
from tests.plan.deal_rows import ACME, ANNA, BEN, BOLT, DEALS, visible_to, write_deals
from tests.plan.oracle.aggregates import aggregate_value
from tests.plan.oracle.shapes import AGGREGATED, Row
from tests.support.examples import examples
from tests.support.graphql import answered, uid, with_personal_data

NUMBERS = ("amount", "probability", "rowVersion")
EXTREMES = (*NUMBERS, "name", "openedAt", "closeDate")
AGGREGATES = {
    "countDistinct": (*EXTREMES, "company", "owner", "outcome"),
    "sum": NUMBERS,
    "avg": NUMBERS,
    "min": EXTREMES,
    "max": EXTREMES,
}
ALL_AGGREGATES = [(function, key) for function, keys in AGGREGATES.items() for key in keys]
FILTERS: dict[str, Callable[[Row], bool]] = {
    "{}": lambda _: True,
    "{currency: {eq: EUR}}": lambda row: row["currency"] == "EUR",
    "{name: {isNull: true}}": lambda row: row["name"] is None,
    "{amount: {isNull: true}}": lambda row: row["amount"] is None,
    '{amount: {gt: "5"}, currency: {eq: EUR}}': lambda row: (row["amount"] or 0) > 5 and row["currency"] == "EUR",
    "{or: []}": lambda _: False,
}
PRINCIPALS: dict[UUID | None, Principal] = {
    None: LOCAL_OPERATOR,
    ANNA: with_personal_data(Reach.OWN, ANNA),
    BEN: with_personal_data(Reach.OWN, BEN),
    uid(99): with_personal_data(Reach.OWN),
}


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_deals(session)
    return module_database


def selection_of(aggregates: list[tuple[str, str]]) -> str:
    """Return the selection of aggregates, under the aliases f0, f1 …"""
    return " ".join(
        f"f{number}: {function} {{ {key}{' { amount currency }' if is_money(function, key) else ''} }}"
        for number, (function, key) in enumerate(aggregates)
    )


def is_money(function: str, key: str) -> bool:
    return key == "amount" and function != "countDistinct"


@settings(max_examples=examples(80), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    aggregates=st.lists(st.sampled_from(ALL_AGGREGATES), min_size=1, max_size=6),
    where=st.sampled_from(sorted(FILTERS)),
    member=st.sampled_from(list(PRINCIPALS)),
)
async def test_aggregates_equal_those_of_the_oracle(
    world: Database, aggregates: list[tuple[str, str]], where: str, member: UUID | None
) -> None:
    document = (
        f"{{ deals(first: 1, where: {where}) {{ totalCount aggregate {{ count {selection_of(aggregates)} }} }} }}"
    )
    found = (await answered(world, document, PRINCIPALS[member]))["deals"]
    rows = [row for row in visible_to(member, DEALS) if FILTERS[where](row)]
    assert found["totalCount"] == found["aggregate"]["count"] == len(rows)
    for number, (function, key) in enumerate(aggregates):
        assert found["aggregate"][f"f{number}"] == {key: aggregate_value(rows, function, AGGREGATED["deal"][key])}


@pytest.mark.parametrize("member", [None, BEN])
async def test_a_nested_list_aggregates_its_own_rows(world: Database, member: UUID | None) -> None:
    aggregates = [("sum", "amount"), ("countDistinct", "company"), ("max", "openedAt")]
    document = (
        f"{{ companies {{ nodes {{ id deals(first: 0) {{ aggregate {{ count {selection_of(aggregates)} }} }} }} }} }}"
    )
    found = (await answered(world, document, PRINCIPALS[member]))["companies"]["nodes"]
    assert [company["id"] for company in found] == [
        f"company_{company}" for company in (ACME, BOLT) if member is None or company == BOLT
    ]
    for company in found:
        rows = [row for row in visible_to(member, DEALS) if f"company_{row['company_id']}" == company["id"]]
        assert company["deals"]["aggregate"]["count"] == len(rows) > 0
        for number, (function, key) in enumerate(aggregates):
            expected = {key: aggregate_value(rows, function, AGGREGATED["deal"][key])}
            assert company["deals"]["aggregate"][f"f{number}"] == expected


async def test_the_graphql_executor_returns_the_same_aggregates(world: Database) -> None:
    document = f"{{ deals {{ aggregate {{ count {selection_of(ALL_AGGREGATES)} }} }} %s }}"
    written = await answered(world, document % "")
    executed = await answered(world, document % "__schema { description }")
    assert executed["deals"] == written["deals"]


async def test_an_aggregate_may_have_an_alias_of_any_length(world: Database) -> None:
    alias = "a" * 70
    document = f"{{ deals {{ aggregate {{ {alias}: count sum {{ {alias}: amount {{ {alias}: amount }} }} }} }} }}"
    found = (await answered(world, document))["deals"]["aggregate"]
    rows = visible_to(None, DEALS)
    assert found[alias] == len(rows)
    assert found["sum"][alias] == [
        {alias: amount["amount"]} for amount in aggregate_value(rows, "sum", AGGREGATED["deal"]["amount"])
    ]


async def test_averages_are_rounded_half_away_from_zero(world: Database) -> None:
    document = "query ($name: String) { deals(where: {name: {eq: $name}}) { aggregate { avg { amount { amount } } } } }"
    for name, mean in (("up", "0.03"), ("down", "-0.03")):
        found = (await answered(world, document, name=name))["deals"]["aggregate"]["avg"]["amount"]
        assert found == [{"amount": mean}]
