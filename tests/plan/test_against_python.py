"""Filters, orders and pages of the planner held equal to a plain Python reading of the same rows."""

import functools
import random
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from tests.graph.asking import answered, put, uid

Row = dict[str, Any]

WORDS = [None, "", "acme", "ACME", "Äpfel", "äpfel GmbH", "100%", "1000", "a_b", "axb", "back\\slash", "'"]
AMOUNTS = [None, Decimal("0.00"), Decimal("10.00"), Decimal("10.01"), Decimal("99999999999.99")]
INSTANTS = [None, *(datetime(2026, 3, 29, 1, 0, tzinfo=UTC) + timedelta(microseconds=step) for step in (0, 1, 500000))]
DAYS = [None, date(2026, 2, 28), date(2026, 3, 1)]
OWNERS = [None, uid(1), uid(2)]
CURRENCIES = [None, "EUR", "USD"]


def made_rows() -> list[Row]:
    """Deals with many equal and many missing values."""
    source = random.Random(4)
    return [
        {
            "id": uid(100 + number),
            "name": source.choice(WORDS),
            "amount": source.choice(AMOUNTS),
            "currency": source.choice(CURRENCIES),
            "opened_at": source.choice(INSTANTS),
            "close_date": source.choice(DAYS),
            "owner_id": source.choice(OWNERS),
        }
        for number in range(60)
    ]


ROWS = made_rows()
COLUMNS: dict[str, tuple[str, list[Any], tuple[str, ...]]] = {
    "name": ("name", WORDS, ("eq", "in", "lt", "lte", "gt", "gte", "contains", "isNull")),
    "amount": ("amount", AMOUNTS, ("eq", "in", "lt", "lte", "gt", "gte", "isNull")),
    "currency": ("currency", CURRENCIES, ("eq", "in", "isNull")),
    "openedAt": ("opened_at", INSTANTS, ("eq", "in", "lt", "lte", "gt", "gte", "isNull")),
    "closeDate": ("close_date", DAYS, ("eq", "in", "lt", "lte", "gt", "gte", "isNull")),
    "ownerId": ("owner_id", OWNERS, ("eq", "in", "isNull")),
}
TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "contains": lambda value, wanted: wanted.lower() in value.lower(),
}


def matches(row: Row, where: Row) -> bool:
    """Whether a row is in a filter, by the words of the contract."""
    for key, value in where.items():
        if key == "and":
            found = all(matches(row, each) for each in value)
        elif key == "or":
            found = any(matches(row, each) for each in value)
        elif key == "not":
            found = not matches(row, value)
        else:
            own = row[COLUMNS[key][0]]
            found = all(
                (own is None) == wanted if operator == "isNull" else own is not None and TESTS[operator](own, wanted)
                for operator, wanted in value.items()
            )
        if not found:
            return False
    return True


def in_order(rows: list[Row], order: list[dict[str, str]]) -> list[Row]:
    """The rows sorted: empty values last, what is equal by id in the way of the last term."""
    terms = [(COLUMNS[key][0], way == "DESC") for term in order for key, way in term.items()]
    terms.append(("id", terms[-1][1] if terms else False))

    def compare(one: Row, other: Row) -> int:
        for column, is_descending in terms:
            left, right = one[column], other[column]
            if left == right:
                continue
            if left is None or right is None:
                return 1 if left is None else -1
            return (-1 if left < right else 1) * (-1 if is_descending else 1)
        return 0

    return sorted(rows, key=functools.cmp_to_key(compare))


def as_input(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A filter as a client sends it."""
    match value:
        case dict():
            return {
                key: each if key == "isNull" else ids(each) if key == "ownerId" else as_input(each)
                for key, each in value.items()
            }
        case list():
            return [as_input(each) for each in value]
        case datetime():
            return value.isoformat()
        case date():
            return value.isoformat()
        case Decimal():
            return str(value)
        case _:
            return value


def ids(test: Row) -> Row:
    def shown(value: Any) -> Any:  # noqa: ANN401 - an id or a list of them
        return [f"member_{each}" for each in value] if isinstance(value, list) else f"member_{value}"

    return {key: value if key == "isNull" else shown(value) for key, value in test.items()}


def operand(values: list[Any], operator: str) -> st.SearchStrategy[Any]:
    present = st.sampled_from([value for value in values if value is not None])
    if operator == "isNull":
        return st.booleans()
    return st.lists(present, max_size=3) if operator == "in" else present


def column_tests(key: str) -> st.SearchStrategy[Row]:
    _, values, operators = COLUMNS[key]
    return st.fixed_dictionaries({}, optional={each: operand(values, each) for each in operators}).map(
        lambda tests: dict(list(tests.items())[:2])
    )


def one_test(key: str) -> st.SearchStrategy[Row]:
    return column_tests(key).map(lambda tests: {key: tests})


SIMPLE = st.one_of(*(one_test(key) for key in COLUMNS))
WHERES = st.recursive(
    SIMPLE,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: {"and": parts}),
        st.lists(inner, max_size=3).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
        st.tuples(inner, inner).map(lambda both: {**both[0], **both[1]}),
    ),
    max_leaves=5,
)
ORDERS = st.lists(
    st.sampled_from([key for key in COLUMNS if key != "ownerId"]).flatmap(
        lambda key: st.sampled_from(["ASC", "DESC"]).map(lambda way: {key: way})
    ),
    max_size=3,
    unique_by=lambda term: next(iter(term)),
)
PAGE = """query ($first: Int, $after: String, $where: DealWhere, $orderBy: [DealOrder!]) {
  deals(first: $first, after: $after, where: $where, orderBy: $orderBy) {
    totalCount nodes { id } edges { cursor } pageInfo { hasNextPage endCursor }
  }
}"""


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await put(session, "member", {"id": uid(1), "name": "Anna"}, {"id": uid(2), "name": "Ben"})
        await put(session, "deal", *ROWS)
    return module_database


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=WHERES, order=ORDERS, first=st.integers(1, 30))
async def test_walking_all_pages_gives_what_plain_python_gives(
    world: Database, where: Row, order: list[dict[str, str]], first: int
) -> None:
    expected = [f"deal_{row['id']}" for row in in_order([row for row in ROWS if matches(row, where)], order)]
    walked: list[str] = []
    after: str | None = None
    while True:
        asked = {"first": first, "after": after, "where": as_input(where), "orderBy": order}
        page = (await answered(world, PAGE, **asked))["deals"]
        assert page["totalCount"] == len(expected)
        walked += [node["id"] for node in page["nodes"]]
        assert page["pageInfo"]["hasNextPage"] == (len(walked) < len(expected))
        if not page["pageInfo"]["hasNextPage"]:
            break
        after = page["pageInfo"]["endCursor"]
        assert page["edges"][-1]["cursor"] == after
    assert walked == expected


async def test_pages_stay_as_they_are_when_rows_come_in_before(world: Database) -> None:
    order = [{"name": "ASC"}]
    first = (await answered(world, PAGE, first=10, orderBy=order))["deals"]
    rest = in_order(ROWS, order)[10:]
    async with world.write() as session:
        await put(session, "deal", {"id": uid(99), "name": ""})
    after = first["pageInfo"]["endCursor"]
    second = (await answered(world, PAGE, first=50, after=after, orderBy=order))["deals"]
    async with world.write() as session:
        await session.script(f"delete from deal where id = '{uid(99)}'")
    assert [node["id"] for node in second["nodes"]] == [f"deal_{row['id']}" for row in rest]
