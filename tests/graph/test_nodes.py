"""The root field `nodes`: records of any types by their ids, in the order of the ids."""

import pytest

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.errors import AccordError, ErrorCode
from schema.access.rights import Reach
from tests.support.graphql import answered, executed, refused, uid, with_personal_data
from tests.support.small_company import ACME, ADA, ANNA, CARL, DEAL, GONE_CONTACT, write_small_company
from tests.support.statement_log import LoggingDatabase

NODES = """query ($ids: [ID!]!) {
  nodes(ids: $ids) { __typename ... on Node { id } ... on Contact { firstName } ... on Deal { name } }
}"""
IDS = [f"deal_{DEAL}", f"contact_{GONE_CONTACT}", f"contact_{CARL}", f"contact_{uid(999)}", f"contact_{ADA}"]
FOUND = [
    {"__typename": "Deal", "id": f"deal_{DEAL}", "name": "First"},
    None,
    {"__typename": "Contact", "id": f"contact_{CARL}", "firstName": "Carl"},
    None,
    {"__typename": "Contact", "id": f"contact_{ADA}", "firstName": "Ada"},
]


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


async def test_one_statement_returns_the_records_in_the_order_of_their_ids(world: Database) -> None:
    watched = LoggingDatabase(world)
    outcome = await executed(watched, NODES, LOCAL_OPERATOR, ids=IDS)
    assert outcome.is_json
    assert outcome.data == {"nodes": FOUND}
    assert len(watched.texts) == 1
    again = await answered(watched, NODES, ids=[IDS[4], IDS[0], IDS[4]])
    assert again["nodes"] == [FOUND[4], FOUND[0], FOUND[4]]


async def test_the_executor_returns_the_same_beside_other_fields(world: Database) -> None:
    document = NODES.replace("nodes(", "kpiCatalogue { key } nodes(")
    outcome = await executed(world, document, LOCAL_OPERATOR, ids=IDS)
    assert not outcome.is_json
    assert outcome.errors is None
    assert outcome.data["nodes"] == FOUND


async def test_no_ids_return_no_records_and_a_record_without_selected_fields_is_empty(world: Database) -> None:
    assert await answered(world, NODES, ids=[]) == {"nodes": []}
    document = f'{{ nodes(ids: ["company_{ACME}", "contact_{ADA}"]) {{ ... on Contact {{ firstName }} }} }}'
    assert await answered(world, document) == {"nodes": [{}, {"firstName": "Ada"}]}


async def test_a_record_that_is_not_visible_is_null(world: Database) -> None:
    assert await answered(world, NODES, with_personal_data(Reach.OWN, ANNA), ids=IDS) == {
        "nodes": [*[None] * 4, FOUND[4]]
    }


async def test_the_limit_on_ids_is_a_hundred_and_every_record_adds_to_the_cost(world: Database) -> None:
    many = await answered(world, NODES, ids=[IDS[4]] * 100)
    assert many["nodes"] == [FOUND[4]] * 100
    error = await refused(world, NODES, ids=[IDS[4]] * 101)
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.TOO_LARGE
    assert "101 ids. The limit is 100" in error.message
    within = (
        "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Contact { touchpoints(first: 500) { nodes { kind } } } } }"
    )
    error = await refused(world, within, ids=[IDS[4]] * 100)
    assert isinstance(error, AccordError)
    assert "50,100 records" in error.message


@pytest.mark.parametrize("bad", ["nonsense", f"evaluation_{uid(1)}", f"contact_{uid(1)}x"])
async def test_one_invalid_id_rejects_the_field(bad: str, world: Database) -> None:
    error = await refused(world, NODES, ids=[IDS[0], bad])
    assert isinstance(error, AccordError)
    assert error.code is ErrorCode.BAD_INPUT
    assert "is not an id" in error.message
