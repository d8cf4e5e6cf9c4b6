"""What `accord clients` prints is made from the whole schema, and each file is in the form of its client."""

import json
import re

import pytest
from graphql import GraphQLObjectType, GraphQLSchema, GraphQLUnionType, build_schema, is_specified_scalar_type

from api.graph.client_files import CLIENT_FILES
from api.graph.contract import sdl


@pytest.fixture(scope="module")
def schema() -> GraphQLSchema:
    return build_schema(sdl())


@pytest.fixture(scope="module")
def scalars(schema: GraphQLSchema) -> set[str]:
    kinds = {name: type_ for name, type_ in schema.type_map.items() if type(type_).__name__ == "GraphQLScalarType"}
    return {name for name, type_ in kinds.items() if not is_specified_scalar_type(type_)}


def test_all_scalars_are_strings_in_json(schema: GraphQLSchema, scalars: set[str]) -> None:
    assert json.loads(CLIENT_FILES["relay"](schema)) == dict.fromkeys(scalars, "string")
    assert json.loads(CLIENT_FILES["codegen"](schema))["scalars"] == dict.fromkeys(scalars, "string")
    assert {"DateTime", "Date", "Decimal", "Duration"} <= scalars


def test_all_scalars_are_strings_in_typescript_and_kotlin(schema: GraphQLSchema, scalars: set[str]) -> None:
    assert set(re.findall(r"^  (\w+): string;$", CLIENT_FILES["gql-tada"](schema), re.MULTILINE)) == scalars
    assert (
        set(re.findall(r'^mapScalarToKotlinString\("(\w+)"\)$', CLIENT_FILES["apollo-kotlin"](schema), re.MULTILINE))
        == scalars
    )


def test_graphcache_keeps_exactly_the_nodes_by_their_id(schema: GraphQLSchema) -> None:
    without_key = set(re.findall(r"^  (\w+): \(\) => null,$", CLIENT_FILES["graphcache"](schema), re.MULTILINE))
    objects = {name: type_ for name, type_ in schema.type_map.items() if isinstance(type_, GraphQLObjectType)}
    nodes = {name for name, type_ in objects.items() if "Node" in {interface.name for interface in type_.interfaces}}
    assert {"Contact", "KpiAnswer", "FunnelAnswer"} <= nodes
    assert without_key == {name for name in objects.keys() - nodes - {"Query", "Mutation"} if not name.startswith("__")}


def test_apollo_merges_the_pages_of_every_list_by_its_other_arguments(schema: GraphQLSchema) -> None:
    text = CLIENT_FILES["apollo-client"](schema)
    assert '    contacts: relayStylePagination(["where", "orderBy", "search", "includeMerged", "asOf"]),\n' in text
    assert '    search: relayStylePagination(["text", "types"]),\n' in text
    assert '    records: relayStylePagination(["side", "orderBy"]),\n' in text
    union = schema.type_map["SearchResult"]
    assert isinstance(union, GraphQLUnionType)
    assert f"  SearchResult: {json.dumps(sorted(type_.name for type_ in union.types))},\n" in text
