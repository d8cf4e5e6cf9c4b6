"""Declared types to Strawberry's definitions, made directly: they are derived, so there are no annotations to read.

Resolvers are graphql-core's own, `(source, info, **arguments)` with coerced plain values: Strawberry's conversion of
every argument of every row is what a derived field neither needs nor can afford.
"""

from collections.abc import Callable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema_directives import OneOf
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional, StrawberryType
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition
from strawberry.types.unset import UNSET

from api.graph.declared import (
    Declared,
    EnumType,
    Input,
    InputType,
    InterfaceType,
    ObjectType,
    Output,
    Resolver,
    ScalarType,
    TypeRef,
)

_BUILT_IN: dict[str, Any] = {
    "ID": strawberry.ID,
    "String": str,
    "Int": int,
    "Float": float,
    "Boolean": bool,
}
_ANY = StrawberryAnnotation(object)  # never read: the fields below know their type


class Types:
    """The definitions of a set of declared types, which refer to each other by name."""

    def __init__(self, declared: Mapping[str, Declared]) -> None:
        self._made: dict[str, Any] = dict(_BUILT_IN)
        self.scalars: dict[object, ScalarDefinition] = {}  # for Strawberry's configuration
        for each in declared.values():
            made = _enum(each) if isinstance(each, EnumType) else type(each.name, (), {"__doc__": each.doc})
            self._made[each.name] = made
            if isinstance(each, ScalarType):
                self.scalars[made] = _scalar(each)
        for each in declared.values():
            if isinstance(each, InterfaceType):
                self._define(each)
        for each in declared.values():
            if isinstance(each, ObjectType | InputType):
                self._define(each)

    def __getitem__(self, name: str) -> type:
        found: type = self._made[name]
        return found

    def resolved(self, ref: TypeRef) -> StrawberryType | type:
        """The type that a reference means."""
        found = self._made[ref.name]
        if ref.is_list:
            found = StrawberryList(found if ref.has_required_items else StrawberryOptional(found))
        return found if ref.is_required else StrawberryOptional(found)

    def _define(self, declared: ObjectType | InputType | InterfaceType) -> None:
        made = self._made[declared.name]
        interfaces = declared.interfaces if isinstance(declared, ObjectType) else ()
        made.__strawberry_definition__ = StrawberryObjectDefinition(
            name=declared.name,
            is_input=isinstance(declared, InputType),
            is_interface=isinstance(declared, InterfaceType),
            origin=made,
            description=declared.doc,
            interfaces=[self._made[name].__strawberry_definition__ for name in interfaces],
            extend=False,
            directives=(OneOf(),) if isinstance(declared, InputType) and declared.is_one_of else (),
            is_type_of=None,
            resolve_type=declared.type_of if isinstance(declared, InterfaceType) else None,
            fields=[_DerivedField(self.resolved, each, made) for each in declared.fields],
        )


class _DerivedField(StrawberryField):
    """A field that knows its type, its arguments and its resolver."""

    def __init__(
        self, resolved: Callable[[TypeRef], StrawberryType | type], declared: Output | Input, origin: type
    ) -> None:
        self.declared = declared
        self._resolved = resolved
        super().__init__(
            python_name=declared.name,
            graphql_name=declared.name,
            type_annotation=_ANY,
            description=declared.doc,
            origin=origin,
            deprecation_reason=declared.deprecated,
        )
        if isinstance(declared, Output):
            self.arguments = [_DerivedArgument(resolved, each) for each in declared.arguments]

    def resolve_type(self, *, type_definition: StrawberryObjectDefinition | None = None) -> Any:  # noqa: ANN401, ARG002 - Strawberry's signature
        """The declared type."""
        return self._resolved(self.declared.type)


class _DerivedArgument(StrawberryArgument):
    """An argument that knows its type."""

    def __init__(self, resolved: Callable[[TypeRef], StrawberryType | type], declared: Input) -> None:
        default = UNSET if declared.default is None else declared.default
        super().__init__(
            declared.name,
            declared.name,
            _ANY,
            description=declared.doc,
            default=default,
            deprecation_reason=declared.deprecated,
        )
        self._resolved = resolved
        self._declared = declared

    @property
    def type(self) -> StrawberryType | type:
        """The declared type."""
        return self._resolved(self._declared.type)


def use_resolvers(schema: GraphQLSchema) -> None:
    """Put the declared resolvers into the finished schema."""
    for each in schema.type_map.values():
        if isinstance(each, GraphQLObjectType):
            # Rows are plain dictionaries; an interface's value tells its type, so nothing has to be asked again.
            each.is_type_of = None
        if isinstance(each, GraphQLObjectType | GraphQLInterfaceType):
            for found in each.fields.values():
                resolve = _declared_resolver(found.extensions.get("strawberry-definition"))
                if resolve is not None:
                    found.resolve = resolve


def _declared_resolver(definition: object) -> Resolver | None:
    if isinstance(definition, _DerivedField) and isinstance(definition.declared, Output):
        return definition.declared.resolve
    return None


def _enum(declared: EnumType) -> StrawberryEnumDefinition:
    return StrawberryEnumDefinition(
        wrapped_cls=declared.members,
        name=declared.name,
        values=[
            EnumValue(word.name, word.name, description=word.doc, deprecation_reason=word.deprecated)
            for word in declared.words
        ],
        description=declared.doc,
    )


def _scalar(declared: ScalarType) -> ScalarDefinition:
    return strawberry.scalar(
        name=declared.name,
        description=declared.doc,
        specified_by_url=declared.specification,
        serialize=declared.serialize,
        parse_value=declared.parse,
    )
