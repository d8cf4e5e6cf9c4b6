"""Variables as a statement sees them: most are bound as they come, the others decide what it says.

A statement is written once for a document and run for many values. So it is asked of each use of a variable whether its
place only binds (an id, what a column is compared with) or means something of its own (a page size, a whole filter).
"""

from collections.abc import Collection, Iterator, Mapping
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
from api.sql import Slot

# Of each variable that is bound whether it has a value, is null (False) or is not given (None); then the others.
Shape = tuple[tuple[bool | None, ...], bytes]

_numbers = count(1)


class Operation:
    """An operation and its variables: which are bound with each run, and which decide what the statement says."""

    def __init__(self, schema: GraphQLSchema, node: OperationDefinitionNode, structural: Collection[str]) -> None:
        self.node = node
        self.number = next(_numbers)  # what is kept for it goes by this: it must not keep the document too
        self._schema = schema
        types = {each.variable.name.value: type_from_ast(schema, each.type) for each in node.variable_definitions or ()}
        self._bound: dict[str, Any] = {name: each for name, each in types.items() if name not in structural}
        self._structural = [name for name in types if name in structural]

    def shape(self, given: Mapping[str, Any]) -> Shape:
        """All that a statement depends on: the structural values, and of the others whether there is one."""
        states = [given[name] is not None if name in given else None for name in self._bound]
        said = {name: given[name] for name in self._structural if name in given}
        return tuple(states), _written(said) if said else b""

    def with_slots(self, given: Mapping[str, Any]) -> VariableValues | None:
        """The values for a statement that is kept: slots for what comes with each run; None if some do not fit."""
        values = self.values(given)
        if not isinstance(values, VariableValues):
            return None
        for name in self._bound:
            if given.get(name) is not None:
                values.coerced[name] = Slot(name)
        return values

    def values(self, given: Mapping[str, Any]) -> VariableValues | list[GraphQLError]:
        """The values of all variables, or what is wrong with them."""
        return get_variable_values(self._schema, self.node.variable_definitions or (), dict(given))

    def coerced(self, given: Mapping[str, Any]) -> dict[str, object] | None:
        """The values that fill the slots; None if one does not fit."""
        found: dict[str, object] = {}
        for name, of_type in self._bound.items():
            if given.get(name) is not None:
                value = coerce_input_value(given[name], of_type)
                if value is Undefined:
                    return None
                found[name] = value
        return found


def _written(said: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(said)
    except orjson.JSONEncodeError as error:  # what came as JSON can be written as it, unless it is too deep for orjson
        message = "The variables are nested deeper than any place for them."
        raise AccordError(ErrorCode.TOO_LARGE, message, "Nest them as their types do.") from error


def structural_variables(
    schema: GraphQLSchema, types: Mapping[str, Declared], document: DocumentNode
) -> frozenset[str]:
    """The variables that the document uses, in any of its operations, where a statement depends on their value."""
    uses = _Uses(types, TypeInfo(schema))
    visit(document, TypeInfoVisitor(uses.info, uses))
    return frozenset(uses.structural)


class _Uses(Visitor):
    """Walks a document and notes every use that does more than bind."""

    def __init__(self, types: Mapping[str, Declared], info: TypeInfo) -> None:
        super().__init__()
        self.info = info
        self.structural: set[str] = set()
        self._types = types

    def enter_variable(
        self, node: VariableNode, _key: object, parent: Node, _path: object, ancestors: list[Any]
    ) -> None:
        """Note the use, unless its place only binds."""
        if not isinstance(parent, VariableDefinitionNode) and not any(self._binds(parent, ancestors)):
            self.structural.add(node.name.value)

    def _binds(self, parent: Node, ancestors: list[Any]) -> Iterator[bool]:
        for each in self._places(parent, ancestors):
            yield each.is_bound

    def _places(self, parent: Node, ancestors: list[Any]) -> Iterator[Input]:
        """The declaration of the argument or input field that the variable stands for."""
        if isinstance(parent, ObjectFieldNode):
            owner = self._types.get(str(get_named_type(self.info.get_parent_input_type())))
            inputs = owner.fields if isinstance(owner, InputType) else ()
        elif isinstance(parent, ArgumentNode) and isinstance(ancestors[-2], FieldNode):
            owner = self._types.get(str(self.info.get_parent_type()))
            field = ancestors[-2].name.value
            outputs = owner.fields if isinstance(owner, ObjectType) else ()
            inputs = next((each.arguments for each in outputs if each.name == field), ())
        else:
            return
        yield from (each for each in inputs if each.name == parent.name.value)
