"""Pages that follow each other by their cursors, also while rows are inserted."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.plan.list_arguments import page_of_ids
from tests.plan.generated.arguments import root_of
from tests.plan.generated.filters import Filters
from tests.plan.generated.rows import all_rows, write_generated_rows
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.shapes import KEYS, VISIBLE, Row, Rows
from tests.support.examples import examples
from tests.support.graphql import answered, put, uid
from tests.support.random_choices import RandomChoices

KEY = dict.fromkeys(KEYS, "id") | {
    "deal_contact": "contact { id } deal { id }",
    "stage_entry": "contact { id } stage occurrence",
}
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


class World:
    """A database and its rows. Not a dataclass, because Hypothesis would print all rows."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows

    def expected(self, table: str, **arguments: object) -> list[Row]:
        """Return the rows of the whole list, as the oracle finds them."""
        result = Executor(self.rows, LOCAL_OPERATOR).execute(document(table, nodes(table)), {"first": 500, **arguments})
        assert result.data
        found: list[Row] = result.data["list"]["nodes"]
        return found

    async def found(self, table: str, selected: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON of any shape
        return (await answered(self.database, document(table, selected), **arguments))["list"]


def document(table: str, selected: str) -> str:
    kind = VISIBLE[table].type_name
    arguments = "first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy"
    variables = (
        f"$first: Int, $after: String, $last: Int, $before: String, $where: {kind}Where, $orderBy: [{kind}Order!]"
    )
    return f"query ({variables}) {{ list: {root_of(table)}({arguments}) {{ {selected} }} }}"


def nodes(table: str) -> str:
    return f"nodes {{ {KEY[table]} }}"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await write_generated_rows(session)
    return World(module_database, await all_rows(module_database))


@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), table=st.sampled_from(sorted(VISIBLE)), size=st.integers(1, 20), is_backwards=st.booleans())
async def test_all_pages_together_are_the_list_of_the_oracle(
    world: World, data: st.DataObject, table: str, size: int, is_backwards: bool
) -> None:
    filters = Filters(RandomChoices.of_hypothesis(data), world.rows)
    selection = {"where": filters.where(table), "orderBy": filters.order(table)}
    wanted = world.expected(table, **selection)
    walked: list[Row] = []
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    onward, back = ("hasPreviousPage", "hasNextPage") if is_backwards else ("hasNextPage", "hasPreviousPage")
    at: str | None = None
    while True:
        arguments = {number: size, cursor: at, **selection}
        page = await world.found(table, f"totalCount {nodes(table)} edges {{ cursor }} {INFO}", **arguments)
        assert page["totalCount"] == len(wanted)
        # Without a common table expression the page is the same.
        assert await world.found(table, nodes(table), **arguments) == {"nodes": page["nodes"]}
        assert await world.found(table, "edges { cursor }", **arguments) == {"edges": page["edges"]}
        assert page["pageInfo"][back] == bool(walked)
        walked = [*page["nodes"], *walked] if is_backwards else [*walked, *page["nodes"]]
        assert page["pageInfo"][onward] == (len(walked) < len(wanted))
        if not page["pageInfo"][onward]:
            break
        at = page["pageInfo"][end]
        assert page["edges"][0 if is_backwards else -1]["cursor"] == at
    assert walked == wanted


@pytest.mark.parametrize(
    ("order", "new_id", "is_backwards"),
    [
        ([{"name": "ASC"}], uid(98), False),
        ([{"company": {"name": "DESC_NULLS_FIRST"}}, {"amountConverted": "ASC"}], uid(99), True),
    ],
)
async def test_a_page_after_a_cursor_is_the_same_after_an_insert_before_it(
    order: list[Row], new_id: UUID, is_backwards: bool, world: World
) -> None:
    size, wanted = 8, world.expected("deal", orderBy=order)
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    first = await world.found("deal", f"{nodes('deal')} {INFO}", **{number: size}, orderBy=order)
    rest = wanted[:-size] if is_backwards else wanted[size:]
    assert len(rest) > size
    # A row is inserted within the first page.
    template = next(row for row in world.rows["deal"] if f"deal_{row['id']}" == first["nodes"][size // 2]["id"])
    async with world.database.write() as session:
        await put(session, "deal", template | {"id": new_id})
    arguments = {"last" if is_backwards else "first": 100, cursor: first["pageInfo"][end], "orderBy": order}
    second = await world.found("deal", nodes("deal"), **arguments)
    async with world.database.write() as session:
        await session.script(f"delete from deal where id = '{new_id}'")
    assert second["nodes"] == rest


def test_pages_of_ids_have_few_sizes_and_room_for_all() -> None:
    sizes = {count: page_of_ids([uuid4()] * count, with_merged=False).size for count in range(1, 501)}
    assert all(size >= count for count, size in sizes.items())
    assert len(set(sizes.values())) == 10
