"""A document's fields as the specification merges them: fragments, `@skip` and `@include`, variables, aliases."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLIncludeDirective,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
)
from graphql.execution.values import VariableValues

from api.graph.context import Info


@dataclass(frozen=True, slots=True)
class Document:
    """What reading a selection needs to know of the operation."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    @classmethod
    def of(cls, info: Info) -> "Document":
        """The document that a resolver is called for."""
        values: Any = info.variable_values  # Strawberry passes the plain values without their origins
        return cls(
            info.schema, info.fragments, values if isinstance(values, VariableValues) else VariableValues({}, values)
        )

    def fields(self, nodes: Iterable[FieldNode], type_name: str) -> dict[str, list[FieldNode]]:
        """The selected fields of the nodes' value, of that type, by response key in the order of the answer."""
        return self.selected((node.selection_set for node in nodes if node.selection_set is not None), type_name)

    def selected(self, sets: Iterable[SelectionSetNode], type_name: str) -> dict[str, list[FieldNode]]:
        """The fields of selection sets of the same value, as `fields`."""
        found: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        for each in sets:
            self._collect(each, type_name, found, seen)
        return found

    def arguments(self, type_name: str, node: FieldNode) -> dict[str, Any]:
        """The coerced arguments of a field."""
        return get_argument_values(self.definition(type_name, node.name.value), node, self.variables)

    def definition(self, type_name: str, field_name: str) -> GraphQLField:
        """The schema's field."""
        found = self.schema.type_map[type_name]
        if not isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            raise TypeError(f"{type_name} has no fields")
        field: GraphQLField = found.fields[field_name]
        return field

    def _collect(
        self, selected: SelectionSetNode, type_name: str, found: dict[str, list[FieldNode]], seen: set[str]
    ) -> None:
        for node in selected.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node, type_name):
                    self._collect(node.selection_set, type_name, found, seen)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in seen:
                seen.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self._applies(fragment, type_name):
                    self._collect(fragment.selection_set, type_name, found, seen)

    def _is_included(self, node: SelectionNode) -> bool:
        if not node.directives:
            return True
        skip = get_directive_values(GraphQLSkipDirective, node, self.variables)
        include = get_directive_values(GraphQLIncludeDirective, node, self.variables)
        return not (skip and skip["if"]) and (include is None or bool(include["if"]))

    def _applies(self, fragment: InlineFragmentNode | FragmentDefinitionNode, type_name: str) -> bool:
        condition = fragment.type_condition
        if condition is None or condition.name.value == type_name:
            return True
        concrete = self.schema.type_map[type_name]
        names = {each.name for each in concrete.interfaces} if isinstance(concrete, GraphQLObjectType) else set()
        return condition.name.value in names
