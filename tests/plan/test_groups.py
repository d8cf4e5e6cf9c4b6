"""Rows in groups, held equal to plain Python over the same rows, in several zones."""

import json
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from tests.plan.deal_rows import ANNA, BEN, COMPANIES, DEALS, VERSION, seen, write_deals
from tests.plan.oracle.figures import figure, written
from tests.plan.oracle.groups import Calendar, grouped, holds, in_order
from tests.plan.oracle.shapes import NAMED, Row
from tests.plan.test_aggregates import EXTREMES, NUMBERS, WHO
from tests.support.graphql import answered, executed, put, refused

CALENDARS: list[Calendar] = [("UTC", "MONDAY"), ("Europe/Berlin", "MONDAY"), ("America/St_Johns", "SUNDAY")]
DATED = ("openedAt", "closeDate")
EACH = ("name", "company", "owner", "outcome", "currency", "rowVersion")
GRAINS = ["DAY", "WEEK", "MONTH", "QUARTER", "YEAR"]
DOCUMENT = """query ($keys: [DealGroupKey!]!, $having: DealHaving, $orderBy: [DealGroupOrder!], $first: Int) {
  deals(first: 0) {
    groupBy(keys: $keys, having: $having, orderBy: $orderBy, first: $first) {
      key { name company { name id } owner { id } outcome currency rowVersion openedAt closeDate } count
      aggregate { count sum { rowVersion amount { currency amount } } max { name } }
    } } }"""


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_deals(session)
    return module_database


async def agree(database: Database, calendar: Calendar | None) -> None:
    """Put an accord in force that counts by this calendar; None: have none."""
    body = {"reporting": {"timezone": calendar[0], "week_start": calendar[1]}} if calendar else {}
    async with database.write() as session:
        await session.run(Sql("delete from accord_version"))
        if calendar:
            version = {"id": VERSION, "number": 1, "status": "ACTIVE", "body": body, "content_hash": json.dumps(body)}
            await put(session, "accord_version", version)


def told(values: tuple[Any, ...], rows: list[Row], keys: list[Row]) -> Row:
    """A group as the API tells it."""
    names = {row["id"]: row["name"] for row in COMPANIES}
    key: Row = dict.fromkeys([*EACH, *DATED])
    for name, value in zip((name for one in keys for name in one), values, strict=True):
        if name == "company" and value is not None:
            key[name] = {"name": names[value], "id": f"company_{value}"}
        elif name == "owner" and value is not None:
            key[name] = {"id": f"member_{value}"}
        else:
            key[name] = written(value)
    amounts = [{"currency": each["currency"], "amount": each["amount"]} for each in figure_of(rows, "sum", "amount")]
    figures = {
        "count": len(rows),
        "sum": {"rowVersion": figure_of(rows, "sum", "rowVersion"), "amount": amounts},
        "max": {"name": figure_of(rows, "max", "name")},
    }
    return {"key": key, "count": len(rows), "aggregate": figures}


def figure_of(rows: list[Row], function: str, key: str) -> Any:  # noqa: ANN401 - a number, text or list of amounts
    return figure(rows, function, NAMED["deal"][key])


# ------------------------------------------------------------------------------------------------------ questions


