"""An explanation shows the selection, cost, statement and plan of a request, from the values that running it uses."""

import httpx
import pytest
from starlette.types import Scope

from api.access.principal import LOCAL_OPERATOR, Principal
from api.db import Database
from api.errors import AccordError
from api.graph.contract import gateway
from api.graph.explanation import explanation_sections
from api.graph.request import GraphQLRequest
from api.web.identification import identify_local_operator
from api.web.website import build_site
from schema.access.rights import Reach
from tests.support.graphql import executed
from tests.support.small_company import ADA, ANNA, write_small_company
from tests.support.statement_log import LoggingDatabase

DOCUMENT = (
    "query ($name: String) { contacts(first: 3, where: { firstName: { eq: $name } }) { totalCount nodes { id } } }"
)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await write_small_company(session)
    return module_database


async def explained(database: Database, document: str, *, is_run: bool = False, **variables: object) -> dict[str, str]:
    request = GraphQLRequest(document, variables)
    validated = gateway().validated(request)
    plan = await gateway().plan(database, request, validated, LOCAL_OPERATOR)
    return dict(await explanation_sections(database, gateway().explain(plan), plan.price, is_run=is_run))


async def test_the_explained_statement_is_the_one_that_runs(world: Database) -> None:
    found = await explained(world, DOCUMENT, name="Ada")
    watched = LoggingDatabase(world)
    assert (await executed(watched, DOCUMENT, LOCAL_OPERATOR, name="Ada")).is_json
    [(text, values)] = watched.texts
    statement = found["Statement (the response is written by PostgreSQL)"]
    assert "".join(statement.split("\n-- $1")[0].split()) == "".join(text.split())
    assert [line.partition(": ")[2] for line in statement.splitlines() if line.startswith("-- $")] == [
        repr(value) for value in values
    ]
    assert "Connection(table='contact'" in found["Selection"]
    assert found["Cost"] == "1 of 30,000; 3 records at most, of 50,000"
    assert "contact" in found["Plan"]
    assert "actual" not in found["Plan"]


async def test_actual_times_and_rows_are_shown_if_the_statement_is_run(world: Database) -> None:
    found = await explained(world, DOCUMENT, is_run=True, name="Ada")
    assert "actual" in found["Plan, as it ran"]


async def test_fields_without_records_and_fields_with_errors_are_explained_too(world: Database) -> None:
    found = await explained(
        world, f'{{ kpiCatalogue {{ key }} contact(id: "contact_{ADA}") {{ id }} node(id: "x") {{ id }} }}'
    )
    assert "kpiCatalogue: reads no records" in found["Selection"]
    assert "node: 'x' is not an id" in found["Selection"]
    assert "Statement (the response is written by the executor)" in found
    assert list(await explained(world, "{ kpiCatalogue { key } }")) == ["Selection", "Cost"]
    with pytest.raises(AccordError, match="fit their types"):
        await explained(world, DOCUMENT, name=1)


async def test_a_null_that_is_not_allowed_is_explained_with_the_error_of_graphql(world: Database) -> None:
    within = "query ($yes: Boolean = true) { contacts { totalCount @include(if: $yes) } }"
    assert "contacts: Argument 'if' has invalid value" in (await explained(world, within, yes=None))["Selection"]
    around = "query ($yes: Boolean = true) { contacts @include(if: $yes) { totalCount } }"
    assert "the root fields: Argument 'if' has invalid value" in (await explained(world, around, yes=None))["Selection"]


@pytest.mark.parametrize(
    ("explains", "value", "is_explained"), [(True, "plan", True), (True, "x", False), (False, "plan", False)]
)
async def test_the_header_has_an_effect_only_if_explaining_is_enabled(
    world: Database, explains: bool, value: str, is_explained: bool
) -> None:
    site = build_site(gateway(), lambda: world, identify_local_operator, explains=explains)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        body = {"query": DOCUMENT, "variables": {"name": "Ada"}}
        response = (await client.post("/graphql", json=body, headers={"Accord-Explain": value})).json()
    assert response["data"]["contacts"]["totalCount"] == 1
    assert ("explain" in response["extensions"]) == is_explained


@pytest.mark.parametrize("reach", [Reach.TEAM, Reach.OWN])
async def test_a_plan_is_not_shown_to_who_does_not_reach_every_row_that_it_counts(
    world: Database, reach: Reach
) -> None:
    async def identify(_scope: Scope) -> Principal:
        return Principal(reach, ANNA)

    site = build_site(gateway(), lambda: world, identify, explains=True)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        body = {"query": "{ contacts { totalCount } }"}
        response = (await client.post("/graphql", json=body, headers={"Accord-Explain": "analyze"})).json()
    [error] = response["errors"]
    assert error["extensions"]["code"] == "NOT_ALLOWED"
    assert "reach ALL" in error["message"] + error["extensions"].get("remedy", "")
    assert "data" not in response
