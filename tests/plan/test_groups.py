"""Groups of rows equal those of the oracle over the same rows, in several time zones."""

from decimal import Decimal
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.db import Database
from api.errors import AccordError, ErrorCode
from tests.plan.deal_rows import ANNA, BEN, COMPANIES, DEALS, RATES, VERSION, visible_to, write_deals
from tests.plan.oracle.aggregates import aggregate_value, converted_figure, json_value
from tests.plan.oracle.conversion import Conversion, has_several_currencies
from tests.plan.oracle.groups import Calendar, group_rows, meets_having, sort_groups
from tests.plan.oracle.shapes import AGGREGATED, Row
from tests.plan.test_aggregates import EXTREMES, NUMBERS, PRINCIPALS
from tests.support.accords import accord_row, delete_versions
from tests.support.examples import examples
from tests.support.graphql import answered, code_of, executed, put, refused

CALENDARS: list[Calendar] = [
    ("UTC", "MONDAY", 1),
    ("Europe/Berlin", "MONDAY", 2),
    ("America/St_Johns", "SUNDAY", 12),
]
DATE_KEYS = ("openedAt", "closeDate")
CONVERTED = "amountConverted"
VALUE_KEYS = ("name", "company", "owner", "outcome", "currency", "rowVersion")
GRAINS = ["DAY", "WEEK", "MONTH", "QUARTER", "YEAR", "FISCAL_QUARTER", "FISCAL_YEAR"]
DOCUMENT = """query ($keys: [DealGroupKey!]!, $having: DealHaving, $orderBy: [DealGroupOrder!], $first: Int) {
  deals(first: 0) {
    groupBy(keys: $keys, having: $having, orderBy: $orderBy, first: $first) {
      key { name company { name id } owner { id } outcome currency rowVersion openedAt closeDate } count
      aggregate { count sum { rowVersion amount { currency amount }
        amountConverted { amount currency unconvertedCount } } max { name } }
    } groupCount(keys: $keys, having: $having) } }"""


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_deals(session)
    return module_database


async def put_in_force(database: Database, calendar: Calendar | None) -> None:
    """Replace the accord in force by one with this calendar; None leaves no accord."""
    keys = ("timezone", "week_start", "fiscal_year_start_month")
    body = {"reporting": dict(zip(keys, calendar, strict=True)) | {"currency": "EUR"}} if calendar else {}
    async with database.write() as session:
        await delete_versions(session)
        if calendar:
            await put(session, "accord_version", accord_row(body, id=VERSION))


def group_json(values: tuple[Any, ...], rows: list[Row], keys: list[Row], currency: str | None) -> Row:
    """Return a group as the response shows it."""
    names = {row["id"]: row["name"] for row in COMPANIES}
    key: Row = dict.fromkeys([*VALUE_KEYS, *DATE_KEYS])
    for name, value in zip((name for grouping in keys for name in grouping), values, strict=True):
        if name == "company" and value is not None:
            key[name] = {"name": names[value], "id": f"company_{value}"}
        elif name == "owner" and value is not None:
            key[name] = {"id": f"member_{value}"}
        else:
            key[name] = json_value(value)
    amounts = [
        {"currency": amount["currency"], "amount": amount["amount"]} for amount in deal_aggregate(rows, "sum", "amount")
    ]
    aggregates = {
        "count": len(rows),
        "sum": {
            "rowVersion": deal_aggregate(rows, "sum", "rowVersion"),
            "amount": amounts,
            "amountConverted": converted_figure(rows, "sum", AGGREGATED["deal"]["amount"], currency),
        },
        "max": {"name": deal_aggregate(rows, "max", "name")},
    }
    return {"key": key, "count": len(rows), "aggregate": aggregates}


def deal_aggregate(rows: list[Row], function: str, key: str) -> Any:  # noqa: ANN401 - a number, text or list of amounts
    return aggregate_value(rows, function, AGGREGATED["deal"][key])


# ------------------------------------------------------------------------------------------------------ arguments


