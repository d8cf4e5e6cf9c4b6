"""Type names in a selection: the executor of GraphQL has to find the type of a record that may be of several."""

from dataclasses import replace
from typing import Any

from api.graph.derived.record_types import TYPE_KEY
from api.plan.selection import (
    AuditedRecord,
    Connection,
    Edges,
    Groups,
    KeyValues,
    ManyRecords,
    Nodes,
    OneRecord,
    ResultEdges,
    ResultNodes,
    RootField,
    SearchResults,
    ToMany,
    ToOne,
    Typename,
)
from schema.tables import SHAPES


def with_type_names(root: RootField) -> RootField:
    """Return a root field in which search results and audited records have the names of their types."""
    return replace(root, selection=_typed(root.selection))


def _typed(selected: Any) -> Any:  # noqa: ANN401 - any part of a selection
    match selected:
        case tuple():
            return tuple(map(_typed, selected))
        case ResultNodes() | AuditedRecord():
            kinds = ((table, Typename(TYPE_KEY, SHAPES[table].type_name), fields) for table, fields in selected.fields)
            return replace(selected, fields=tuple((table, (kind, *_typed(fields))) for table, kind, fields in kinds))
        case Connection() | Edges() | Groups() | KeyValues() | SearchResults() | ResultEdges():
            return replace(selected, parts=_typed(selected.parts))
        case OneRecord() | ManyRecords() | Nodes() | ToOne():
            return replace(selected, fields=_typed(selected.fields))
        case ToMany():
            return replace(selected, connection=_typed(selected.connection))
        case _:
            return selected
