"""Converting the input values of a GraphQL type, by a function that is made once for the type.

graphql-core looks at the types anew for every value. These functions know them, and convert valid values to the same
results. They leave all others to graphql-core, which says what is wrong with each.
"""

from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLNamedType,
    GraphQLScalarType,
    Undefined,
    get_named_type,
    is_list_type,
    is_non_null_type,
    is_required_input_field,
)

Coerce = Callable[[Any], Any]


class NotPlainError(Exception):
    """A value that graphql-core has to look at: it is not valid, or not in the usual form."""


def plain_coercion(of_type: GraphQLInputType) -> Coerce:
    """Return the function that converts values of a type as graphql-core's `coerce_input_value` does.

    Its errors: NotPlainError for a value that is not valid; for a single value in place of a list; and for every value
    of a type with types that contain themselves, such as filters, because graphql-core limits how deep these may be.
    """
    within = {get_named_type(of_type), *_types_within(get_named_type(of_type))}
    return _refuse if any(inner in _types_within(inner) for inner in within) else _coercion(of_type)


def _coercion(of_type: GraphQLInputType) -> Coerce:
    if is_non_null_type(of_type):
        return _required(_coercion(of_type.of_type))
    if is_list_type(of_type):
        return _list(_coercion(of_type.of_type))
    if isinstance(of_type, GraphQLInputObjectType):
        return _object(of_type)
    if isinstance(of_type, GraphQLScalarType | GraphQLEnumType):
        return _leaf(of_type)
    raise TypeError(f"{of_type} is no type of inputs")


def _refuse(_value: object) -> object:
    raise NotPlainError


def _required(convert: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:  # noqa: ANN401 - a value parsed from JSON
        if value is None:
            raise NotPlainError
        return convert(value)

    return coerce


def _list(convert: Coerce) -> Coerce:
    def coerce(value: Any) -> Any:  # noqa: ANN401 - a value parsed from JSON
        if value is None:
            return None
        if not isinstance(value, list):
            raise NotPlainError
        return [convert(item) for item in value]

    return coerce


def _leaf(of_type: GraphQLScalarType | GraphQLEnumType) -> Coerce:
    convert = of_type.coerce_input_value

    def coerce(value: Any) -> Any:  # noqa: ANN401 - a value parsed from JSON
        if value is None:
            return None
        try:
            found = convert(value)
        except Exception as error:
            raise NotPlainError from error
        if found is Undefined:
            raise NotPlainError
        return found

    return coerce


@cache
def _object(of_type: GraphQLInputObjectType) -> Coerce:
    """Return the function for objects. The result has the fields in the order of the type, as graphql-core's has."""
    known = of_type.fields.keys()
    required = {name for name, field in of_type.fields.items() if is_required_input_field(field)}
    fields = [(name, field.out_name or name, _coercion(field.type)) for name, field in of_type.fields.items()]
    if any(field.default is not None or field.default_value is not Undefined for field in of_type.fields.values()):
        return _refuse
    finish: Callable[[dict[str, Any]], Any] = of_type.out_type

    def coerce(value: Any) -> Any:  # noqa: ANN401 - a value parsed from JSON
        if value is None:
            return None
        if not isinstance(value, dict) or not known >= value.keys() or not required <= value.keys():
            raise NotPlainError
        if of_type.is_one_of and (len(value) != 1 or None in value.values()):
            raise NotPlainError
        return finish({out: convert(value[name]) for name, out, convert in fields if name in value})

    return coerce


def _types_within(of_type: GraphQLNamedType) -> set[GraphQLNamedType]:
    """Return the types of the fields of an input type, and those of their fields; itself if it contains itself."""
    found: set[GraphQLNamedType] = set()
    waiting = [of_type]
    while waiting:
        for inner in _field_types(waiting.pop()):
            if inner not in found:
                found.add(inner)
                waiting.append(inner)
    return found


def _field_types(of_type: GraphQLNamedType) -> Iterator[GraphQLNamedType]:
    if isinstance(of_type, GraphQLInputObjectType):
        for field in of_type.fields.values():
            yield get_named_type(field.type)
