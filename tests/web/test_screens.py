"""The documents of a front end's screens fit the schema and the editor."""

from pathlib import Path

import pytest
from graphql import GraphQLSchema, build_schema, parse, validate

import api.web
from api.graph.contract import sdl

SCREENS = sorted((Path(api.web.__file__).parent / "screens").glob("*.graphql"))


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


@pytest.mark.parametrize("screen", SCREENS, ids=lambda path: path.stem)
def test_a_screen_is_valid_against_the_schema(screen: Path, schema: GraphQLSchema) -> None:
    document = screen.read_text(encoding="utf-8")
    assert validate(schema, parse(document)) == []
    assert document.startswith("# ")
    assert [line for line in document.splitlines() if len(line) > 60] == []


def test_there_are_fifteen_screens() -> None:
    assert len(SCREENS) == 15
