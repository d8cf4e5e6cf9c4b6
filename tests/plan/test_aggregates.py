"""Figures of all rows of a list, held equal to plain Python over the same rows."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import EVERYONE, Principal, Reach
from api.db import Database
from tests.plan.deal_rows import ACME, ANNA, BEN, BOLT, DEALS, seen, write_deals
from tests.plan.oracle.figures import figure
from tests.plan.oracle.shapes import NAMED, Row
from tests.support.graphql import answered, uid

NUMBERS = ("amount", "probability", "rowVersion")
EXTREMES = (*NUMBERS, "name", "openedAt", "closeDate")
FIGURES = {
    "countDistinct": (*EXTREMES, "company", "owner", "outcome"),
    "sum": NUMBERS,
    "avg": NUMBERS,
    "min": EXTREMES,
    "max": EXTREMES,
}
ALL_FIGURES = [(function, key) for function, keys in FIGURES.items() for key in keys]
WHERES: dict[str, Callable[[Row], bool]] = {
    "{}": lambda _: True,
    "{currency: {eq: EUR}}": lambda row: row["currency"] == "EUR",
    "{name: {isNull: true}}": lambda row: row["name"] is None,
    "{amount: {isNull: true}}": lambda row: row["amount"] is None,
    '{amount: {gt: "5"}, outcome: {eq: WON}}': lambda row: (row["amount"] or 0) > 5 and row["outcome"] == "WON",
    "{or: []}": lambda _: False,
}
WHO: dict[UUID | None, Principal] = {
    None: EVERYONE,
    ANNA: Principal(Reach.OWN, ANNA),
    BEN: Principal(Reach.OWN, BEN),
    uid(99): Principal(Reach.OWN),
}


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_deals(session)
    return module_database


def asked(figures: list[tuple[str, str]]) -> str:
    """The selection of figures, each under a key of its own."""
    return " ".join(
        f"f{place}: {function} {{ {key}{' { amount currency }' if is_money(function, key) else ''} }}"
        for place, (function, key) in enumerate(figures)
    )


def is_money(function: str, key: str) -> bool:
    return key == "amount" and function != "countDistinct"


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    figures=st.lists(st.sampled_from(ALL_FIGURES), min_size=1, max_size=6),
    where=st.sampled_from(sorted(WHERES)),
    member=st.sampled_from(list(WHO)),
)
async def test_figures_are_those_of_plain_python(
    world: Database, figures: list[tuple[str, str]], where: str, member: UUID | None
) -> None:
    document = f"{{ deals(first: 1, where: {where}) {{ totalCount aggregate {{ count {asked(figures)} }} }} }}"
    found = (await answered(world, document, WHO[member]))["deals"]
    rows = [row for row in seen(DEALS, member) if WHERES[where](row)]
    assert found["totalCount"] == found["aggregate"]["count"] == len(rows)
    for place, (function, key) in enumerate(figures):
        assert found["aggregate"][f"f{place}"] == {key: figure(rows, function, NAMED["deal"][key])}


@pytest.mark.parametrize("member", [None, BEN])
async def test_nested_lists_have_figures_of_their_own_rows(world: Database, member: UUID | None) -> None:
    figures = [("sum", "amount"), ("countDistinct", "company"), ("max", "openedAt")]
    document = f"{{ companies {{ nodes {{ id deals(first: 0) {{ aggregate {{ count {asked(figures)} }} }} }} }} }}"
    found = (await answered(world, document, WHO[member]))["companies"]["nodes"]
    assert [each["id"] for each in found] == [
        f"company_{each}" for each in (ACME, BOLT) if member is None or each == BOLT
    ]
    for company in found:
        rows = [row for row in seen(DEALS, member) if f"company_{row['company_id']}" == company["id"]]
        assert company["deals"]["aggregate"]["count"] == len(rows) > 0
        for place, (function, key) in enumerate(figures):
            expected = {key: figure(rows, function, NAMED["deal"][key])}
            assert company["deals"]["aggregate"][f"f{place}"] == expected


async def test_the_executor_tells_the_same_figures(world: Database) -> None:
    document = f"{{ deals {{ aggregate {{ count {asked(ALL_FIGURES)} }} }} %s }}"
    written = await answered(world, document % "")
    executed = await answered(world, document % "__schema { description }")
    assert executed["deals"] == written["deals"]


async def test_an_alias_of_any_length_names_a_figure(world: Database) -> None:
    alias = "a" * 70
    document = f"{{ deals {{ aggregate {{ {alias}: count sum {{ {alias}: amount {{ {alias}: amount }} }} }} }} }}"
    found = (await answered(world, document))["deals"]["aggregate"]
    rows = seen(DEALS, None)
    assert found[alias] == len(rows)
    assert found["sum"][alias] == [{alias: each["amount"]} for each in figure(rows, "sum", NAMED["deal"]["amount"])]


async def test_means_are_rounded_half_away_from_zero(world: Database) -> None:
    document = "query ($name: String) { deals(where: {name: {eq: $name}}) { aggregate { avg { amount { amount } } } } }"
    for name, mean in (("up", "0.03"), ("down", "-0.03")):
        found = (await answered(world, document, name=name))["deals"]["aggregate"]["avg"]["amount"]
        assert found == [{"amount": mean}]
