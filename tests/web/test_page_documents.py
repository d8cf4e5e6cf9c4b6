"""The documents of the page of the accord fit the contract, also where no front-end can be built."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

from api.graph.contract import sdl

DOCUMENTS = sorted((Path(__file__).parents[2] / "api/static/accord/src/queries").glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


def test_there_are_documents() -> None:
    assert len(DOCUMENTS) > 5


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.stem)
def test_a_document_of_the_page_fits_the_contract(path: Path, schema: GraphQLSchema) -> None:
    document = path.read_text(encoding="utf-8")
    assert validate(schema, parse(document)) == []
    assert document.startswith("# ")
