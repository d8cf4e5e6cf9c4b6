"""GraphQL types as values: the contract before Strawberry turns it into a schema.

Every type, field, argument and enum value needs a description; without one the value cannot be constructed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import GraphQLResolveInfo

from api.graph.sources import FieldSource

Resolver = Callable[..., Any]
BUILT_IN_TYPES = ("ID", "String", "Int", "Float", "Boolean")


def from_row(source: Mapping[str, Any], info: GraphQLResolveInfo[Any], **_: object) -> object:
    """Resolve a field from a row that the planner read: rows are keyed by response key."""
    return source[str(info.path.key)]


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A use of a type by name: `Contact`, `Contact!`, `[Contact!]!`."""

    name: str
    is_required: bool = False
    is_list: bool = False
    has_required_items: bool = True

    @property
    def required(self) -> "TypeRef":
        """The same type, never null."""
        return TypeRef(self.name, True, self.is_list, self.has_required_items)

    @property
    def listed(self) -> "TypeRef":
        """A list of the type, without null items."""
        return TypeRef(self.name, self.is_required, True)


@dataclass(frozen=True, slots=True)
class Described:
    """A named part of the contract with its description."""

    name: str
    doc: str

    def __post_init__(self) -> None:
        if not self.doc.strip():
            raise ValueError(f"{self.name} has no description")


@dataclass(frozen=True, slots=True)
class Input(Described):
    """An argument of a field, or a field of an input type. Without a `default`, the schema has none.

    `is_bound`: the value is only bound to the statement as a parameter, so one prepared statement serves every value.
    """

    type: TypeRef
    default: int | None = None
    deprecated: str | None = None
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Output(Described):
    """A field of an object type: how the executor resolves it, and what the planner reads for it (`source`)."""

    type: TypeRef
    resolve: Resolver = from_row
    arguments: tuple[Input, ...] = ()
    source: FieldSource | None = None
    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class EnumWord(Described):
    """A value of an enum."""

    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class EnumType(Described):
    """An enum over the members of a Python enum. The members' names are the values in GraphQL."""

    members: type[Enum]
    words: tuple[EnumWord, ...]


@dataclass(frozen=True, slots=True)
class ScalarType(Described):
    """A scalar: how a value is serialized for the response, and how an input is parsed."""

    serialize: Callable[[Any], Any]
    parse: Callable[[Any], Any]
    specification: str | None = None


@dataclass(frozen=True, slots=True)
class InputType(Described):
    """An input object type. If `is_one_of`, exactly one field must be given."""

    fields: tuple[Input, ...]
    is_one_of: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType(Described):
    """An object type."""

    fields: tuple[Output, ...]
    interfaces: tuple[str, ...] = ()

    def field(self, name: str) -> Output:
        """Return the field of that name. KeyError if there is none."""
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(f"{self.name} has no field {name}")


@dataclass(frozen=True, slots=True)
class InterfaceType(Described):
    """An interface. `type_of` returns the name of a value's object type."""

    fields: tuple[Output, ...]
    type_of: Callable[..., str]


@dataclass(frozen=True, slots=True)
class UnionType(Described):
    """A union of object types, by their names. `type_of` returns the name of a value's object type."""

    members: tuple[str, ...]
    type_of: Callable[..., str]


Declared = EnumType | ScalarType | InputType | ObjectType | InterfaceType | UnionType


def registry(types: Iterable[Declared]) -> dict[str, Declared]:
    """Return the types by name.

    Errors: ValueError for two types of one name; LookupError for a type that is used and not among them.
    """
    found: dict[str, Declared] = {}
    for declared in types:
        if declared.name in found:
            raise ValueError(f"there are two types named {declared.name}")
        found[declared.name] = declared
    for user, name in _uses(found.values()):
        if name not in found and name not in BUILT_IN_TYPES:
            raise LookupError(
                f"{user} has the type {name}, which is not registered: add it in `registered_types` of"
                " api/graph/contract.py, directly or, for a dataclass or model, to the roots of `model_types`"
            )
    return found


def object_type(types: Mapping[str, Declared], name: str) -> ObjectType:
    """Return the object type of that name. TypeError if the name belongs to another kind of type."""
    found = types[name]
    if not isinstance(found, ObjectType):
        raise TypeError(f"{name} is not an object type")
    return found


def _uses(types: Iterable[Declared]) -> Iterator[tuple[str, str]]:
    """Every use of a type: who uses it, and the type's name."""
    for declared in types:
        if isinstance(declared, UnionType):
            yield from ((declared.name, member) for member in declared.members)
        if isinstance(declared, ObjectType):
            yield from ((declared.name, interface) for interface in declared.interfaces)
        if isinstance(declared, ObjectType | InterfaceType | InputType):
            for field in declared.fields:
                yield f"{declared.name}.{field.name}", field.type.name
                for argument in field.arguments if isinstance(field, Output) else ():
                    yield f"{declared.name}.{field.name}({argument.name})", argument.type.name
