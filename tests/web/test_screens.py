"""The documents of a front end's screens fit the schema and the editor, and read something on a sample company.

`tests/web/golden/screens.json` has the shape of every response: `ACCORD_GOLDEN=write` rewrites it.
"""

import json
import os
from collections.abc import Iterable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from api.db import Database
from api.graph.contract import gateway, sdl
from api.traffic.traffic import Traffic
from api.web.examples_route import examples_route
from api.web.identification import identify_local_operator
from api.web.screen_examples import FOLDER, GROUP, SCREENS, STANDARD_SCREENS
from api.web.website import build_site
from api.workflows.make_sample import make_sample

FILES = sorted(FOLDER.glob("*.graphql"))
GOLDEN = Path(__file__).parent / "golden" / "screens.json"

Responses = Mapping[str, Any]
Shape = dict[str, Any] | list[Any] | str


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


@pytest.mark.parametrize("screen", FILES, ids=lambda path: path.stem)
def test_a_screen_is_valid_against_the_schema(screen: Path, schema: GraphQLSchema) -> None:
    document = screen.read_text(encoding="utf-8")
    assert validate(schema, parse(document)) == []
    assert document.startswith("# ")
    assert [line for line in document.splitlines() if len(line) > 60] == []


def test_every_screen_is_listed() -> None:
    assert {path.stem for path in FILES} == {*SCREENS, *STANDARD_SCREENS}


@pytest.fixture(scope="module")
async def examples(module_database: Database) -> dict[str, dict[str, Any]]:
    """The examples of the screens on a sample company, by the name of their operation."""
    async with module_database.write() as session:
        await make_sample(session, contacts=300, seed=1, until=date(2026, 6, 30))
    async with client_of(module_database) as client:
        found = (await client.get("/graphql/examples")).json()
    return {operation_name(example["query"]): example for example in found if example["group"] == GROUP}


@pytest.fixture(scope="module")
async def responses(examples: dict[str, dict[str, Any]], module_database: Database) -> Responses:
    """The data of every screen, by the name of its operation."""
    return {name: await run(module_database, example) for name, example in examples.items()}


