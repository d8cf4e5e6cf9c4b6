"""Pages walked one after the other, by the cursors that each one tells, while rows come in."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import EVERYONE
from api.db import Database
from tests.funnel.chance import Chance
from tests.plan.generated.arguments import root_of
from tests.plan.generated.filters import Filters
from tests.plan.generated.rows import all_rows, write_generated_rows
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.shapes import KEYS, VISIBLE, Row, Rows
from tests.support.graphql import answered, put, uid

KEY = dict.fromkeys(KEYS, "id") | {
    "deal_contact": "contact { id } deal { id }",
    "stage_entry": "contact { id } stage occurrence",
}
INFO = "pageInfo { hasNextPage hasPreviousPage startCursor endCursor }"


class World:
    """A database and its rows: no dataclass, for Hypothesis would print them all."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows

    def expected(self, table: str, **asked: object) -> list[Row]:
        """The rows of the whole list, by plain Python."""
        answer = Executor(self.rows, EVERYONE).execute(document(table, nodes(table)), {"first": 500, **asked})
        assert answer.data
        found: list[Row] = answer.data["list"]["nodes"]
        return found

    async def found(self, table: str, selected: str, **asked: object) -> Any:  # noqa: ANN401 - JSON of any shape
        return (await answered(self.database, document(table, selected), **asked))["list"]


def document(table: str, selected: str) -> str:
    kind = VISIBLE[table].type_name
    given = "first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy"
    variables = (
        f"$first: Int, $after: String, $last: Int, $before: String, $where: {kind}Where, $orderBy: [{kind}Order!]"
    )
    return f"query ({variables}) {{ list: {root_of(table)}({given}) {{ {selected} }} }}"


def nodes(table: str) -> str:
    return f"nodes {{ {KEY[table]} }}"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await write_generated_rows(session)
    return World(module_database, await all_rows(module_database))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), table=st.sampled_from(sorted(VISIBLE)), size=st.integers(1, 20), is_backwards=st.booleans())
async def test_walking_all_pages_gives_what_plain_python_gives(
    world: World, data: st.DataObject, table: str, size: int, is_backwards: bool
) -> None:
    filters = Filters(Chance.of_hypothesis(data), world.rows)
    what = {"where": filters.where(table), "orderBy": filters.order(table)}
    wanted = world.expected(table, **what)
    walked: list[Row] = []
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    on, back = ("hasPreviousPage", "hasNextPage") if is_backwards else ("hasNextPage", "hasPreviousPage")
    at: str | None = None
    while True:
        asked = {number: size, cursor: at, **what}
        page = await world.found(table, f"totalCount {nodes(table)} edges {{ cursor }} {INFO}", **asked)
        assert page["totalCount"] == len(wanted)
        # Read straight, without a page to count in, it is the same.
        assert await world.found(table, nodes(table), **asked) == {"nodes": page["nodes"]}
        assert await world.found(table, "edges { cursor }", **asked) == {"edges": page["edges"]}
        assert page["pageInfo"][back] == bool(walked)
        walked = [*page["nodes"], *walked] if is_backwards else [*walked, *page["nodes"]]
        assert page["pageInfo"][on] == (len(walked) < len(wanted))
        if not page["pageInfo"][on]:
            break
        at = page["pageInfo"][end]
        assert page["edges"][0 if is_backwards else -1]["cursor"] == at
    assert walked == wanted


@pytest.mark.parametrize(
    ("order", "newcomer", "is_backwards"),
    [
        ([{"name": "ASC"}], uid(98), False),
        ([{"company": {"name": "DESC_NULLS_FIRST"}}, {"amount": "ASC"}], uid(99), True),
    ],
)
async def test_pages_stay_as_they_are_when_rows_come_in(
    order: list[Row], newcomer: UUID, is_backwards: bool, world: World
) -> None:
    size, wanted = 8, world.expected("deal", orderBy=order)
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    first = await world.found("deal", f"{nodes('deal')} {INFO}", **{number: size}, orderBy=order)
    rest = wanted[:-size] if is_backwards else wanted[size:]
    assert len(rest) > size
    # One comes in within the page that was shown.
    like = next(row for row in world.rows["deal"] if f"deal_{row['id']}" == first["nodes"][size // 2]["id"])
    async with world.database.write() as session:
        await put(session, "deal", like | {"id": newcomer})
    asked = {"last" if is_backwards else "first": 100, cursor: first["pageInfo"][end], "orderBy": order}
    second = await world.found("deal", nodes("deal"), **asked)
    async with world.database.write() as session:
        await session.script(f"delete from deal where id = '{newcomer}'")
    assert second["nodes"] == rest
