"""As of an earlier instant: records by the version in force then, held equal to a plain Python reading of history."""

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.access.principal import EVERYONE
from api.db import Database
from api.plan.visits import Visits
from schema.history import kept_columns
from schema.tables import TABLES
from tests.graph.asking import answered, executed, put
from tests.plan import plain
from tests.plan.plain import Row, in_order, matches, visible
from tests.plan.test_against_python import ORDERS, as_input, wheres
from tests.plan.watched import Watched

DAYS = [datetime(2026, 3, 28, tzinfo=UTC) + timedelta(days=day) for day in range(8)]
INSTANTS = [*DAYS, *(day + timedelta(hours=12) for day in DAYS), datetime(1900, 1, 1, tzinfo=UTC)]
KEPT = {str(table.__tablename__): kept_columns(table) for table in TABLES if table.__has_history__}
NEEDED: dict[str, Row] = {"company": {}, "deal": {"outcome": "OPEN"}}


def made_versions(table: str, source: random.Random) -> Iterator[Row]:
    """Each record's versions, the last with its present values: some begin at an unknown time, some lasted no time."""
    others = plain.made_rows()[table]
    for row in plain.made_rows()[table]:
        ends = sorted(source.choice(DAYS) for _ in range(source.randint(0, 3)))
        starts = (
            [source.choice([None, DAYS[0], *DAYS[:3]]), *ends] if not ends else [source.choice([None, DAYS[0]]), *ends]
        )
        for start, end in zip(starts, [*ends, None], strict=True):
            values = row if end is None else source.choice(others)
            kept = {column: value for column, value in values.items() if column in KEPT[table]}
            dates = {"valid_from": start, "valid_to": end, "recorded_at": source.choice(DAYS[:4])}
            yield NEEDED[table] | kept | dates | {f"{table}_id": row["id"], "is_assumed": False}


VERSIONS = {table: list(made_versions(table, random.Random(7))) for table in NEEDED}


def state_at(instant: datetime) -> dict[str, list[Row]]:
    """What there was at an instant, in plain Python."""
    found = {"member": plain.made_rows()["member"]}
    for table, versions in VERSIONS.items():
        found[table] = []
        for row in plain.made_rows()[table]:
            for each in versions:
                start = each["valid_from"] or each["recorded_at"]
                is_in_force = start <= instant and (each["valid_to"] is None or each["valid_to"] > instant)
                is_kept = row.get("deleted_at") is None or row["deleted_at"] > instant
                if each[f"{table}_id"] == row["id"] and is_in_force and is_kept:
                    found[table].append(
                        row | {key: each[key] for key in KEPT[table] if key in each} | {"deleted_at": None}
                    )
    return found


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    rows = plain.made_rows()
    async with module_database.write() as session:
        await session.script("set local accord.history_is_given = on")
        for table in ("member", "company", "deal"):
            await put(session, table, *rows[table])
        for table, versions in VERSIONS.items():
            await put(session, f"{table}_version", *versions)
    return module_database


DEALS = """query ($at: DateTime, $where: DealWhere, $orderBy: [DealOrder!]) {
  deals(first: 100, asOf: $at, where: $where, orderBy: $orderBy) { totalCount nodes {
    id name company { name deals { totalCount nodes { id } } } owner { ownedDeals { nodes { id } } }
  } edges { cursor } aggregate { count countDistinct { company } } } }"""


def expected_deal(row: Row) -> Row:
    company = next((each for each in visible("company") if each["id"] == row["company_id"]), None)
    owner = next((each for each in visible("member") if each["id"] == row["owner_id"]), None)
    sisters = ids("company_id", company["id"]) if company else []
    return {
        "id": f"deal_{row['id']}",
        "name": row["name"],
        "company": company and {"name": company["name"], "deals": {"totalCount": len(sisters), "nodes": sisters}},
        "owner": owner and {"ownedDeals": {"nodes": ids("owner_id", owner["id"])}},
    }


def ids(column: str, value: object) -> list[Row]:
    return [{"id": f"deal_{each['id']}"} for each in visible("deal") if each[column] == value]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.sampled_from(INSTANTS), where=wheres("deal", 2), order=ORDERS)
async def test_what_is_told_as_of_an_instant_is_what_plain_python_tells(
    world: Database, at: datetime, where: Row, order: list[Row]
) -> None:
    with patch.dict(plain.ROWS, state_at(at)):
        rows = in_order("deal", [row for row in visible("deal") if matches("deal", row, where)], order)
        expected = [expected_deal(row) for row in rows]
        companies = {row["company_id"] for row in rows} & {row["id"] for row in visible("company")}
    found = (await answered(world, DEALS, at=at.isoformat(), where=as_input(where), orderBy=order))["deals"]
    assert found["nodes"] == expected
    assert found["totalCount"] == len(expected) == len(found["edges"])
    assert found["aggregate"] == {"count": len(expected), "countDistinct": {"company": len(companies)}}


def test_the_made_histories_have_every_kind_of_version() -> None:
    versions = [each for table in VERSIONS.values() for each in table]
    assert any(each["valid_from"] is None and each["recorded_at"] > DAYS[0] for each in versions)
    assert any(each["valid_from"] == each["valid_to"] for each in versions)
    sizes = {len(state_at(at)["deal"]) for at in INSTANTS}
    assert 0 in sizes
    assert len(sizes) > 3


async def test_pages_are_walked_as_of_an_instant(world: Database) -> None:
    document = """query ($at: DateTime, $after: String) { deals(first: 7, after: $after, asOf: $at,
      orderBy: [{ company: { name: DESC } }]) { nodes { id } pageInfo { hasNextPage endCursor } } }"""
    with patch.dict(plain.ROWS, state_at(DAYS[2])):
        expected = [f"deal_{row['id']}" for row in in_order("deal", visible("deal"), [{"company": {"name": "DESC"}}])]
    walked: list[str] = []
    after = None
    while True:
        page = (await answered(world, document, at=DAYS[2].isoformat(), after=after))["deals"]
        walked += [node["id"] for node in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert walked == expected
    assert len(walked) > 14


async def test_a_future_instant_tells_what_is_now_and_null_too(world: Database) -> None:
    now = await answered(world, DEALS, at=None)
    assert len(now["deals"]["nodes"]) > 50
    assert await answered(world, DEALS, at="9999-01-01T00:00:00Z") == now
    assert await answered(world, DEALS.replace("asOf: $at, ", "").replace("$at: DateTime, ", "")) == now


async def test_one_statement_serves_every_instant(world: Database) -> None:
    watched = Watched(world)
    for at in INSTANTS[:3]:
        assert (await executed(watched, DEALS, EVERYONE, at=at.isoformat())).is_written
    assert len({text for text, _ in watched.texts}) == 1


def test_rows_that_had_not_begun_are_hidden() -> None:
    now = Visits(EVERYONE)
    then = now.as_of(DAYS[0])
    assert [table for table in ("member", "touchpoint", "contact") if now.hides_rows(table)] == ["contact"]
    assert [table for table in ("member", "touchpoint", "contact") if then.hides_rows(table)] == [
        "touchpoint",
        "contact",
    ]


async def test_an_instant_that_is_none_is_refused(world: Database) -> None:
    outcome = await executed(world, DEALS, EVERYONE, at="2026-03-28")
    assert outcome.errors
    assert "is no instant" in outcome.errors[0].message
