"""The documents of the page of the accord fit the contract, and read what they read before with as many statements.

`tests/web/golden/accord_page.json` has the number of statements and the shape of every response: `ACCORD_GOLDEN=write`
rewrites it.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from api.accord.in_force import accord_in_force
from api.db import Database
from api.graph.contract import sdl
from api.workflows.make_sample import make_sample
from tests.bench.funnel_preview import stricter
from tests.support.previews import add_draft
from tests.support.statement_log import LoggingDatabase
from tests.web.test_screens import client_of, shape_of

FOLDER = Path(__file__).parents[2] / "api/static/accord/src/queries"
DOCUMENTS = sorted(FOLDER.glob("*.graphql"))
GOLDEN = Path(__file__).parent / "golden" / "accord_page.json"
PERIOD = {"named": "2026-Q1"}
VARIABLES: Mapping[str, Mapping[str, Any]] = {
    "changes": {"a": 1, "b": 2},
    "document": {"version": 2},
    "effect": {"version": 2, "period": PERIOD},
    "overview": {},
    "people": {"version": 2, "period": PERIOD, "stage": "mql", "change": "LOST"},
    "version": {"version": 2},
}
"""What the page reads with every document that is not a mutation."""


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_of_the_page_fits_the_contract(path: Path, schema: GraphQLSchema) -> None:
    document = path.read_text(encoding="utf-8")
    assert validate(schema, parse(document)) == []
    assert document.startswith("# ")


@dataclass(frozen=True, slots=True)
class Read:
    """What a document read, with so many statements."""

    statements: int
    data: Any


@pytest.fixture(scope="module")
async def company(module_database: Database) -> Database:
    """A sample company with a draft, whose preview is stored."""
    async with module_database.write() as session:
        await make_sample(session, contacts=300, seed=1, until=date(2026, 6, 30))
    async with module_database.write() as session:
        await add_draft(session, stricter((await accord_in_force(session)).accord))
    await read(module_database, "effect")
    return module_database


async def read(database: Database, name: str, *, replace: tuple[str, str] = ("", "")) -> Read:
    """Read a document of the page, with a part of it replaced; the test fails if the response has errors."""
    logged = LoggingDatabase(database)
    query = (FOLDER / f"{name}.graphql").read_text(encoding="utf-8").replace(*replace)
    async with client_of(logged) as client:
        response = (await client.post("/graphql", json={"query": query, "variables": VARIABLES[name]})).json()
    assert "errors" not in response, response["errors"]
    return Read(len(logged.statements) + len(logged.texts), response["data"])


def test_every_document_but_the_mutations_is_read() -> None:
    reads = {path.stem for path in DOCUMENTS if "\nquery " in path.read_text(encoding="utf-8")}
    assert reads == VARIABLES.keys()


async def test_the_page_reads_what_it_read_before_with_as_many_statements(company: Database) -> None:
    found = {}
    for name in VARIABLES:
        done = await read(company, name)
        found[name] = {"statements": done.statements, "data": shape_of([done.data])}
    if os.environ.get("ACCORD_GOLDEN") == "write":
        GOLDEN.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(GOLDEN.read_text(encoding="utf-8"))


async def test_a_longer_list_of_people_needs_no_more_statements(company: Database) -> None:
    page, two = await read(company, "people"), await read(company, "people", replace=("first: 20", "first: 2"))
    lengths = [len(done.data["accordPreview"]["stages"][0]["people"]["edges"]) for done in (two, page)]
    assert 2 == lengths[0] < lengths[1]
    assert page.statements == two.statements
