"""The cost of a request, stated before anything is executed: it decides the lane of the request, and is paid from the
rate limit of its principal.

That of records is the cost of the document (`api/plan/cost.py`), and a flat charge for each list of groups. Root fields
that compute figures have flat charges.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from graphql import FieldNode, GraphQLError, OperationDefinitionNode

from api.errors import AccordError
from api.graph.reading.planned import PlannedDocument
from api.plan.cost import READ_ONLY_COST, cost
from api.plan.selection import (
    Connection,
    Edges,
    Field,
    GroupCount,
    Groups,
    ManyRecords,
    Nodes,
    OneRecord,
    ToMany,
    ToOne,
)

# For figures and groups, which read many rows however few they return.
SCAN_COST = 5_000

# Root fields whose figures are computed. `kpis` pays for each of its requests.
_COMPUTED = frozenset({"kpi", "funnel", "revenuePlan", "revenueVariance", "accordPreview"})
_SEVERAL, _REQUESTS = "kpis", "requests"
# Root fields that read a figure again if the id is that of an answer.
_BY_ID = frozenset({"node", "nodes"})


def request_cost(planned: PlannedDocument, operation: OperationDefinitionNode) -> int:
    """Return the cost of a query: of its records, and of its other root fields."""
    records = cost(planned.roots) + SCAN_COST * sum(_groups_in(root.selection) for root in planned.roots)
    root_type = planned.collector.schema.get_root_type(operation.operation)
    if root_type is None or len(planned.roots) == len(planned.fields):
        return records
    try:
        selected = planned.collector.collect_from((operation.selection_set,), root_type.name)
    except GraphQLError:
        return records  # the executor reports the directives
    others = (nodes[0] for key, nodes in selected.items() if planned.fields[key] is None)
    return records + sum(_field_cost(planned, root_type.name, node) for node in others)


def mutation_cost(root_fields: int, variables: Mapping[str, Any]) -> int:
    """Return the cost of a mutation: a flat charge for each root field, and one for each row of a list."""
    return READ_ONLY_COST * root_fields + sum(_rows_in(value) for value in variables.values())


def _rows_in(value: object) -> int:
    if isinstance(value, list):
        return len(value)
    return sum(map(_rows_in, value.values())) if isinstance(value, dict) else 0


def _field_cost(planned: PlannedDocument, root_type: str, node: FieldNode) -> int:
    name = node.name.value
    if name in _COMPUTED or name in _BY_ID:
        return SCAN_COST
    if name != _SEVERAL:
        return READ_ONLY_COST
    try:
        return SCAN_COST * len(planned.collector.arguments(root_type, node)[_REQUESTS])
    except (AccordError, GraphQLError):
        return READ_ONLY_COST  # the executor reports the arguments


def _groups_in(selection: object) -> int:
    """Return the number of lists of groups in a selection: each reads every row that matches."""
    match selection:
        case OneRecord(fields=fields):
            return _groups_in_fields(fields)
        case ManyRecords(fields=by_table):
            return sum(_groups_in_fields(fields) for _, fields in by_table)
        case Connection(parts=parts):
            own = sum(isinstance(part, Groups | GroupCount) for part in parts)
            return own + sum(_groups_in_fields(nodes.fields) for nodes in _nodes_of(parts))
        case _:
            return 0


def _nodes_of(parts: Iterable[object]) -> Iterator[Nodes]:
    for part in parts:
        if isinstance(part, Nodes):
            yield part
        elif isinstance(part, Edges):
            yield from (nodes for nodes in part.parts if isinstance(nodes, Nodes))


def _groups_in_fields(fields: Iterable[Field]) -> int:
    total = 0
    for field in fields:
        if isinstance(field, ToOne):
            total += _groups_in_fields(field.fields)
        elif isinstance(field, ToMany):
            total += _groups_in(field.connection)
    return total
