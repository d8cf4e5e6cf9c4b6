"""Fields of a payload that are no records: a root field of `Query` reads them after the commit.

The accord of a payload is the root field `accord`, with the number of the version that the mutation wrote. So the type
resolves as in a query, and there is one way to read a version.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    ArgumentNode,
    DocumentNode,
    ExecutionResult,
    FieldNode,
    GraphQLError,
    IntValueNode,
    NameNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    execute,
)

from api.access.principal import Principal
from api.db import Database
from api.graph.context import Context, RootRecords
from api.graph.declared import Declared, Output
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.planned import PlannedDocument
from api.graph.reading.variables import Operation
from api.workflows.outcome import Outcome

_ROOT_ARGUMENT: Mapping[str, str] = {"accord": "version"}
"""The root fields that payloads have, and the argument by which they name one thing."""


@dataclass(frozen=True, slots=True)
class PayloadQuery:
    """One selected field of a payload: its response key, the root field that reads it, and what is selected."""

    key: str
    root: str
    nodes: Sequence[FieldNode]
    number: Callable[[Outcome], object]

    @classmethod
    def of(cls, key: str, output: Output, nodes: Sequence[FieldNode]) -> "PayloadQuery":
        """The query of a field of a payload. Errors: TypeError for a field that is no root field."""
        if output.name not in _ROOT_ARGUMENT:
            raise TypeError(f"{output.name} is an object that is neither a record, nor in a list, nor a root field")
        return cls(key, output.name, nodes, lambda outcome: output.resolve(outcome, None))

    def document(self, number: int, operation: Operation, collector: FieldCollector) -> DocumentNode:
        """Return the query that reads the field, with the fragments and variables of the mutation's document."""
        sets = [node.selection_set for node in self.nodes if node.selection_set is not None]
        named = ArgumentNode(name=NameNode(value=_ROOT_ARGUMENT[self.root]), value=IntValueNode(value=str(number)))
        selected = FieldNode(
            alias=NameNode(value=self.key),
            name=NameNode(value=self.root),
            arguments=(named,),
            directives=(),
            selection_set=SelectionSetNode(selections=tuple(one for some in sets for one in some.selections)),
        )
        definition = OperationDefinitionNode(
            operation=OperationType.QUERY,
            variable_definitions=operation.node.variable_definitions,
            directives=(),
            selection_set=SelectionSetNode(selections=(selected,)),
        )
        return DocumentNode(definitions=(definition, *collector.fragments.values()))


@dataclass(frozen=True, slots=True)
class PayloadReading:
    """Reads the fields of payloads for one request. It collects errors, and the fields that are redacted."""

    database: Database
    principal: Principal
    types: Mapping[str, Declared]
    operation: Operation
    collector: FieldCollector
    variables: Mapping[str, Any]
    errors: list[GraphQLError] = field(default_factory=list)
    redacted: set[str] = field(default_factory=set)

    async def read(self, query: PayloadQuery, outcome: Outcome, at: str) -> object:
        """Return the value of a field of the payload at a response key; None if the mutation wrote nothing."""
        number = query.number(outcome)
        if not isinstance(number, int):
            return None
        document = query.document(number, self.operation, self.collector)
        planned = PlannedDocument(self.collector, self.types, {})
        records = RootRecords(self.database, self.principal, {})
        context = Context(self.database, self.principal, document, planned, records)
        running = execute(self.collector.schema, document, context_value=context, variable_values=dict(self.variables))
        result = running if isinstance(running, ExecutionResult) else await running
        self.redacted.update(context.redacted)
        for error in result.errors or ():
            path = [at, *(error.path or ())]
            self.errors.append(GraphQLError(error.message, query.nodes, path=path, original_error=error.original_error))
        return None if result.data is None else result.data[query.key]
