"""An operation as the planner sees it: what its root fields read, and what is selected of records within any value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from graphql import FieldNode, GraphQLError, OperationDefinitionNode

from api.errors import AccordError
from api.graph.declared import Declared
from api.graph.reading.field_collector import FieldCollector
from api.graph.reading.selection_reader import Path, RecordSelection, SelectionReader
from api.plan.selection import RootField

# An error in the request, found by Accord or by graphql-core. It is reported at the field that it concerns.
RequestError = AccordError | GraphQLError


@dataclass(frozen=True, slots=True)
class PlannedDocument:
    """One operation with its variables, and what its root fields read.

    `fields` has, by response key, what the root field reads, the error that prevents it, or None for a field that reads
    no records. An error with an empty key concerns all root fields: it is in a directive on them.
    """

    collector: FieldCollector
    types: Mapping[str, Declared]
    fields: Mapping[str, RootField | RequestError | None]

    @property
    def roots(self) -> tuple[RootField, ...]:
        """What the root fields without an error read."""
        return tuple(field for field in self.fields.values() if isinstance(field, RootField))

    def planned(
        self, selection: Sequence[FieldNode], at: str, node_table: str | None = None
    ) -> dict[Path, RecordSelection]:
        """Return what is selected of every record within a value, by the path of response keys to it.

        Shapes: the field nodes whose value it is, and the name of its type -> {path: selection of a record}.
        `node_table` is the table of values whose type is the interface Node. The root type does not matter: the value
        may be that of a query, a mutation's payload or an event.
        Errors: BAD_INPUT and TOO_LARGE for arguments of lists within; TOO_LARGE for too many fields.
        """
        return dict(SelectionReader(self.collector, self.types).records(selection, at, node_table))


def plan_document(
    collector: FieldCollector, types: Mapping[str, Declared], operation: OperationDefinitionNode
) -> PlannedDocument:
    """Read the root fields of an operation.

    A variable that is null although its type forbids it, because a default allowed it, is an error of graphql-core that
    is raised only here, when arguments and directives are evaluated.
    """
    root_type = collector.schema.get_root_type(operation.operation)
    if root_type is None:  # the executor reports that the schema has no such operations
        return PlannedDocument(collector, types, {})
    reader = SelectionReader(collector, types)
    fields: dict[str, RootField | RequestError | None] = {}
    try:
        selected = collector.collect_from((operation.selection_set,), root_type.name)
    except GraphQLError as error:
        return PlannedDocument(collector, types, {"": error})
    for key, nodes in selected.items():
        try:
            fields[key] = reader.root(root_type.name, key, nodes)
        except (AccordError, GraphQLError) as error:
            fields[key] = error
    return PlannedDocument(collector, types, fields)