def as_input(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """Return a `having` as a client sends it: decimals are text."""
    if isinstance(value, dict):
        return {key: value[key] if key == "count" else as_input(value[key]) for key in value}
    if isinstance(value, list):
        return [as_input(item) for item in value]
    return json_value(value)


def compared_figures(having: Row) -> set[str]:
    """Return the columns that a `having` compares by more than whether there is a value."""
    found: set[str] = set()
    for key, value in having.items():
        if key in ("and", "or"):
            found = found.union(*map(compared_figures, value))
        elif key == "not":
            found |= compared_figures(value)
        elif key != "count":
            found |= {name for name, tests in value.items() if set(tests) != {"isNull"}}
    return found


def expected_refusals(rows: list[Row], keys: list[Row], having: Row, order: list[Row], *, is_agreed: bool) -> set[str]:
    """Return the codes of the errors that a request may be rejected with; empty if it has to be answered."""
    sorted_by = {name for term in order for value in term.values() if isinstance(value, dict) for name in value}
    compared, ordered = compared_figures(having), sorted_by
    has_currency_key = any("currency" in key for key in keys)
    is_bare = "amount" in compared or ("amount" in ordered and not has_currency_key)
    codes: set[str] = set()
    if is_bare and has_several_currencies(rows, AGGREGATED["deal"]["amount"]):
        codes.add("MIXED_CURRENCIES")
    if CONVERTED in compared | ordered and not is_agreed:
        codes.add("NO_REPORTING_CURRENCY")
    return codes


KEYS = st.lists(
    st.one_of(
        st.sampled_from(sorted(VALUE_KEYS)).map(lambda key: {key: "EACH"}),
        st.tuples(st.sampled_from(sorted(DATE_KEYS)), st.sampled_from(GRAINS)).map(lambda pair: {pair[0]: pair[1]}),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda key: next(iter(key)),
)
DIRECTIONS = st.sampled_from(["ASC", "DESC", "ASC_NULLS_FIRST", "DESC_NULLS_FIRST"])


def by_column(function: str, columns: list[str]) -> st.SearchStrategy[Row]:
    return st.tuples(st.sampled_from(columns), DIRECTIONS).map(lambda pair: {function: {pair[0]: pair[1]}})


ORDERS = st.lists(
    st.one_of(
        DIRECTIONS.map(lambda direction: {"count": direction}),
        by_column("key", [*VALUE_KEYS, *DATE_KEYS]),
        *(by_column(function, [*sorted(NUMBERS), CONVERTED]) for function in ("sum", "avg")),
        *(by_column(function, [*sorted(EXTREMES), CONVERTED]) for function in ("min", "max")),
    ),
    max_size=2,
)


def comparisons(values: list[Any], *, may_be_missing: bool) -> st.SearchStrategy[Row]:
    operand = st.sampled_from(values)
    operators = {"eq": operand, "gt": operand, "lte": operand, "in": st.lists(operand, max_size=2)}
    if may_be_missing:
        operators["isNull"] = st.booleans()
    return st.sampled_from(sorted(operators)).flatmap(
        lambda operator: operators[operator].map(lambda value: {operator: value})
    )


NUMBER_COMPARISONS = comparisons(
    [*map(Decimal, ("0", "0.25", "10.00", "10.01", "2", "4000000000"))], may_be_missing=True
)
HAVINGS = st.recursive(
    st.one_of(
        comparisons([1, 2, 5, 20], may_be_missing=False).map(lambda count: {"count": count}),
        st.tuples(
            st.sampled_from(["sum", "avg", "min", "max"]),
            st.sampled_from([*sorted(NUMBERS), CONVERTED]),
            NUMBER_COMPARISONS,
        ).map(lambda parts: {parts[0]: {parts[1]: parts[2]}}),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=2).map(lambda parts: {"and": parts}),
        st.lists(inner, max_size=2).map(lambda parts: {"or": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=3,
)


@pytest.mark.parametrize("calendar", [None, *CALENDARS], ids=str)
@settings(max_examples=examples(60), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    keys=KEYS,
    having=st.one_of(st.none(), HAVINGS),
    order_and_size=st.tuples(ORDERS, st.integers(1, 60)),
    member=st.sampled_from(list(PRINCIPALS)),
)
async def test_groups_equal_those_of_the_oracle(
    world: Database,
    calendar: Calendar | None,
    keys: list[Row],
    having: Row | None,
    order_and_size: tuple[list[Row], int],
    member: UUID | None,
) -> None:
    order, first = order_and_size
    await put_in_force(world, calendar)
    names = {name for key in keys for name in key}
    order = [term for term in order if next(iter(term.get("key", names))) in names]
    variables = {"keys": keys, "having": as_input(having), "orderBy": order, "first": first}
    zone = ZoneInfo((calendar or CALENDARS[0])[0])
    conversion = Conversion(RATES, "EUR" if calendar else None, zone)
    rows = [conversion.with_converted("deal", row) for row in visible_to(member, DEALS)]
    outcome = await executed(world, DOCUMENT, PRINCIPALS[member], **variables)
    refusals = expected_refusals(rows, keys, having or {}, order, is_agreed=calendar is not None)
    if refusals:
        assert {code_of(error) for error in outcome.errors or ()} <= refusals
        assert outcome.errors
        return
    assert outcome.errors is None, outcome.errors
    groups = group_rows("deal", rows, keys, calendar or CALENDARS[0])
    groups = {
        values: rows
        for values, rows in groups.items()
        if having is None or meets_having("deal", rows, as_input(having))
    }
    ordered = sort_groups("deal", groups, keys, order)
    found = outcome.data["deals"]
    assert found["groupCount"] == len(groups)
    assert found["groupBy"] == [
        group_json(values, groups[values], keys, conversion.currency) for values in ordered[:first]
    ]


async def test_a_nested_list_groups_its_own_rows(world: Database) -> None:
    document = """{ members { nodes { id ownedDeals(where: {outcome: {eq: WON}}) {
      groupBy(keys: [{currency: EACH}], having: {count: {gt: 1}}) { count key { currency } } } } } }"""
    for member in (ANNA, BEN):
        found = (await answered(world, document, PRINCIPALS[member]))["members"]["nodes"]
        for node, owner in zip(found, (ANNA, BEN), strict=True):
            rows = [row for row in visible_to(member, DEALS) if row["owner_id"] == owner and row["outcome"] == "WON"]
            groups = group_rows("deal", rows, [{"currency": "EACH"}])
            expected = [(*key, len(group)) for key, group in groups.items() if len(group) > 1]
            assert {(group["key"]["currency"], group["count"]) for group in node["ownedDeals"]["groupBy"]} == set(
                expected
            )
            assert bool(expected) == (owner == member)


async def test_a_value_of_having_is_bound_at_every_execution(world: Database) -> None:
    document = """query ($least: Int, $some: [Decimal!]) { deals {
      groupBy(keys: [{outcome: EACH}], having: {or: [{count: {gte: $least}}, {sum: {probability: {in: $some}}}]}) {
        count } } }"""
    counts = {len(rows) for rows in group_rows("deal", visible_to(None, DEALS), [{"outcome": "EACH"}]).values()}
    for least in range(min(counts), max(counts) + 2):
        outcome = await executed(world, document, least=least, some=["-1"])
        assert outcome.is_json
        found = {group["count"] for group in outcome.data["deals"]["groupBy"]}
        assert found == {count for count in counts if count >= least}


async def test_a_column_that_is_not_a_key_is_null_under_an_alias_of_any_length(world: Database) -> None:
    alias = "a" * 70
    document = f"{{ deals {{ groupBy(keys: [{{outcome: EACH}}]) {{ key {{ {alias}: name }} }} }} }}"
    found = (await answered(world, document))["deals"]["groupBy"]
    assert [group["key"] for group in found] == [{alias: None}] * 3


async def test_the_graphql_executor_returns_the_same_groups(world: Database) -> None:
    variables = {"keys": [{"company": "EACH"}, {"openedAt": "MONTH"}, {"currency": "EACH"}]}
    planned = await executed(world, DOCUMENT, **variables)
    resolved = await executed(world, DOCUMENT[:-1] + " __schema { description } }", **variables)
    assert (planned.is_json, resolved.is_json) == (True, False)
    assert resolved.data["deals"] == planned.data["deals"]


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ("keys: []", ErrorCode.BAD_INPUT, "names no key"),
        ("keys: [{openedAt: DAY}, {openedAt: YEAR}]", ErrorCode.BAD_INPUT, "names `openedAt` twice"),
        ("keys: [{outcome: EACH}], orderBy: [{key: {name: ASC}}]", ErrorCode.BAD_INPUT, "sorts by `name`"),
        ("keys: [{outcome: EACH}], first: -1", ErrorCode.BAD_INPUT, "a negative number of groups"),
        ("keys: [{outcome: EACH}], first: 1001", ErrorCode.TOO_LARGE, "1,000"),
        ("keys: [{outcome: EACH}], having: {count: {gt: null}}", ErrorCode.BAD_INPUT, "has no value to compare with"),
    ],
)
async def test_invalid_grouping_arguments_are_rejected_with_a_remedy(
    world: Database, arguments: str, code: ErrorCode, message: str
) -> None:
    error = await refused(world, f"{{ deals {{ groupBy({arguments}) {{ count }} }} }}")
    assert isinstance(error, AccordError)
    assert error.code is code
    assert message in error.message
    assert error.remedy


async def test_a_having_has_the_size_limits_of_a_filter(world: Database) -> None:
    wide: Row = {"or": [{"count": {"gt": 0}}] * 1_100}
    deep: Row = {}
    for _ in range(50):
        deep = {"not": deep}
    for having, message in (
        (wide, "filters of the document hold more than 2,000"),
        (deep, "`having` has objects nested on more than 40 levels"),
    ):
        error = await refused(world, DOCUMENT, keys=[{"name": "EACH"}], having=having)
        assert isinstance(error, AccordError)
        assert error.code is ErrorCode.TOO_LARGE
        assert message in error.message
