"""Generator of values in a document: literals, variables and their defaults; given, null and left out."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLNonNull,
    parse_type,
    type_from_ast,
)
from hypothesis.vendor.pretty import RepresentationPrinter

from tests.plan.oracle.executor import contract
from tests.support.random_choices import RandomChoices

MAX_VARIABLES = 25
# The types of fields in objects of which exactly one field is given: a variable there must not be null.
NEVER_NULL = ("SortDirection!", "GroupByEach!", "TimeGrain!")
_VARIABLE_NAMES = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class VariableRef:
    """A reference to a variable within a literal."""

    name: str


@dataclass(frozen=True)
class GeneratedRequest:
    """A document with its variables."""

    head: str
    roots: str
    fragments: str
    variables: Mapping[str, Any]
    optional: frozenset[str]  # variables that may be left out, except page sizes

    @property
    def text(self) -> str:
        return f"{self.head}{{ {self.roots} }}{self.fragments}"

    def with_root_field(self, other: str) -> "GeneratedRequest":
        """Return the request with one more root field."""
        return replace(self, roots=f"{self.roots} {other}")

    def with_fewer_variables(self) -> "GeneratedRequest":
        """Return the request without values for its optional variables."""
        given = {name: value for name, value in self.variables.items() if name not in self.optional}
        return replace(self, variables=given)

    def with_cursors(self, cursors: Mapping[str, str | None]) -> "GeneratedRequest":
        """Return the request with real cursors, or null, in place of the stand-ins."""

        def replaced(text: str) -> str:
            for stand_in, cursor in cursors.items():
                text = text.replace(f'"{stand_in}"', json.dumps(cursor))
            return text

        given = {name: cursors.get(str(value), value) for name, value in self.variables.items()}
        return GeneratedRequest(
            replaced(self.head), replaced(self.roots), replaced(self.fragments), given, self.optional
        )

    def _repr_pretty_(self, printer: RepresentationPrinter, _is_cycle: bool) -> None:
        """Print the request in a form that can be pasted into GraphiQL."""
        printer.text(f"{self.text}\n{json.dumps(self.variables, ensure_ascii=False)}\n")


@dataclass
class Variables:
    """The variables of one document."""

    chance: RandomChoices
    declared: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def request(self, roots: str, fragments: str = "", required: str = "") -> GeneratedRequest:
        """Return a request for root fields, with the variables that they use; those in `required` are not optional."""
        used = set(_VARIABLE_NAMES.findall(roots + fragments))
        given = {name: value for name, value in self.given.items() if name in used}
        declared = [text for name, text in self.declared.items() if name in used]
        name = self.chance.one(["", "Generated"])
        head = f"query {name}({', '.join(declared)}) " if declared else f"query {name} " if name else ""
        optional = {name for name, text in self.declared.items() if not re.search("!$|=|: Int", text)}
        return GeneratedRequest(
            head, roots, fragments, given, frozenset(optional - set(_VARIABLE_NAMES.findall(required)))
        )

    @property
    def may_grow(self) -> bool:
        """Return whether another variable may be declared."""
        return len(self.declared) < MAX_VARIABLES

    def new(self, of_type: str, default: str | None = None) -> str:
        """Declare a variable and return its name."""
        name = f"v{len(self.declared)}"
        self.declared[name] = f"${name}: {of_type}{'' if default is None else f' = {default}'}"
        return name

    def literal_or_variable(self, of_type: str, value: object) -> str:
        """Return a value as a literal, or as a variable that has it as value or default."""
        text = literal(value, of_type)
        if not self.may_grow or _has_variables(value):
            return text
        match self.chance.integer(0, 5):
            case 0 | 1:
                name = self.new(of_type)
                self.given[name] = value
            case 2:
                # GraphQL allows a nullable variable in a non-null position if the variable has a default.
                may_be_null = of_type not in NEVER_NULL and self.chance.happens(2)
                name = self.new(of_type.removesuffix("!") if may_be_null else of_type, text)
            case 3 if of_type in ("Int", "Boolean!"):
                name = self.new(of_type, "7" if of_type == "Int" else "false")
                self.given[name] = value
            case _:
                return text
        return f"${name}"

    def null_or_absent(self, of_type: str, default: str | None = None) -> str | None:
        """Return an argument without a value: null, or a variable that is null or absent; None to leave it out."""
        match self.chance.integer(0, 6) if self.may_grow else -1:
            case 0:
                return "null"
            case 1:
                name = self.new(of_type)
                self.given[name] = None
                return f"${name}"
            case 2:
                return f"${self.new(of_type)}"
            case 3 if default is not None:
                name = self.new(of_type, default)
                self.given[name] = None
                return f"${name}"
        return None

    def ref(self, of_type: str, value: object) -> object:
        """Return a value within a literal; sometimes a reference to a variable with this value."""
        if not self.chance.happens(4):
            return value
        text = self.literal_or_variable(of_type, value)
        return VariableRef(text[1:]) if text.startswith("$") else value


def literal(value: object, of_type: str) -> str:
    """Return a value as a literal of its type."""
    return _literal(value, _type(of_type))


@cache
def _type(text: str) -> object:
    return type_from_ast(contract(), parse_type(text))


def _has_variables(value: object) -> bool:
    match value:
        case VariableRef():
            return True
        case dict():
            return any(map(_has_variables, value.values()))
        case list():
            return any(map(_has_variables, value))
    return False


def _literal(value: object, of_type: object) -> str:
    while isinstance(of_type, GraphQLNonNull):
        of_type = of_type.of_type
    match value:
        case VariableRef(name=name):
            return f"${name}"
        case list():
            assert isinstance(of_type, GraphQLList)
            return f"[{', '.join(_literal(item, of_type.of_type) for item in value)}]"
        case dict():
            assert isinstance(of_type, GraphQLInputObjectType)
            fields = of_type.fields
            return f"{{ {', '.join(f'{key}: {_literal(item, fields[key].type)}' for key, item in value.items())} }}"
        case str() if isinstance(of_type, GraphQLEnumType):
            return value
    return json.dumps(value, ensure_ascii=False)
