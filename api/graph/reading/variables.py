"""The variables of an operation: those that a statement only binds, and those that decide its text.

One prepared statement serves all values of a variable that is only bound, such as an id or the operand of a filter. A
variable that is *structural*, such as a page size or a whole filter, changes the text, so each of its values has a
statement of its own. So is a variable within an order: cursors name the order that they belong to. A variable is
structural if at least one of its uses is.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson
from graphql import (
    ArgumentNode,
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    ObjectFieldNode,
    OperationDefinitionNode,
    TypeInfo,
    TypeInfoVisitor,
    Undefined,
    VariableDefinitionNode,
    VariableNode,
    Visitor,
    get_named_type,
    get_variable_values,
    is_non_null_type,
    visit,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource
from graphql.utilities import coerce_input_value

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, Input, InputType, ObjectType
from api.graph.reading.input_coercion import Coerce, NotPlainError, plain_coercion
from api.sql import Parameter

# For each bound variable: has a value (True), is null (False), is not given (None). Then the structural values as JSON.
Shape = tuple[tuple[bool | None, ...], bytes]

_numbers = count(1)


class Operation:
    """An operation and its variables, bound or structural."""

    def __init__(self, schema: GraphQLSchema, node: OperationDefinitionNode, structural: Collection[str]) -> None:
        self.node = node
        # Cached plans are keyed by this number. Keyed by the operation itself, they would keep its document in memory.
        self.number = next(_numbers)
        self._schema = schema
        self._variables = [_Variable.of(schema, definition) for definition in node.variable_definitions or ()]
        names = [variable.name for variable in self._variables]
        self._bound = {it.name: it for it in self._variables if it.name not in structural}
        self._structural = [name for name in names if name in structural]
        self._selecting = {*names} - _arguments_only(node)

    def shape(self, given: Mapping[str, Any]) -> Shape:
        """Return what the statement's text depends on: structural values, and which bound variables have a value."""
        states = [given[name] is not None if name in given else None for name in self._bound]
        structural = {name: given[name] for name in self._structural if name in given}
        return tuple(states), _as_json(structural) if structural else b""

    def with_slots(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Return the variables for a reusable statement, with slots for bound values. None if a value is invalid."""
        values = self.values(given)
        return self.slots_in(values, given) if isinstance(values, VariableValues) else None

    def slots_in(self, values: VariableValues, given: Mapping[str, Any]) -> VariableValues:
        """Return coerced variables with slots in place of the bound values."""
        slots = {name: Parameter(name) for name in self._bound if given.get(name) is not None}
        return VariableValues(values.sources, values.coerced | slots)

    def selecting(self, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return the variables without those that are used in arguments of root fields alone.

        What a mutation selects of its payload depends on these, and not on its input.
        """
        return {name: value for name, value in given.items() if name in self._selecting}

    def values(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """Return the coerced values of all variables, or the errors of those that are invalid."""
        found = VariableValues({}, {})
        try:
            for variable in self._variables:
                variable.coerce_into(found, given)
        except NotPlainError:
            return get_variable_values(self._schema, self.node.variable_definitions or (), dict(given))
        return found

    def coerced(self, given: Mapping[str, Any]) -> dict[str, object] | None:
        """Return the values that fill the slots. None if one is invalid."""
        found: dict[str, object] = {}
        for name, variable in self._bound.items():
            if given.get(name) is not None:
                value = variable.coerced(given[name])
                if value is Undefined:
                    return None
                found[name] = value
        return found


@dataclass(frozen=True, slots=True)
class _Variable:
    """A variable of an operation. `default` is coerced; Undefined if there is none."""

    signature: GraphQLVariableSignature
    coerce: Coerce
    default: Any

    @classmethod
    def of(cls, schema: GraphQLSchema, definition: VariableDefinitionNode) -> "_Variable":
        signature = get_variable_signature(schema, definition)
        if isinstance(signature, GraphQLError):  # validation has rejected such a document
            raise signature
        alone = get_variable_values(schema, [definition], {})
        default = alone.coerced.get(signature.name, Undefined) if isinstance(alone, VariableValues) else Undefined
        return cls(signature, plain_coercion(signature.type), default)

    @property
    def name(self) -> str:
        return self.signature.name

    def coerce_into(self, values: VariableValues, given: Mapping[str, Any]) -> None:
        """Add the variable to coerced variables. Errors: NotPlainError."""
        name = self.signature.name
        if name in given:
            values.sources[name] = VariableValueSource(self.signature, given[name])
            values.coerced[name] = self.coerce(given[name])
            return
        if self.default is Undefined and is_non_null_type(self.signature.type):
            raise NotPlainError
        values.sources[name] = VariableValueSource(self.signature)
        if self.default is not Undefined:
            values.coerced[name] = self.default

    def coerced(self, value: object) -> object:
        """Return a coerced value; Undefined if it is not valid."""
        try:
            return self.coerce(value)
        except NotPlainError:
            return coerce_input_value(value, self.signature.type)


def _as_json(structural: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(structural)
    except orjson.JSONEncodeError as error:  # values parsed from JSON are always JSON, but may be too deep for orjson
        message = "The variables are nested deeper than any of their types."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Nest them as their types do.") from error


def _arguments_only(node: OperationDefinitionNode) -> set[str]:
    """Return the variables of an operation that only arguments of its root fields use.

    Where the operation has fragments, none is counted: they may use any variable.
    """
    fields = [field for field in node.selection_set.selections if isinstance(field, FieldNode)]
    inner = [field.selection_set for field in fields if field.selection_set is not None]
    if len(fields) < len(node.selection_set.selections) or any(_has_fragment(selected) for selected in inner):
        return set()
    arguments = {name for field in fields for argument in field.arguments or () for name in _variables_in(argument)}
    elsewhere = [*inner, *(directive for field in fields for directive in field.directives or ())]
    return arguments - {name for part in elsewhere for name in _variables_in(part)}


def _variables_in(node: Node) -> set[str]:
    found = _VariableNames()
    visit(node, found)
    return found.names


def _has_fragment(node: Node) -> bool:
    found = _VariableNames()
    visit(node, found)
    return found.has_fragment


class _VariableNames(Visitor):
    """Collects the names of the variables that a part of a document uses."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.has_fragment = False

    def enter_variable(self, node: VariableNode, *_: object) -> None:
        """Add the variable."""
        self.names.add(node.name.value)

    def enter_fragment_spread(self, *_: object) -> None:
        """Note that the part has a fragment, which may use any variable."""
        self.has_fragment = True


def structural_variables(
    schema: GraphQLSchema, types: Mapping[str, Declared], document: DocumentNode
) -> frozenset[str]:
    """Return the variables with a structural use in any of the document's operations."""
    uses = _Uses(types, TypeInfo(schema))
    visit(document, TypeInfoVisitor(uses.info, uses))
    return frozenset(uses.structural)


class _Uses(Visitor):
    """Visits a document and collects the variables with a structural use."""

    def __init__(self, types: Mapping[str, Declared], info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.structural: set[str] = set()
        self._types = types

    def enter_variable(
        self, node: VariableNode, _key: object, parent: Node, _path: object, ancestors: list[Any]
    ) -> None:
        """Add the variable, unless it is defined here or only bound."""
        if isinstance(parent, VariableDefinitionNode):
            return
        declared = self._declaration(parent, ancestors)
        if declared is None or not declared.is_bound or _is_in_order(ancestors):
            self.structural.add(node.name.value)

    def _declaration(self, parent: Node, ancestors: list[Any]) -> Input | None:
        """Return the declared argument or input field whose value is the variable. None if it is part of a value."""
        if isinstance(parent, ObjectFieldNode):
            owner = self._types.get(str(get_named_type(self.info.get_parent_input_type())))
            inputs = owner.fields if isinstance(owner, InputType) else ()
        elif isinstance(parent, ArgumentNode) and isinstance(ancestors[-2], FieldNode):
            owner = self._types.get(str(self.info.get_parent_type()))
            field_name = ancestors[-2].name.value
            outputs = owner.fields if isinstance(owner, ObjectType) else ()
            inputs = next((output.arguments for output in outputs if output.name == field_name), ())
        else:
            return None
        return next((declared for declared in inputs if declared.name == parent.name.value), None)


def _is_in_order(ancestors: Iterable[object]) -> bool:
    return any(isinstance(node, ArgumentNode) and node.name.value == "orderBy" for node in ancestors)
