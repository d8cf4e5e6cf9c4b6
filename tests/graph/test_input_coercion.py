"""Coerced input values and variables equal those of graphql-core, whatever the values."""

from collections.abc import Mapping
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLList,
    GraphQLNonNull,
    OperationDefinitionNode,
    Undefined,
    get_variable_values,
    is_input_type,
    parse,
    type_from_ast,
)
from graphql.execution.values import VariableValues
from graphql.utilities import coerce_input_value
from hypothesis import given, settings
from hypothesis import strategies as st

from api.graph.contract import build_schema
from api.graph.reading.input_coercion import NotPlainError, plain_coercion
from api.graph.reading.variables import Operation
from tests.support.random_choices import RandomChoices

SCHEMA = build_schema()._schema
TYPES: Mapping[str, Any] = SCHEMA.type_map
MUTATION_INPUTS = sorted({str(field.args["input"].type)[:-1] for field in TYPES["Mutation"].fields.values()})
# Values of scalars, some of which are valid for one of them only.
SCALARS: tuple[Any, ...] = (
    "a text",
    "",
    "contact_1",
    7,
    -1,
    2**31,
    1.0,
    2.5,
    True,
    "12.50",
    "2026-02-28",
    "2026-02-30",
)
SCALARS += ("P7D", "2026-01-10T09:30:00Z", "2026-01-10T09:30:00", [], {}, {"source": "crm"})


def value_of(choices: RandomChoices, of_type: Any) -> Any:  # noqa: ANN401 - JSON
    """Return a value of a type, which is not valid now and then."""
    if choices.happens(40):
        return choices.one((None, [], {}, "text", 3, [None]))
    if isinstance(of_type, GraphQLNonNull):
        return value_of(choices, of_type.of_type)
    if choices.happens(12):
        return None
    if isinstance(of_type, GraphQLList):
        return list(choices.several(0, 3, lambda: value_of(choices, of_type.of_type)))
    if isinstance(of_type, GraphQLEnumType):
        return "NO_WORD" if choices.happens(20) else choices.one(sorted(of_type.values))
    if not isinstance(of_type, GraphQLInputObjectType):
        return valid_scalar(choices, of_type)
    given = {
        name: value_of(choices, field.type)
        for name, field in of_type.fields.items()
        if isinstance(field.type, GraphQLNonNull) != choices.happens(20) or choices.happens(3)
    }
    if of_type.is_one_of and not choices.happens(10):
        given = dict(choices.several(1, 1, lambda: choices.one([*given.items()] or [("id", "x")])))
    return given | {"unknown": 1} if choices.happens(40) else given


def valid_scalar(choices: RandomChoices, of_type: Any) -> Any:  # noqa: ANN401 - JSON
    valid = [value for value in SCALARS if coerce_input_value(value, of_type) is not Undefined]
    return choices.one(SCALARS) if choices.happens(20) else choices.one(valid)


@pytest.mark.parametrize("name", MUTATION_INPUTS)
@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_inputs_of_mutations_are_coerced_as_by_graphql_core(name: str, seed: int) -> None:
    of_type = TYPES[name]
    assert is_input_type(of_type)
    value = value_of(RandomChoices.of_seed(seed), of_type)
    expected = coerce_input_value(value, of_type)
    try:
        found = plain_coercion(of_type)(value)
    except NotPlainError:
        assert expected is Undefined or not has_lists(value, of_type)
    else:
        assert found == expected
        assert repr(found) == repr(expected)  # the same classes, and fields in the same order


def has_lists(value: Any, of_type: Any) -> bool:  # noqa: ANN401 - JSON
    """Return whether a valid value has lists wherever its type has them, not single items in their place."""
    if isinstance(of_type, GraphQLNonNull):
        return has_lists(value, of_type.of_type)
    if value is None:
        return True
    if isinstance(of_type, GraphQLList):
        return isinstance(value, list) and all(has_lists(item, of_type.of_type) for item in value)
    if isinstance(of_type, GraphQLInputObjectType):
        return all(has_lists(item, of_type.fields[name].type) for name, item in value.items())
    return True


OPERATIONS = (
    "mutation ($a: UpdateContactInput!, $b: Int = 3, $c: [ID!], $d: Boolean!) { __typename }",
    'query ($a: StringFilter, $b: [Int], $c: ID!, $d: RecordReference = {id: "x"}) { __typename }',
    'mutation ($a: UpsertContactsInput, $b: BulkMode = EACH, $c: String! = "x", $d: DateTime) { __typename }',
)


@pytest.mark.parametrize("text", OPERATIONS)
@settings(max_examples=150, deadline=None)
@given(seed=st.integers(0, 2**32))
def test_variables_are_those_of_graphql_core(text: str, seed: int) -> None:
    choices = RandomChoices.of_seed(seed)
    [node] = parse(text).definitions
    assert isinstance(node, OperationDefinitionNode)
    operation = Operation(SCHEMA, node, ())
    definitions = node.variable_definitions or ()
    types = {it.variable.name.value: type_from_ast(SCHEMA, it.type) for it in definitions}
    given = {name: value_of(choices, of_type) for name, of_type in types.items() if not choices.happens(4)}
    expected = get_variable_values(SCHEMA, definitions, dict(given))
    found = operation.values(given)
    if isinstance(expected, VariableValues):
        assert isinstance(found, VariableValues)
        assert found.coerced == expected.coerced
        sources = [
            {name: (source.signature.type, source.value) for name, source in values.sources.items()}
            for values in (found, expected)
        ]
        assert repr(sources[0]) == repr(sources[1])
    else:
        assert [str(error) for error in found] == [str(error) for error in expected]


def test_a_filter_is_left_to_graphql_core_which_limits_its_depth() -> None:
    with pytest.raises(NotPlainError):
        plain_coercion(TYPES["ContactWhere"])({})
    with pytest.raises(NotPlainError):
        plain_coercion(GraphQLList(TYPES["ContactWhere"]))([])


def test_a_single_value_in_place_of_a_list_is_left_to_graphql_core() -> None:
    with pytest.raises(NotPlainError):
        plain_coercion(GraphQLList(GraphQLInt))(3)
    assert plain_coercion(GraphQLList(GraphQLInt))([3, None]) == [3, None]
