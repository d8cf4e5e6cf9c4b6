"""What clients and generators have to know beyond the SDL, derived from the schema: scalars and cache keys.

A scalar is a string in JSON, so that no client rounds it. Only a `Node` has an identity. A cache stores the values of
other types within the record that has them, also if a field `id` names a record that they are about.
"""

import json
from collections.abc import Callable, Iterator, Mapping

from graphql import (
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLScalarType,
    GraphQLSchema,
    GraphQLUnionType,
    get_named_type,
    is_introspection_type,
    is_specified_scalar_type,
)

from api.graph.derived.record_types import NODE

PAGE_ARGUMENTS = frozenset({"first", "after", "last", "before"})


def config_for_codegen(schema: GraphQLSchema) -> str:
    """The options of GraphQL Code Generator, as JSON: scalars, and values of enums that keep their names."""
    options = {
        "scalars": _strings(schema),
        "strictScalars": True,
        # Otherwise TOUCHES_PER_CONTACT_7D becomes TouchesPerContact_7D.
        "namingConvention": {"enumValues": "keep"},
    }
    return _json(options)


def scalars_for_relay(schema: GraphQLSchema) -> str:
    """The option `customScalarTypes` of the Relay compiler, as JSON."""
    return _json(_strings(schema))


def scalars_for_gql_tada(schema: GraphQLSchema) -> str:
    """A TypeScript module with the option `scalars` of `initGraphQLTada`."""
    fields = "".join(f"  {name}: string;\n" for name in _scalars(schema))
    return f"export interface Scalars {{\n{fields}}}\n"


def scalars_for_apollo_kotlin(schema: GraphQLSchema) -> str:
    """Lines for `service { … }` of the Gradle plug-in of Apollo Kotlin."""
    return "".join(f'mapScalarToKotlinString("{name}")\n' for name in _scalars(schema))


def keys_for_graphcache(schema: GraphQLSchema) -> str:
    """A TypeScript module for urql's graphcache: `keys` of all types that are no Node, and `resolvers` of all lists."""
    keys = "".join(f"  {type_.name}: () => null,\n" for type_ in _objects(schema) if not _is_record(type_))
    return (
        'import type { DataField, KeyingConfig, Resolver, ResolverConfig } from "@urql/exchange-graphcache";\n'
        'import { relayPagination } from "@urql/exchange-graphcache/extras";\n\n'
        "// Types that are no Node are stored within the record that has them.\n"
        f"export const keys: KeyingConfig = {{\n{keys}}};\n\n"
        "// relayPagination finds nothing for a list that is read without arguments: it is one whole value.\n"
        "const pages = relayPagination();\n"
        "const list: Resolver = (parent, args, cache, info) =>\n"
        "  Object.keys(args).length > 0\n"
        "    ? pages(parent, args, cache, info)\n"
        "    : (cache.resolve(info.parentKey, info.fieldName) as DataField);\n\n"
        "// Optional: a list returns all pages that were read, not only the last one.\n"
        f"export const resolvers: ResolverConfig = {{\n{_lists(schema, lambda _: 'list')}}};\n"
    )


def type_policies_for_apollo(schema: GraphQLSchema) -> str:
    """A TypeScript module for Apollo Client: `typePolicies` of all lists, which merge pages, and `possibleTypes`."""

    def policy(field: GraphQLField) -> str:
        return f"relayStylePagination({json.dumps([name for name in field.args if name not in PAGE_ARGUMENTS])})"

    without_key = "".join(
        f"  {type_.name}: {{ keyFields: false }}, // its id is that of another record\n"
        for type_ in _objects(schema)
        if "id" in type_.fields and not _is_record(type_)
    )
    lists = _lists(schema, policy, fields_in="fields")
    possible = "".join(
        f"  {type_.name}: {json.dumps(sorted(possible.name for possible in schema.get_possible_types(type_)))},\n"
        for _, type_ in sorted(schema.type_map.items())
        if isinstance(type_, GraphQLInterfaceType | GraphQLUnionType)
    )
    return (
        'import type { PossibleTypesMap, TypePolicies } from "@apollo/client";\n'
        'import { relayStylePagination } from "@apollo/client/utilities";\n\n'
        "// A list has one entry for its other arguments; pages are added to its `edges`.\n"
        f"export const typePolicies: TypePolicies = {{\n{lists}{without_key}}};\n\n"
        "// With these, fragments on interfaces and unions match the records of the cache.\n"
        f"export const possibleTypes: PossibleTypesMap = {{\n{possible}}};\n"
    )


CLIENT_FILES: Mapping[str, Callable[[GraphQLSchema], str]] = {
    "codegen": config_for_codegen,
    "gql-tada": scalars_for_gql_tada,
    "relay": scalars_for_relay,
    "apollo-kotlin": scalars_for_apollo_kotlin,
    "apollo-client": type_policies_for_apollo,
    "graphcache": keys_for_graphcache,
}


def _lists(schema: GraphQLSchema, policy: Callable[[GraphQLField], str], *, fields_in: str | None = None) -> str:
    """One entry for each type that has lists, with one line for each list."""
    indent = "    " if fields_in else "  "
    entries = []
    for type_ in _objects(schema, with_roots=True):
        lists = "".join(f"{indent}  {name}: {policy(field)},\n" for name, field in _connections(type_))
        if lists:
            body = f"    {fields_in}: {{\n{lists}    }},\n" if fields_in else lists
            entries.append(f"  {type_.name}: {{\n{body}  }},\n")
    return "".join(entries)


def _connections(type_: GraphQLObjectType) -> Iterator[tuple[str, GraphQLField]]:
    for name, field in type_.fields.items():
        if {"first", "after"} <= field.args.keys() and get_named_type(field.type).name.endswith("Connection"):
            yield name, field


def _is_record(type_: GraphQLObjectType) -> bool:
    return any(interface.name == NODE for interface in type_.interfaces)


def _objects(schema: GraphQLSchema, *, with_roots: bool = False) -> Iterator[GraphQLObjectType]:
    """The object types, by name; the types of the root fields only if requested."""
    for _, type_ in sorted(schema.type_map.items()):
        is_root = type_ in (schema.query_type, schema.mutation_type, schema.subscription_type)
        if isinstance(type_, GraphQLObjectType) and not is_introspection_type(type_) and (with_roots or not is_root):
            yield type_


def _scalars(schema: GraphQLSchema) -> list[str]:
    return sorted(
        name
        for name, type_ in schema.type_map.items()
        if isinstance(type_, GraphQLScalarType) and not is_specified_scalar_type(type_)
    )


def _strings(schema: GraphQLSchema) -> dict[str, str]:
    return dict.fromkeys(_scalars(schema), "string")


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
