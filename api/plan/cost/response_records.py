"""How many records a response can hold: page sizes multiplied down the tree, from the selection alone."""

from collections.abc import Iterable

from api.errors import AccordError, ErrorCode
from api.plan.grouping import most_groups
from api.plan.selection import (
    AuditedRecord,
    Connection,
    DuplicatePairs,
    Edges,
    Field,
    Groups,
    KeyValues,
    ManyRecords,
    Nodes,
    OneRecord,
    PairEdges,
    PairNodes,
    PairRecord,
    ResultEdges,
    ResultNodes,
    RootField,
    SearchResults,
    Selection,
    ToMany,
    ToOne,
    Typename,
)

MAX_RECORDS = 50_000


def response_records(roots: Iterable[RootField]) -> int:
    """Return the number of records that the response can hold at most.

    Shapes: root fields -> a number.
    """
    return sum(_selection_records(root.selection) for root in roots)


def require_few_records(count: int) -> None:
    """Refuse a response that could have too many records. Errors: TOO_LARGE."""
    if count > MAX_RECORDS:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The response could have {count:,} records (page sizes multiplied down the tree). The limit is"
            f" {MAX_RECORDS:,}.",
            "Ask for smaller pages with `first`, or for the inner lists in separate requests.",
        )


def _selection_records(selection: Selection) -> int:
    match selection:
        case Typename():
            return 0
        case OneRecord(fields=fields):
            return 1 + _fields_records(fields)
        case ManyRecords(ids=ids, fields=by_table):
            record_count = {table: 1 + _fields_records(fields) for table, fields in by_table}
            return sum(record_count[key.table] for key in ids)
        case Connection():
            return _connection_records(selection)
        case SearchResults():
            return _results_records(selection)
        case DuplicatePairs():
            return _pairs_records(selection)


def _fields_records(fields: Iterable[Field]) -> int:
    total = 0
    for field in fields:
        if isinstance(field, ToOne):
            total += 1 + _fields_records(field.fields)
        elif isinstance(field, AuditedRecord):
            total += 1 + max(_fields_records(fields) for _, fields in field.fields)
        elif isinstance(field, ToMany):
            total += _connection_records(field.connection)
    return total


def _connection_records(connection: Connection) -> int:
    per_row, groups = 0, 0
    for part in connection.parts:
        if isinstance(part, Nodes):
            per_row += 1 + _fields_records(part.fields)
        elif isinstance(part, Edges):
            per_row += 1 + sum(_fields_records(nodes.fields) for nodes in part.parts if isinstance(nodes, Nodes))
        elif isinstance(part, Groups):
            groups += most_groups(connection.table, part) * (1 + _key_records(part))
    return connection.page.size * per_row + groups


def _results_records(results: SearchResults) -> int:
    """Return those of a page of search results, each as of the table whose records hold the most."""
    per_row = 0
    for part in results.parts:
        if isinstance(part, ResultNodes):
            per_row += _result_records(part)
        elif isinstance(part, ResultEdges):
            nodes = [_result_records(node) for node in part.parts if isinstance(node, ResultNodes)]
            per_row += sum(nodes) if nodes else 1
    return results.size * per_row


def _result_records(nodes: ResultNodes) -> int:
    return 1 + max(_fields_records(fields) for _, fields in nodes.fields)


def _pairs_records(pairs: DuplicatePairs) -> int:
    """Return those of a page of likely duplicates."""
    per_pair = 0
    for part in pairs.parts:
        if isinstance(part, PairNodes):
            per_pair += _pair_records(part)
        elif isinstance(part, PairEdges):
            per_pair += 1 + sum(_pair_records(nodes) for nodes in part.parts if isinstance(nodes, PairNodes))
    return pairs.size * per_pair


def _pair_records(nodes: PairNodes) -> int:
    return 1 + sum(1 + _fields_records(part.fields) for part in nodes.parts if isinstance(part, PairRecord))


def _key_records(groups: Groups) -> int:
    """Return the number of records that the keys of one group hold."""
    keys = (key for part in groups.parts if isinstance(part, KeyValues) for key in part.parts)
    return _fields_records(key for key in keys if isinstance(key, ToOne))