def test_every_screen_reads_what_it_read_before(responses: Responses) -> None:
    found = {name: shape_of([data]) for name, data in responses.items()}
    if os.environ.get("ACCORD_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


def test_no_list_is_empty_but_warnings_and_reasons(responses: Responses) -> None:
    assert len(responses) == len(FILES)
    empty = [path for name, data in responses.items() for path in empty_lists(shape_of([data]), name)]
    assert [path for path in empty if not path.endswith((".warnings", ".reasons", ".notCountedBecause"))] == []


def test_the_people_of_a_stage_are_as_many_as_its_count(
    responses: Responses, examples: dict[str, dict[str, Any]]
) -> None:
    stage = examples["PeopleInStage"]["variables"]["stage"]
    groups = responses["StageCounts"]["contacts"]["groupBy"]
    counts = {group["key"]["stage"]["key"]: group["count"] for group in groups if group["key"]["stage"]}
    assert list(counts) == ["suspect", "inquiry", "mql", "sal", "sql", "opportunity", "customer"]
    assert sum(group["count"] for group in groups) == responses["StageCounts"]["contacts"]["totalCount"]
    assert responses["PeopleInStage"]["contacts"]["totalCount"] == counts[stage]


def test_the_search_finds_people_companies_and_deals(responses: Responses) -> None:
    types = {edge["node"]["__typename"] for edge in responses["SearchBox"]["search"]["edges"]}
    assert types == {"Contact", "Company", "Deal"}


def test_people_are_in_the_order_of_their_last_touch(responses: Responses, examples: dict[str, dict[str, Any]]) -> None:
    variables = examples["UntouchedPeople"]["variables"]
    people = [edge["node"] for edge in responses["UntouchedPeople"]["contacts"]["edges"]]
    touched = [person["touchpoints"]["edges"][0]["node"]["occurredAt"] for person in people]
    assert touched == sorted(touched)
    assert touched[-1] < variables["since"]
    assert {person["owner"]["id"] for person in people} == {variables["owner"]}


def test_the_people_behind_a_rate_are_its_numerator(responses: Responses) -> None:
    rate = responses["OverContacted"]["kpi"]
    assert rate["records"]["totalCount"] == int(rate["numerator"]) > 0


def test_the_columns_of_the_board_have_the_deals_that_their_heads_count(responses: Responses) -> None:
    board = responses["DealBoard"]
    heads = {group["key"]["pipelineStage"]["id"]: group["count"] for group in board["heads"]["groupBy"]}
    columns = {stage["node"]["id"]: len(stage["node"]["deals"]["edges"]) for stage in board["pipelineStages"]["edges"]}
    assert {id_: min(count, 10) for id_, count in heads.items()} == {id_: n for id_, n in columns.items() if n}
    converted = [group["aggregate"]["sum"]["amountConverted"] for group in board["heads"]["groupBy"]]
    assert {money["currency"] for money in converted} == {"EUR"}


async def test_the_pages_of_an_export_have_everyone_once(
    examples: dict[str, dict[str, Any]], module_database: Database
) -> None:
    export = examples["ExportContacts"] | {
        "query": examples["ExportContacts"]["query"].replace("first: 500", "first: 70"),
        "variables": {"asOf": "2026-06-30T00:00:00Z"},
    }
    read: list[str] = []
    while True:
        page = (await run(module_database, export))["contacts"]
        read += [edge["node"]["recordId"] for edge in page["edges"]]
        if not page["pageInfo"]["hasNextPage"]:
            break
        export["variables"] |= {"after": page["pageInfo"]["endCursor"]}
    whole = {"query": '{contacts(asOf: "2026-06-30T00:00:00Z") {totalCount}}', "variables": {}}
    assert len(read) == len(set(read)) == (await run(module_database, whole))["contacts"]["totalCount"] > 200


def client_of(database: Database) -> httpx.AsyncClient:
    """An HTTP client of the site on a database."""
    site = build_site(
        gateway(),
        lambda: database,
        identify_local_operator,
        routes=[examples_route(lambda: database, identify_local_operator, Traffic())],
    )
    return httpx.AsyncClient(transport=httpx.ASGITransport(app=site), base_url="http://localhost")


async def run(database: Database, example: Mapping[str, Any]) -> Any:  # noqa: ANN401 - JSON
    """The data of an example's response; the test fails if it has errors."""
    async with client_of(database) as client:
        body = {"query": example["query"], "variables": example["variables"]}
        response = (await client.post("/graphql", json=body)).json()
    assert "errors" not in response, response["errors"]
    return response["data"]


def operation_name(document: str) -> str:
    """The name of the only operation of a document."""
    (name,) = (
        definition["name"]["value"]
        for definition in parse(document).to_dict()["definitions"]
        if definition["kind"] == "operation_definition"
    )
    return str(name)


def shape_of(values: Iterable[Any]) -> Shape:
    """The common shape of values at one place: the fields of objects, the items of lists, and types of scalars.

    A place that is null, or a list that is empty, in all values is `null` or `[]`.
    """
    known = [value for value in values if value is not None]
    if not known:
        return "null"
    if isinstance(known[0], list):
        items = [item for value in known for item in value]
        return [shape_of(items)] if items else []
    if isinstance(known[0], dict):
        names = dict.fromkeys(name for value in known for name in value)
        return {name: shape_of([value[name] for value in known if name in value]) for name in names}
    return type(known[0]).__name__


def empty_lists(shape: Shape, path: str) -> list[str]:
    """The paths of lists that have no items wherever they are."""
    if isinstance(shape, list):
        return empty_lists(shape[0], path) if shape else [path]
    if isinstance(shape, dict):
        return [found for name, part in shape.items() for found in empty_lists(part, f"{path}.{name}")]
    return []
