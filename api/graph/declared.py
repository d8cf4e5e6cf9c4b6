"""GraphQL types as values: what the contract is made of before Strawberry sees it.

Every part has a description, or it cannot be made.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

Resolver = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class TypeRef:
    """A use of a type by name: `Contact`, `Contact!`, `[Contact!]!`."""

    name: str
    is_required: bool = False
    is_list: bool = False
    has_required_items: bool = True

    @property
    def required(self) -> "TypeRef":
        """The same, never null."""
        return TypeRef(self.name, True, self.is_list, self.has_required_items)

    @property
    def listed(self) -> "TypeRef":
        """A list of it, with no null inside."""
        return TypeRef(self.name, self.is_required, True)


@dataclass(frozen=True, slots=True)
class Described:
    """A named part with its meaning."""

    name: str
    doc: str

    def __post_init__(self) -> None:
        if not self.doc.strip():
            raise ValueError(f"{self.name} has no description")


@dataclass(frozen=True, slots=True)
class Input(Described):
    """An argument of a field, or a field of an input type. `default` None is none.

    What `is_bound` is only bound to a statement, which is the same whatever the value, as long as there is one.
    """

    type: TypeRef
    default: int | None = None
    deprecated: str | None = None
    is_bound: bool = False


@dataclass(frozen=True, slots=True)
class Output(Described):
    """A field of an object type: how it is resolved, and what the planner reads for it (`source`)."""

    type: TypeRef
    resolve: Resolver
    arguments: tuple[Input, ...] = ()
    source: object = None
    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class Word(Described):
    """A value of an enum."""

    deprecated: str | None = None


@dataclass(frozen=True, slots=True)
class EnumType(Described):
    """An enum over the members of a Python enum; their values are the words."""

    members: type[Enum]
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class ScalarType(Described):
    """A scalar: how an answer is written, and how an input is read."""

    serialize: Callable[[Any], Any]
    parse: Callable[[Any], Any]
    specification: str | None = None


@dataclass(frozen=True, slots=True)
class InputType(Described):
    """An input object; of a one-of input exactly one field is given."""

    fields: tuple[Input, ...]
    is_one_of: bool = False


@dataclass(frozen=True, slots=True)
class ObjectType(Described):
    """An object type."""

    fields: tuple[Output, ...]
    interfaces: tuple[str, ...] = ()

    def field(self, name: str) -> Output:
        """The field of that name; KeyError if there is none."""
        for each in self.fields:
            if each.name == name:
                return each
        raise KeyError(f"{self.name} has no field {name}")


@dataclass(frozen=True, slots=True)
class InterfaceType(Described):
    """An interface; `type_of` tells the type of a value by name."""

    fields: tuple[Output, ...]
    type_of: Callable[..., str]


Declared = EnumType | ScalarType | InputType | ObjectType | InterfaceType


def by_name(types: Iterable[Declared]) -> dict[str, Declared]:
    """The types by name; ValueError when two have the same."""
    found: dict[str, Declared] = {}
    for each in types:
        if each.name in found:
            raise ValueError(f"there are two types named {each.name}")
        found[each.name] = each
    return found
