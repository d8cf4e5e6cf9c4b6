"""The fields of a selection, collected as the GraphQL specification defines (CollectFields).

Fragments are expanded, `@skip` and `@include` applied, variables filled in, and fields merged by response key.
"""

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
    GraphQLUnionType,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_argument_values,
    get_directive_values,
)
from graphql.execution.values import VariableValues


@dataclass(frozen=True, slots=True)
class FieldCollector:
    """Collects fields and arguments of one operation with its variables."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]
    variables: VariableValues

    def collect(self, nodes: Iterable[FieldNode], type_name: str) -> dict[str, list[FieldNode]]:
        """Return the fields selected on the value of `nodes`, of that type, by response key in response order."""
        return self.collect_from((node.selection_set for node in nodes if node.selection_set is not None), type_name)

    def collect_from(self, sets: Iterable[SelectionSetNode], type_name: str) -> dict[str, list[FieldNode]]:
        """Return the fields of selection sets that apply to the same value, like `collect`."""
        found: dict[str, list[FieldNode]] = {}
        spread: set[str] = set()
        for selected in sets:
            self._collect(selected, type_name, found, spread)
        return found

    def arguments(self, type_name: str, node: FieldNode) -> dict[str, Any]:
        """Return the coerced arguments of a field."""
        return get_argument_values(self._definition(type_name, node.name.value), node, self.variables)

    def _definition(self, type_name: str, field_name: str) -> GraphQLField:
        found = self.schema.type_map[type_name]
        if not isinstance(found, GraphQLObjectType | GraphQLInterfaceType):
            raise TypeError(f"{type_name} has no fields")
        field: GraphQLField = found.fields[field_name]
        return field

    def _collect(
        self, selected: SelectionSetNode, type_name: str, found: dict[str, list[FieldNode]], spread: set[str]
    ) -> None:
        for node in selected.selections:
            if not self._is_included(node):
                continue
            if isinstance(node, FieldNode):
                key = node.alias.value if node.alias else node.name.value
                found.setdefault(key, []).append(node)
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node, type_name):
                    self._collect(node.selection_set, type_name, found, spread)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in spread:
                spread.add(node.name.value)
                fragment = self.fragments[node.name.value]
                if self._applies(fragment, type_name):
                    self._collect(fragment.selection_set, type_name, found, spread)

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
        concrete, wanted = self.schema.type_map[type_name], self.schema.type_map[condition.name.value]
        return (
            isinstance(concrete, GraphQLObjectType)
            and isinstance(wanted, GraphQLInterfaceType | GraphQLUnionType)
            and self.schema.is_sub_type(wanted, concrete)
        )
