"""The variables of an operation: those that a statement only binds, and those that decide its text.

One prepared statement serves all values of a variable that is only bound, such as an id or the operand of a filter. A
variable that is *structural*, such as a page size or a whole filter, changes the text, so each of its values has a
statement of its own. So is a variable within an order: cursors name the order that they belong to. A variable is
structural if at least one of its uses is.
"""

from collections.abc import Collection, Iterable, Mapping
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
    type_from_ast,
    visit,
)
from graphql.execution.values import VariableValues
from graphql.utilities import coerce_input_value

from api.errors import AccordError, ErrorCode
from api.graph.declared import Declared, Input, InputType, ObjectType
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
        definitions = node.variable_definitions or ()
        types = {definition.variable.name.value: type_from_ast(schema, definition.type) for definition in definitions}
        self._bound: dict[str, Any] = {name: type_ for name, type_ in types.items() if name not in structural}
        self._structural = [name for name in types if name in structural]

    def shape(self, given: Mapping[str, Any]) -> Shape:
        """Return what the statement's text depends on: structural values, and which bound variables have a value."""
        states = [given[name] is not None if name in given else None for name in self._bound]
        structural = {name: given[name] for name in self._structural if name in given}
        return tuple(states), _as_json(structural) if structural else b""

    def with_slots(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Return the variables for a reusable statement, with slots for bound values. None if a value is invalid."""
        values = self.values(given)
        if not isinstance(values, VariableValues):
            return None
        for name in self._bound:
            if given.get(name) is not None:
                values.coerced[name] = Parameter(name)
        return values

    def values(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """Return the coerced values of all variables, or the errors of those that are invalid."""
        return get_variable_values(self._schema, self.node.variable_definitions or (), dict(given))

    def coerced(self, given: Mapping[str, Any]) -> dict[str, object] | None:
        """Return the values that fill the slots. None if one is invalid."""
        found: dict[str, object] = {}
        for name, of_type in self._bound.items():
            if given.get(name) is not None:
                value = coerce_input_value(given[name], of_type)
                if value is Undefined:
                    return None
                found[name] = value
        return found


def _as_json(structural: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(structural)
    except orjson.JSONEncodeError as error:  # values parsed from JSON are always JSON, but may be too deep for orjson
        message = "The variables are nested deeper than any of their types."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Nest them as their types do.") from error


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
