"""Declared types as Strawberry definitions. They are made directly: derived types have no annotations to read.

Resolvers are graphql-core's, `(source, info, **arguments)` with plain coerced values. Strawberry's own convert
the arguments of every field of every row, which is slow and not needed here.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, GraphQLInterfaceType, GraphQLObjectType, GraphQLSchema, GraphQLTypeResolver
from strawberry.annotation import StrawberryAnnotation
from strawberry.schema.types.concrete_type import TypeMap
from strawberry.schema_directives import OneOf
from strawberry.types.arguments import StrawberryArgument
from strawberry.types.base import StrawberryList, StrawberryObjectDefinition, StrawberryOptional, StrawberryType
from strawberry.types.enum import EnumValue, StrawberryEnumDefinition
from strawberry.types.field import StrawberryField
from strawberry.types.scalar import ScalarDefinition
from strawberry.types.union import StrawberryUnion
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
    UnionType,
)

_BUILT_IN: dict[str, Any] = {
    "ID": strawberry.ID,
    "String": str,
    "Int": int,
    "Float": float,
    "Boolean": bool,
}
_ANY = StrawberryAnnotation(object)  # a placeholder: the fields below override how their type is found


class Types:
    """The Strawberry definitions of declared types, which refer to each other by name."""

    def __init__(self, declared: Mapping[str, Declared]) -> None:
        self._made: dict[str, Any] = dict(_BUILT_IN)
        self.scalars: dict[object, ScalarDefinition] = {}  # for Strawberry's configuration
        for type_ in declared.values():
            made = _enum(type_) if isinstance(type_, EnumType) else type(type_.name, (), {"__doc__": type_.doc})
            self._made[type_.name] = made
            if isinstance(type_, ScalarType):
                self.scalars[made] = _scalar(type_)
        # Interfaces first: the definitions of object types contain those of their interfaces.
        for type_ in declared.values():
            if isinstance(type_, InterfaceType):
                self._define(type_)
        for type_ in declared.values():
            if isinstance(type_, ObjectType | InputType):
                self._define(type_)
        for type_ in declared.values():
            if isinstance(type_, UnionType):
                self._made[type_.name] = _DerivedUnion(type_, [self._made[member] for member in type_.members])

    def __getitem__(self, name: str) -> type:
        found: type = self._made[name]
        return found

    def resolved(self, ref: TypeRef) -> StrawberryType | type:
        """Return the type that a reference names."""
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
            fields=[_DerivedField(self.resolved, field, made) for field in declared.fields],
        )


class _DerivedUnion(StrawberryUnion):
    """A union of declared types."""

    def __init__(self, declared: UnionType, members: Iterable[type]) -> None:
        super().__init__(declared.name, tuple(map(StrawberryAnnotation, members)), declared.doc)
        self._declared = declared

    def get_type_resolver(self, type_map: TypeMap) -> GraphQLTypeResolver:  # noqa: ARG002 - Strawberry's signature
        """Return the declared function from a value to the name of its type."""
        return self._declared.type_of


class _DerivedField(StrawberryField):
    """A field with a declared type, declared arguments and a declared resolver."""

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
            self.arguments = [_DerivedArgument(resolved, argument) for argument in declared.arguments]

    def resolve_type(self, *, type_definition: StrawberryObjectDefinition | None = None) -> Any:  # noqa: ANN401, ARG002 - Strawberry's signature
        """Return the declared type."""
        return self._resolved(self.declared.type)


class _DerivedArgument(StrawberryArgument):
    """An argument with a declared type."""

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
        """Return the declared type."""
        return self._resolved(self._declared.type)


def use_resolvers(schema: GraphQLSchema) -> None:
    """Set the declared resolvers in the finished schema, and let graphql-core check types of which one field is given.

    It says at which path of a variable such a value is wrong. Strawberry's own check does not.
    """
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType) and _is_one_of(type_):
            type_.is_one_of = True
            type_.out_type = GraphQLInputObjectType.out_type  # type: ignore[method-assign]
        if isinstance(type_, GraphQLObjectType):
            # Rows are plain dictionaries. Where their type varies, the interface resolves it, so no check is needed.
            type_.is_type_of = None
        if isinstance(type_, GraphQLObjectType | GraphQLInterfaceType):
            for field in type_.fields.values():
                resolve = _declared_resolver(field.extensions.get("strawberry-definition"))
                if resolve is not None:
                    field.resolve = resolve


def _is_one_of(type_: GraphQLInputObjectType) -> bool:
    definition = type_.extensions.get("strawberry-definition")
    return isinstance(definition, StrawberryObjectDefinition) and definition.is_one_of


def _declared_resolver(definition: object) -> Resolver | None:
    if isinstance(definition, _DerivedField) and isinstance(definition.declared, Output):
        return definition.declared.resolve
    return None


def _enum(declared: EnumType) -> StrawberryEnumDefinition:
    return StrawberryEnumDefinition(
        wrapped_cls=declared.members,
        name=declared.name,
        values=[
            EnumValue(
                word.name, declared.members[word.name].value, description=word.doc, deprecation_reason=word.deprecated
            )
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
