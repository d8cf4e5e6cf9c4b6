"""How a question is answered is told stage by stage, from the very values that answering it goes through."""

import httpx
import pytest

from api.access.principal import EVERYONE
from api.db import Database
from api.errors import AccordError
from api.graph.contract import gateway
from api.graph.explanation import explanation_sections
from api.graph.request import GraphQLRequest
from api.web.website import build_site
from tests.plan.watched import Watched
from tests.plan.world import ADA, found_company
from tests.support.graphql import executed

DOCUMENT = (
    "query ($name: String) { contacts(first: 3, where: { firstName: { eq: $name } }) { totalCount nodes { id } } }"
)


@pytest.fixture(scope="module")
async def world(module_database: Database) -> Database:
    async with module_database.write() as session:
        await found_company(session)
    return module_database


async def told(database: Database, document: str, *, is_run: bool = False, **variables: object) -> dict[str, str]:
    question = GraphQLRequest(document, variables)
    found = gateway().explain(question, gateway().validated(question), EVERYONE)
    return dict(await explanation_sections(database, found, is_run=is_run))


async def test_the_statement_told_is_the_one_that_runs(world: Database) -> None:
    found = await told(world, DOCUMENT, name="Ada")
    watched = Watched(world)
    assert (await executed(watched, DOCUMENT, EVERYONE, name="Ada")).is_json
    [(text, values)] = watched.texts
    statement = found["Statement (the answer is written by PostgreSQL)"]
    assert "".join(statement.split("\n-- $1")[0].split()) == "".join(text.split())
    assert [line.partition(": ")[2] for line in statement.splitlines() if line.startswith("-- $")] == [
        repr(value) for value in values
    ]
    assert "Connection(table='contact'" in found["Selection"]
    assert found["Cost"].startswith("13 records at most")
    assert "contact" in found["Plan"]
    assert "actual" not in found["Plan"]


async def test_times_and_rows_are_told_where_it_is_run_for_that(world: Database) -> None:
    found = await told(world, DOCUMENT, is_run=True, name="Ada")
    assert "actual" in found["Plan, as it ran"]


async def test_what_is_no_record_and_what_is_wrong_are_told_too(world: Database) -> None:
    found = await told(
        world, f'{{ kpiCatalogue {{ key }} contact(id: "contact_{ADA}") {{ id }} node(id: "x") {{ id }} }}'
    )
    assert "kpiCatalogue: no record" in found["Selection"]
    assert "node: 'x' is no id" in found["Selection"]
    assert "Statement (the answer is written by the executor)" in found
    assert list(await told(world, "{ kpiCatalogue { key } }")) == ["Selection", "Cost"]
    with pytest.raises(AccordError, match="fit their types"):
        await told(world, DOCUMENT, name=1)


async def test_null_where_none_may_be_is_told_in_graphqls_words(world: Database) -> None:
    within = "query ($yes: Boolean = true) { contacts { totalCount @include(if: $yes) } }"
    assert "contacts: Argument 'if' has invalid value" in (await told(world, within, yes=None))["Selection"]
    around = "query ($yes: Boolean = true) { contacts @include(if: $yes) { totalCount } }"
    assert "the root fields: Argument 'if' has invalid value" in (await told(world, around, yes=None))["Selection"]


@pytest.mark.parametrize(
    ("explains", "way", "is_told"), [(True, "plan", True), (True, "x", False), (False, "plan", False)]
)
async def test_the_header_is_heard_only_where_one_develops(
    world: Database, explains: bool, way: str, is_told: bool
) -> None:
    site = build_site(gateway(), lambda _request: (world, EVERYONE), explains=explains)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost") as client:
        asked = {"query": DOCUMENT, "variables": {"name": "Ada"}}
        answer = (await client.post("/graphql", json=asked, headers={"Accord-Explain": way})).json()
    assert answer["data"]["contacts"]["totalCount"] == 1
    assert ("explain" in answer["extensions"]) == is_told
