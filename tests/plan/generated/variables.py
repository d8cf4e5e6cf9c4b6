"""Values in a document: as literals, as variables of their own, as defaults; given, null and absent."""

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

MOST_VARIABLES = 25
# In an object of which one field is given no variable may be null, whatever its default.
OF_ONE = ("SortDirection!", "Each!", "Grain!")
_NAMES = re.compile(r"\$(\w+)")


@dataclass(frozen=True)
class Ref:
    """A variable within a literal."""

    name: str


@dataclass(frozen=True)
class Asked:
    """A document with its variables."""

    head: str
    roots: str
    fragments: str
    variables: Mapping[str, Any]
    optional: frozenset[str]  # variables that may be left out, and are no page sizes

    @property
    def text(self) -> str:
        return f"{self.head}{{ {self.roots} }}{self.fragments}"

    def beside(self, other: str) -> "Asked":
        """The same document with one more root field."""
        return replace(self, roots=f"{self.roots} {other}")

    def sparing(self) -> "Asked":
        """The same document with fewer variables given."""
        given = {name: value for name, value in self.variables.items() if name not in self.optional}
        return replace(self, variables=given)

    def filled(self, texts: Mapping[str, str | None]) -> "Asked":
        """The same document with texts, or null, in the place of stand-ins."""

        def put(text: str) -> str:
            for stand_in, cursor in texts.items():
                text = text.replace(f'"{stand_in}"', json.dumps(cursor))
            return text

        given = {name: texts.get(str(value), value) for name, value in self.variables.items()}
        return Asked(put(self.head), put(self.roots), put(self.fragments), given, self.optional)

    def _repr_pretty_(self, printer: RepresentationPrinter, _is_cycle: bool) -> None:
        """As one pastes it into GraphiQL."""
        printer.text(f"{self.text}\n{json.dumps(self.variables, ensure_ascii=False)}\n")


@dataclass
class Variables:
    """The variables of one document."""

    chance: RandomChoices
    declared: dict[str, str] = field(default_factory=dict)
    given: dict[str, Any] = field(default_factory=dict)

    def asked(self, roots: str, fragments: str = "", needed: str = "") -> Asked:
        """A document of these root fields, with the variables that it uses; those in `needed` are never left out."""
        used = set(_NAMES.findall(roots + fragments))
        given = {name: value for name, value in self.given.items() if name in used}
        declared = [text for name, text in self.declared.items() if name in used]
        name = self.chance.one(["", "Asked"])
        head = f"query {name}({', '.join(declared)}) " if declared else f"query {name} " if name else ""
        optional = {name for name, text in self.declared.items() if not re.search("!$|=|: Int", text)}
        return Asked(head, roots, fragments, given, frozenset(optional - set(_NAMES.findall(needed))))

    @property
    def may_grow(self) -> bool:
        """Whether one more may be declared."""
        return len(self.declared) < MOST_VARIABLES

    def new(self, of_type: str, default: str | None = None) -> str:
        """Declare a variable; its name."""
        name = f"v{len(self.declared)}"
        self.declared[name] = f"${name}: {of_type}{'' if default is None else f' = {default}'}"
        return name

    def written(self, of_type: str, value: object) -> str:
        """A value in a document: as it is, or through a variable that is given or has it as its default."""
        text = literal(value, of_type)
        if not self.may_grow or _refers(value):
            return text
        match self.chance.integer(0, 5):
            case 0 | 1:
                name = self.new(of_type)
                self.given[name] = value
            case 2:
                # A variable that may be null fits where null is not allowed if it has a default.
                may_be_null = of_type not in OF_ONE and self.chance.happens(2)
                name = self.new(of_type.removesuffix("!") if may_be_null else of_type, text)
            case 3 if of_type in ("Int", "Boolean!"):
                name = self.new(of_type, "7" if of_type == "Int" else "false")
                self.given[name] = value
            case _:
                return text
        return f"${name}"

    def nothing(self, of_type: str, default: str | None = None) -> str | None:
        """An argument that is not given, in one of the ways to say so; None: left out."""
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
        """A value within a literal: as it is, or now and then a variable that has it."""
        if not self.chance.happens(4):
            return value
        written = self.written(of_type, value)
        return Ref(written[1:]) if written.startswith("$") else value


def literal(value: object, of_type: str) -> str:
    """A value as a document writes it."""
    return _literal(value, _type(of_type))


@cache
def _type(text: str) -> object:
    return type_from_ast(contract(), parse_type(text))


def _refers(value: object) -> bool:
    match value:
        case Ref():
            return True
        case dict():
            return any(map(_refers, value.values()))
        case list():
            return any(map(_refers, value))
    return False


def _literal(value: object, of_type: object) -> str:
    while isinstance(of_type, GraphQLNonNull):
        of_type = of_type.of_type
    match value:
        case Ref(name=name):
            return f"${name}"
        case list():
            assert isinstance(of_type, GraphQLList)
            return f"[{', '.join(_literal(each, of_type.of_type) for each in value)}]"
        case dict():
            assert isinstance(of_type, GraphQLInputObjectType)
            inner = of_type.fields
            return f"{{ {', '.join(f'{key}: {_literal(each, inner[key].type)}' for key, each in value.items())} }}"
        case str() if isinstance(of_type, GraphQLEnumType):
            return value
    return json.dumps(value, ensure_ascii=False)
