"""Filters, orders and pages of the planner held equal to a plain Python reading of the same rows."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from tests.graph.asking import answered, executed, put, uid
from tests.plan.plain import COLUMNS, LINKS, LISTS, ROWS, Row, in_order, matches, visible

DIRECTIONS = ["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"]
TARGET = {"managerId": "member", "ownerId": "member", "parentId": "company", "companyId": "company"}


def as_input(value: Any, key: str = "") -> Any:  # noqa: ANN401 - JSON of any shape
    """A filter as a client sends it."""
    match value:
        case dict():
            return {name: as_input(each, name if name in TARGET else key) for name, each in value.items()}
        case list():
            return [as_input(each, key) for each in value]
        case UUID():
            return f"{TARGET[key]}_{value}"
        case datetime() | date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


KINDS = {str: "String", int: "Int", UUID: "ID", Decimal: "Decimal", datetime: "DateTime", date: "Date"}


class Written:
    """A filter written into the document, each value that it compares with a variable of its own."""

    def __init__(self, where: Row) -> None:
        self.types: list[str] = []
        self.values: dict[str, Any] = {}
        self.text = self._object(where)
        declared = "".join(f"$v{place}: {kind}, " for place, kind in enumerate(self.types))
        self.document = (
            f"query ({declared}$first: Int) {{ deals(first: $first, where: {self.text}) {{ nodes {{ id }} }} }}"
        )

    def _object(self, given: Row, column: str = "") -> str:
        parts = (f"{key}: {self._part(key, value, column)}" for key, value in given.items())
        return f"{{ {' '.join(parts)} }}"

    def _part(self, key: str, value: Any, column: str) -> str:  # noqa: ANN401 - JSON of any shape
        if isinstance(value, dict):
            return self._object(value, key)
        if key in ("and", "or"):
            return f"[{' '.join(self._object(each) for each in value)}]"
        if key == "isNull":
            return str(value).lower()
        kind = "Currency" if column == "currency" else KINDS[type(one_of(column))]
        self.values[f"v{len(self.types)}"] = as_input(value, column)
        self.types.append(f"[{kind}!]" if key == "in" else kind)
        return f"$v{len(self.types) - 1}"


def one_of(column: str) -> Any:  # noqa: ANN401 - a column's value
    """Some value of a column, by its GraphQL name."""
    every = (value for columns in COLUMNS.values() if column in columns for value in columns[column][1])
    return next(value for value in every if value is not None)


def operand(values: list[Any], operator: str) -> st.SearchStrategy[Any]:
    present = st.sampled_from([value for value in values if value is not None])
    if operator == "isNull":
        return st.booleans()
    return st.lists(present, max_size=3) if operator == "in" else present


def column_tests(table: str, key: str) -> st.SearchStrategy[Row]:
    _, values, operators = COLUMNS[table][key]
    return st.fixed_dictionaries({}, optional={each: operand(values, each) for each in operators}).map(
        lambda tests: {key: dict(list(tests.items())[:2])}
    )


def through_lists(table: str, steps: int) -> st.SearchStrategy[Row]:
    return st.sampled_from(sorted(LISTS[table])).flatmap(
        lambda key: st.dictionaries(
            st.sampled_from(["some", "none", "every"]), wheres(LISTS[table][key][0], steps), max_size=2
        ).map(lambda tests: {key: tests})
    )


def through_links(table: str, steps: int) -> st.SearchStrategy[Row]:
    return st.sampled_from(sorted(LINKS[table])).flatmap(
        lambda key: wheres(LINKS[table][key][1], steps).map(lambda where: {key: where})
    )


def wheres(table: str, steps: int) -> st.SearchStrategy[Row]:
    """Filters on the rows of a table that go through so many links."""
    tests = [st.just({}), *(column_tests(table, key) for key in COLUMNS[table])]
    if steps:
        tests += [through_links(table, steps - 1)] * 2
        tests += [through_lists(table, steps - 1)] * 2 if LISTS[table] else []
    return st.recursive(
        st.one_of(*tests),
        lambda inner: st.one_of(
            st.lists(inner, max_size=3).map(lambda parts: {"and": parts}),
            st.lists(inner, max_size=3).map(lambda parts: {"or": parts}),
            inner.map(lambda part: {"not": part}),
            st.tuples(inner, inner).map(lambda both: {**both[0], **both[1]}),
        ),
        max_leaves=4,
    )


def terms(table: str, steps: int) -> st.SearchStrategy[Row]:
    """One thing to sort by, through at most so many links."""
    own = st.sampled_from([key for key in COLUMNS[table] if not key.endswith("Id")]).flatmap(
        lambda key: st.sampled_from(DIRECTIONS).map(lambda way: {key: way})
    )
    if not steps:
        return own
    links = st.sampled_from(sorted(LINKS[table])).flatmap(
        lambda key: terms(LINKS[table][key][1], steps - 1).map(lambda term: {key: term})
    )
    return st.one_of(own, links)


def way_of(term: Row) -> tuple[str, ...]:
    """Where a term leads: an order that names the same place twice means the first."""
    ((key, value),) = term.items()
    return (key, *(way_of(value) if isinstance(value, dict) else ()))


ORDERS = st.lists(terms("deal", 2), max_size=3, unique_by=way_of)
PAGE = """query (
  $first: Int, $after: String, $last: Int, $before: String, $where: DealWhere, $orderBy: [DealOrder!]
) {
  deals(first: $first, after: $after, last: $last, before: $before, where: $where, orderBy: $orderBy) {
    totalCount nodes { id } edges { cursor }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  }
}"""
NODES = PAGE[: PAGE.index("totalCount")] + "nodes { id } } }"
CURSORS = PAGE[: PAGE.index("totalCount")] + "edges { cursor } } }"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        for table, rows in ROWS.items():
            await put(session, table, *rows)
    return module_database


def shown(rows: list[Row]) -> list[str]:
    return [f"deal_{row['id']}" for row in rows]


def expected(where: Row, order: list[Row]) -> list[str]:
    return shown(in_order("deal", [row for row in visible("deal") if matches("deal", row, where)], order))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=wheres("deal", 3), order=ORDERS, size=st.integers(1, 30), is_backwards=st.booleans())
async def test_walking_all_pages_gives_what_plain_python_gives(
    world: Database, where: Row, order: list[Row], size: int, is_backwards: bool
) -> None:
    wanted = expected(where, order)
    walked: list[str] = []
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    on, back = ("hasPreviousPage", "hasNextPage") if is_backwards else ("hasNextPage", "hasPreviousPage")
    at: str | None = None
    while True:
        asked = {number: size, cursor: at, "where": as_input(where), "orderBy": order}
        page = (await answered(world, PAGE, **asked))["deals"]
        assert page["totalCount"] == len(wanted)
        ids = [node["id"] for node in page["nodes"]]
        # Read straight, without a page to count in, it is the same.
        assert [node["id"] for node in (await answered(world, NODES, **asked))["deals"]["nodes"]] == ids
        assert (await answered(world, CURSORS, **asked))["deals"]["edges"] == page["edges"]
        assert page["pageInfo"][back] == bool(walked)
        walked = [*ids, *walked] if is_backwards else [*walked, *ids]
        assert page["pageInfo"][on] == (len(walked) < len(wanted))
        if not page["pageInfo"][on]:
            break
        at = page["pageInfo"][end]
        assert page["edges"][0 if is_backwards else -1]["cursor"] == at
    assert walked == wanted


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=wheres("deal", 3))
async def test_values_that_come_as_variables_of_their_own_find_the_same(world: Database, where: Row) -> None:
    asked = Written(where)
    outcome = await executed(world, asked.document, first=100, **asked.values)
    assert outcome.is_written, outcome.errors
    assert [node["id"] for node in outcome.data["deals"]["nodes"]] == expected(where, [])


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=ORDERS, data=st.data(), size=st.integers(0, 60), is_last=st.booleans())
async def test_between_two_cursors_is_what_lies_between(
    world: Database, order: list[Row], data: st.DataObject, size: int, is_last: bool
) -> None:
    wanted = expected({}, order)
    whole = (await answered(world, PAGE, first=100, orderBy=order))["deals"]
    cursors = [edge["cursor"] for edge in whole["edges"]]
    places = st.one_of(st.none(), st.integers(0, len(wanted) - 1))
    after, before = data.draw(places, "after"), data.draw(places, "before")
    begin, end = 0 if after is None else after + 1, len(wanted) if before is None else before
    end = max(begin, end)
    inside = wanted[begin:end]
    page = inside[max(0, len(inside) - size) :] if is_last else inside[:size]
    cut = len(inside) > size
    asked = {
        "last" if is_last else "first": size,
        "after": None if after is None else cursors[after],
        "before": None if before is None else cursors[before],
        "orderBy": order,
    }
    found = (await answered(world, PAGE, **asked))["deals"]
    assert [node["id"] for node in found["nodes"]] == page
    assert found["pageInfo"]["hasNextPage"] == (before is not None or (cut and not is_last))
    assert found["pageInfo"]["hasPreviousPage"] == (after is not None or (cut and is_last))


@pytest.mark.parametrize(
    ("order", "newcomer", "is_backwards"),
    [
        ([{"name": "ASC"}], uid(98), False),
        ([{"company": {"name": "DESC_NULLS_FIRST"}}, {"amount": "ASC"}], uid(99), True),
    ],
)
async def test_pages_stay_as_they_are_when_rows_come_in(
    order: list[Row], newcomer: UUID, is_backwards: bool, world: Database
) -> None:
    size, wanted = 10, expected({}, order)
    number, cursor, end = ("last", "before", "startCursor") if is_backwards else ("first", "after", "endCursor")
    first = (await answered(world, PAGE, **{number: size}, orderBy=order))["deals"]
    rest = wanted[:-size] if is_backwards else wanted[size:]
    # One comes in within the page that was shown.
    like = next(row for row in ROWS["deal"] if shown([row])[0] == first["nodes"][size // 2]["id"])
    async with world.write() as session:
        await put(session, "deal", like | {"id": newcomer})
    asked = {"last" if is_backwards else "first": 100, cursor: first["pageInfo"][end], "orderBy": order}
    second = (await answered(world, PAGE, **asked))["deals"]
    async with world.write() as session:
        await session.script(f"delete from deal where id = '{newcomer}'")
    assert [node["id"] for node in second["nodes"]] == rest