def as_input(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """A test as a client sends it: decimals are text."""
    if isinstance(value, dict):
        return {key: value[key] if key == "count" else as_input(value[key]) for key in value}
    if isinstance(value, list):
        return [as_input(each) for each in value]
    return written(value)


KEYS = st.lists(
    st.one_of(
        st.sampled_from(sorted(EACH)).map(lambda key: {key: "EACH"}),
        st.tuples(st.sampled_from(sorted(DATED)), st.sampled_from(GRAINS)).map(lambda both: {both[0]: both[1]}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: next(iter(one)),
)
WAYS = st.sampled_from(["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"])


def by_column(function: str, columns: list[str]) -> st.SearchStrategy[Row]:
    return st.tuples(st.sampled_from(columns), WAYS).map(lambda both: {function: {both[0]: both[1]}})


ORDERS = st.lists(
    st.one_of(
        WAYS.map(lambda way: {"count": way}),
        by_column("key", [*EACH, *DATED]),
        *(by_column(function, sorted(NUMBERS)) for function in ("sum", "avg")),
        *(by_column(function, sorted(EXTREMES)) for function in ("min", "max")),
    ),
    max_size=2,
)


def some_tests(values: list[Any], *, may_be_missing: bool) -> st.SearchStrategy[Row]:
    one = st.sampled_from(values)
    operators = {"eq": one, "gt": one, "lte": one, "in": st.lists(one, max_size=2)}
    if may_be_missing:
        operators["isNull"] = st.booleans()
    return st.sampled_from(sorted(operators)).flatmap(lambda each: operators[each].map(lambda value: {each: value}))


NUMBER_TESTS = some_tests([*map(Decimal, ("0", "0.25", "10.00", "10.01", "2", "4000000000"))], may_be_missing=True)
HAVINGS = st.recursive(
    st.one_of(
        some_tests([1, 2, 5, 20], may_be_missing=False).map(lambda tests: {"count": tests}),
        st.tuples(st.sampled_from(["sum", "avg", "min", "max"]), st.sampled_from(sorted(NUMBERS)), NUMBER_TESTS).map(
            lambda three: {three[0]: {three[1]: three[2]}}
        ),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda parts: {"and": parts}),
        st.lists(inner, max_size=2).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=3,
)


@pytest.mark.parametrize("calendar", [None, *CALENDARS], ids=str)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=KEYS,
    having=st.one_of(st.none(), HAVINGS),
    order_and_size=st.tuples(ORDERS, st.integers(1, 60)),
    member=st.sampled_from(list(WHO)),
)
async def test_groups_are_those_of_plain_python(
    world: Database,
    calendar: Calendar | None,
    keys: list[Row],
    having: Row | None,
    order_and_size: tuple[list[Row], int],
    member: UUID | None,
) -> None:
    order, first = order_and_size
    await agree(world, calendar)
    names = {name for one in keys for name in one}
    order = [term for term in order if next(iter(term.get("key", names))) in names]
    asked = {"keys": keys, "having": as_input(having), "orderBy": order, "first": first}
    found = (await answered(world, DOCUMENT, WHO[member], **asked))["deals"]["groupBy"]
    groups = grouped("deal", seen(DEALS, member), keys, calendar or CALENDARS[0])
    groups = {
        values: rows for values, rows in groups.items() if having is None or holds("deal", rows, as_input(having))
    }
    assert found == [told(values, groups[values], keys) for values in in_order("deal", groups, keys, order)[:first]]


async def test_nested_groups_are_those_of_their_own_rows(world: Database) -> None:
    document = """{ members { nodes { id ownedDeals(where: {outcome: {eq: WON}}) {
      groupBy(keys: [{currency: EACH}], having: {count: {gt: 1}}) { count key { currency } } } } } }"""
    for member in (ANNA, BEN):
        found = (await answered(world, document, WHO[member]))["members"]["nodes"]
        for each, owner in zip(found, (ANNA, BEN), strict=True):
            rows = [row for row in seen(DEALS, member) if row["owner_id"] == owner and row["outcome"] == "WON"]
            groups = grouped("deal", rows, [{"currency": "EACH"}])
            expected = [(*key, len(of)) for key, of in groups.items() if len(of) > 1]
            assert {(one["key"]["currency"], one["count"]) for one in each["ownedDeals"]["groupBy"]} == set(expected)
            assert bool(expected) == (owner == member)


async def test_a_value_of_having_is_bound_with_each_run(world: Database) -> None:
    document = """query ($least: Int, $some: [Decimal!]) { deals {
      groupBy(keys: [{outcome: EACH}], having: {or: [{count: {gte: $least}}, {sum: {probability: {in: $some}}}]}) {
        count } } }"""
    counts = {len(rows) for rows in grouped("deal", seen(DEALS, None), [{"outcome": "EACH"}]).values()}
    for least in range(min(counts), max(counts) + 2):
        outcome = await executed(world, document, least=least, some=["-1"])
        assert outcome.is_json
        found = {each["count"] for each in outcome.data["deals"]["groupBy"]}
        assert found == {count for count in counts if count >= least}


async def test_what_groups_are_not_told_apart_by_is_null_under_an_alias_of_any_length(world: Database) -> None:
    alias = "a" * 70
    document = f"{{ deals {{ groupBy(keys: [{{outcome: EACH}}]) {{ key {{ {alias}: name }} }} }} }}"
    found = (await answered(world, document))["deals"]["groupBy"]
    assert [each["key"] for each in found] == [{alias: None}] * 3


async def test_the_executor_tells_the_same_groups(world: Database) -> None:
    asked = {"keys": [{"company": "EACH"}, {"openedAt": "MONTH"}, {"currency": "EACH"}]}
    written = await executed(world, DOCUMENT, **asked)
    told_again = await executed(world, DOCUMENT[:-1] + " __schema { description } }", **asked)
    assert (written.is_json, told_again.is_json) == (True, False)
    assert told_again.data["deals"] == written.data["deals"]


@pytest.mark.parametrize(
    ("arguments", "code", "told_of"),
    [
        ("keys: []", ErrorCode.BAD_INPUT, "names no key"),
        ("keys: [{openedAt: DAY}, {openedAt: YEAR}]", ErrorCode.BAD_INPUT, "names `openedAt` twice"),
        ("keys: [{outcome: EACH}], orderBy: [{key: {name: ASC}}]", ErrorCode.BAD_INPUT, "sorts by `name`"),
        ("keys: [{outcome: EACH}], first: -1", ErrorCode.BAD_INPUT, "negative number of groups"),
        ("keys: [{outcome: EACH}], first: 501", ErrorCode.TOO_LARGE, "500"),
        ("keys: [{outcome: EACH}], having: {count: {gt: null}}", ErrorCode.BAD_INPUT, "has no value to compare with"),
    ],
)
async def test_what_cannot_be_grouped_is_refused(
    world: Database, arguments: str, code: ErrorCode, told_of: str
) -> None:
    error = await refused(world, f"{{ deals {{ groupBy({arguments}) {{ count }} }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert told_of in error.message
    assert error.remedy


async def test_a_having_holds_no_more_than_a_filter_may(world: Database) -> None:
    wide: Row = {"or": [{"count": {"gt": 0}}] * 1_100}
    deep: Row = {}
    for _ in range(50):
        deep = {"not": deep}
    for having, told_of in (
        (wide, "filters of the document hold more than 2,000"),
        (deep, "`having` has objects nested on more than"),
    ):
        error = await refused(world, DOCUMENT, keys=[{"name": "EACH"}], having=having)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.TOO_LARGE
        assert told_of in error.message
