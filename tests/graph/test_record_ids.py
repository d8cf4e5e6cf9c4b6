"""Ids of records as of an instant: a record has other values then, so a cache by id keeps both apart."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.identity.ids import RecordKey, instant_suffix, parse_id, parse_record_id
from tests.support.graphql import answered, executed, refused, uid
from tests.support.small_company import ACME, ADA, DEAL, write_small_company
from tests.support.statement_log import LoggingDatabase

FIELDS = """id recordId firstName company { id recordId name deals { nodes { id recordId name } } }
  touchpoints { edges { node { id recordId kind } } groupBy(keys: [{ campaign: EACH }], first: 3) {
    key { campaign { id } } } }"""
CONTACTS = f"query ($at: DateTime) {{ contacts(asOf: $at) {{ nodes {{ {FIELDS} }} }} }}"
NODE = f"query ($id: ID!) {{ node(id: $id) {{ id ... on Contact {{ {FIELDS} }} }} }}"
AT, SUFFIX = "2026-06-01T12:00:00.25+02:00", "@20260601T100000.25Z"


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


def records_in(value: object) -> Iterator[dict[str, Any]]:
    """Yield every object with an id within a response."""
    if isinstance(value, list):
        for item in value:
            yield from records_in(item)
    elif isinstance(value, dict):
        if "id" in value:
            yield value
        for item in value.values():
            yield from records_in(item)


async def test_every_record_as_of_an_instant_has_an_id_of_its_own(world: Database) -> None:
    found = (await answered(world, CONTACTS, at=AT))["contacts"]["nodes"]
    records = list(records_in(found))
    assert {record["id"].partition("_")[0] for record in records} >= {"contact", "company", "deal", "touchpoint"}
    assert all(record["id"].endswith(SUFFIX) for record in records)
    assert all(record["id"] == record["recordId"] + SUFFIX for record in records if "recordId" in record)
    now = list(records_in((await answered(world, CONTACTS, at=None))["contacts"]["nodes"]))
    assert all("@" not in record["id"] and record["id"] == record.get("recordId", record["id"]) for record in now)


async def test_node_reads_the_record_of_such_an_id_as_of_the_same_instant(world: Database) -> None:
    for contact in (await answered(world, CONTACTS, at=AT))["contacts"]["nodes"]:
        assert (await answered(world, NODE, id=contact["id"]))["node"] == contact
        document = f"query ($id: ID!) {{ contact(id: $id) {{ {FIELDS} }} }}"
        assert (await answered(world, document, id=contact["id"]))["contact"] == contact
        assert (await answered(world, document, id=contact["recordId"]))["contact"]["id"] == contact["recordId"]


async def test_nodes_reads_records_of_several_instants_by_one_statement(world: Database) -> None:
    document = "query ($ids: [ID!]!) { nodes(ids: $ids) { id ... on Contact { company { id } } } }"
    before = "@19000101T000000Z"
    ids = [f"contact_{ADA}", f"contact_{ADA}{SUFFIX}", f"contact_{ADA}{before}", f"deal_{DEAL}", f"contact_{uid(99)}"]
    watched = LoggingDatabase(world)
    outcome = await executed(watched, document, LOCAL_OPERATOR, ids=ids)
    assert outcome.is_json
    assert len(watched.texts) == 1
    assert outcome.data["nodes"] == [
        {"id": ids[0], "company": {"id": f"company_{ACME}"}},
        {"id": ids[1], "company": {"id": f"company_{ACME}{SUFFIX}"}},
        None,
        {"id": ids[3]},
        None,
    ]


async def test_an_absent_record_is_null_whatever_the_instant(world: Database) -> None:
    for id_ in (f"contact_{uid(99)}", f"contact_{uid(99)}{SUFFIX}"):
        assert (await answered(world, NODE, id=id_)) == {"node": None}


@pytest.mark.parametrize(
    "document",
    [
        "query ($id: ID!) { contacts(where: { id: { eq: $id } }) { totalCount } }",
        "query ($id: ID!) { contacts(where: { id: { in: [$id] } }) { totalCount } }",
        "query ($id: ID!) { touchpoints(where: { contact: { id: { eq: $id } } }) { totalCount } }",
    ],
)
async def test_a_filter_takes_the_plain_id_and_says_which(document: str, world: Database) -> None:
    error = await refused(world, document, id=f"contact_{ADA}{SUFFIX}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert f"contact_{ADA}." in error.remedy


async def test_an_id_with_an_instant_and_the_argument_are_refused_together(world: Database) -> None:
    document = "query ($id: ID!, $at: DateTime) { contact(id: $id, asOf: $at) { id } }"
    error = await refused(world, document, id=f"contact_{ADA}{SUFFIX}", at=AT)
    assert isinstance(error, AccordError)
    assert (error.code, f"contact_{ADA}." in error.remedy) == (ErrorCode.BAD_INPUT, True)


@pytest.mark.parametrize(
    "suffix",
    [
        "@",
        "@20260601T100000",
        "@20260601T100000.250Z",
        "@20260631T100000Z",
        "@2026-06-01T10:00:00Z",
        f"{SUFFIX}{SUFFIX}",
    ],
)
async def test_an_instant_has_one_spelling(suffix: str, world: Database) -> None:
    error = await refused(world, NODE, id=f"contact_{ADA}{suffix}")
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_id_names_exactly_the_instant_that_it_was_read_at(instant: datetime) -> None:
    text = f"contact_{ADA}{instant_suffix(instant)}"
    assert parse_record_id(text) == RecordKey("contact", ADA, instant)
    with pytest.raises(AccordError, match="as of an instant"):
        parse_id("contact", text)
