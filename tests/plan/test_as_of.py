"""Reads as of an earlier instant: records have the values of the version in force then, as the oracle finds it."""

from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.access.scoped_tables import ScopedTables
from api.db import Database
from tests.plan.generated.filters import Filters
from tests.plan.generated.histories import DAYS, INSTANTS, VERSIONS, current_rows, state_at
from tests.plan.generated.rows import all_rows
from tests.plan.oracle.executor import Executor
from tests.plan.oracle.shapes import Rows
from tests.plan.response_equality import assert_same_response
from tests.support.accords import accord_row
from tests.support.examples import examples
from tests.support.graphql import answered, executed, put, uid
from tests.support.random_choices import RandomChoices
from tests.support.small_company import row_of
from tests.support.statement_log import LoggingDatabase


class World:
    """A database and its rows. Not a dataclass, because Hypothesis would print all rows."""

    def __init__(self, database: Database, rows: Rows) -> None:
        self.database = database
        self.rows = rows

    def oracle_at(self, instant: datetime) -> Executor:
        """Return the oracle over the rows as of an instant."""
        return Executor(state_at(instant, self.rows), LOCAL_OPERATOR, instant, self.rows)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> World:
    async with module_database.write() as session:
        await session.script("set local accord.history_is_given = on")
        for table, rows in current_rows().items():
            await put(session, table, *rows)
        for table, versions in VERSIONS.items():
            await put(session, f"{table}_version", *versions)
        stages = [{"key": "lead", "title": "Lead", "group": "Suspect"}, {"key": "mql", "title": "Qualified"}]
        version = accord_row({"stages": stages, "reporting": {"currency": "EUR"}}, id=uid(1))
        await put(session, "accord_version", version)
        rate = {"currency": "USD", "quote_currency": "EUR"}
        days = enumerate((DAYS[0], DAYS[3], DAYS[5]), start=2)
        rates = [row_of(id=uid(number), rate_on=at.date(), rate=Decimal(number), **rate) for number, at in days]
        await put(session, "exchange_rate", *rates)
    return World(module_database, await all_rows(module_database))


DEALS = """query ($at: DateTime, $where: DealWhere, $orderBy: [DealOrder!]) {
  deals(first: 100, asOf: $at, where: $where, orderBy: $orderBy) { totalCount assumedCount nodes {
    id name company { name deals { totalCount nodes { id } } } owner { ownedDeals { nodes { id } } }
  } edges { cursor } aggregate { count countDistinct { company } } } }"""


@settings(max_examples=examples(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.sampled_from(INSTANTS), data=st.data())
async def test_a_read_as_of_an_instant_equals_that_of_the_oracle(
    world: World, at: datetime, data: st.DataObject
) -> None:
    filters = Filters(RandomChoices.of_hypothesis(data), world.rows)
    variables = {"at": at.isoformat(), "where": filters.where("deal", 2), "orderBy": filters.order("deal")}
    expected = world.oracle_at(at).execute(DEALS, variables)
    assert expected.errors is None
    assert_same_response(await answered(world.database, DEALS, **variables), expected.data)


def test_the_generated_histories_have_every_kind_of_version() -> None:
    versions = [version for table in VERSIONS.values() for version in table]
    rows = current_rows()
    assert any(version["valid_from"] is None and version["recorded_at"] > DAYS[0] for version in versions)
    assert any(version["valid_from"] == version["valid_to"] for version in versions)
    sizes = {len(state_at(at, rows)["deal"]) for at in INSTANTS}
    assert 0 in sizes
    assert len(sizes) > 3


async def test_pages_follow_each_other_as_of_an_instant(world: World) -> None:
    document = """query ($at: DateTime, $after: String) { deals(first: 7, after: $after, asOf: $at,
      orderBy: [{ company: { name: DESC } }]) { nodes { id } pageInfo { hasNextPage endCursor } } }"""
    whole = world.oracle_at(DAYS[2]).execute(document.replace("first: 7", "first: 500"), {"at": DAYS[2].isoformat()})
    assert whole.data
    expected = whole.data["deals"]["nodes"]
    walked: list[dict[str, str]] = []
    after = None
    while True:
        page = (await answered(world.database, document, at=DAYS[2].isoformat(), after=after))["deals"]
        walked += page["nodes"]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert walked == expected
    assert len(walked) > 14


async def test_a_future_instant_and_null_read_the_current_rows(world: World) -> None:
    now = await answered(world.database, DEALS, at=None)
    assert len(now["deals"]["nodes"]) > 50
    future = await answered(world.database, DEALS.replace("id", "recordId"), at="9999-01-01T00:00:00Z")
    assert future == await answered(world.database, DEALS.replace("id", "recordId"), at=None)
    assert await answered(world.database, DEALS.replace("asOf: $at, ", "").replace("$at: DateTime, ", "")) == now


async def test_one_statement_serves_every_instant(world: World) -> None:
    database = LoggingDatabase(world.database)
    for at in INSTANTS[:3]:
        assert (await executed(database, DEALS, LOCAL_OPERATOR, at=at.isoformat())).is_json
    assert len({text for text, _ in database.texts}) == 1


def test_a_table_of_facts_hides_rows_as_of_an_instant() -> None:
    now = ScopedTables(LOCAL_OPERATOR)
    then = now.as_of(DAYS[0])
    assert [table for table in ("member", "handoff", "contact") if now.hides_rows(table)] == ["contact"]
    assert [table for table in ("member", "handoff", "contact") if then.hides_rows(table)] == [
        "handoff",
        "contact",
    ]


async def test_a_date_is_rejected_as_an_instant(world: World) -> None:
    outcome = await executed(world.database, DEALS, LOCAL_OPERATOR, at="2026-03-28")
    assert outcome.errors
    assert "is a day, not an instant" in outcome.errors[0].message
