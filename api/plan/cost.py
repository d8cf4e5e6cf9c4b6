"""The cost of a document: the number of records that its response can hold, page sizes multiplied down the tree.

The cost is computed from the selection alone, before any statement runs.
"""

from collections.abc import Iterable

from api.errors import AccordError, ErrorCode
from api.plan.computed_values import source_name
from api.plan.grouping import most_groups
from api.plan.list_arguments import (
    Condition,
    Conjunction,
    ConvertedComparison,
    Disjunction,
    IsCountedCondition,
    ListAggregate,
    ListAggregateCondition,
    Negation,
    Page,
    PresentStageCondition,
    ToManyCondition,
    ToOneCondition,
)
from api.plan.selection import (
    Aggregate,
    AssumedCount,
    AuditedRecord,
    Connection,
    DuplicatePairs,
    Edges,
    Field,
    GroupCount,
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
    TotalCount,
    Typename,
)

MAX_COST = 50_000
# The flat charge for rows that are read and not returned: a count, aggregates, groups, and a filter or an order through
# a link.
READ_ONLY_COST = 10


def cost(roots: Iterable[RootField]) -> int:
    """Return the cost of a document.

    Shapes: root fields -> a number. Units: records that the response can hold at most, plus the flat charges.
    """
    return sum(_selection_cost(root.selection) for root in roots)


def affordable_cost(roots: Iterable[RootField]) -> int:
    """Return the cost of root fields. Errors: TOO_LARGE if it exceeds the limit."""
    price = cost(roots)
    if price > MAX_COST:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The response could have {price:,} records (page sizes multiplied down the tree). The limit is"
            f" {MAX_COST:,}.",
            "Ask for smaller pages with `first`, or for the inner lists in separate requests.",
        )
    return price


def _selection_cost(selection: Selection) -> int:
    match selection:
        case Typename():
            return 0
        case OneRecord(fields=fields):
            return 1 + _fields_cost(fields)
        case ManyRecords(ids=ids, fields=by_table):
            record_cost = {table: 1 + _fields_cost(fields) for table, fields in by_table}
            return sum(record_cost[key.table] for key in ids)
        case Connection():
            return _connection_cost(selection)
        case SearchResults():
            return _results_cost(selection)
        case DuplicatePairs():
            return _pairs_cost(selection)


def _fields_cost(fields: Iterable[Field]) -> int:
    total = 0
    for field in fields:
        if isinstance(field, ToOne):
            total += 1 + _fields_cost(field.fields)
        elif isinstance(field, AuditedRecord):
            total += 1 + max(_fields_cost(fields) for _, fields in field.fields)
        elif isinstance(field, ToMany):
            total += _connection_cost(field.connection)
    return total


def _connection_cost(connection: Connection) -> int:
    per_row, flat = 0, READ_ONLY_COST * _links_of(connection.page)
    for part in connection.parts:
        if isinstance(part, Nodes):
            per_row += 1 + _fields_cost(part.fields)
        elif isinstance(part, Edges):
            per_row += 1 + sum(_fields_cost(nodes.fields) for nodes in part.parts if isinstance(nodes, Nodes))
        elif isinstance(part, TotalCount | AssumedCount | Aggregate | GroupCount):
            flat += READ_ONLY_COST
        elif isinstance(part, Groups):
            flat += READ_ONLY_COST + most_groups(connection.table, part) * (1 + _key_records_cost(part))
    return connection.page.size * per_row + flat


def _results_cost(results: SearchResults) -> int:
    """Return the cost of a page of search results, each as that of the table whose records cost the most."""
    per_row, flat = 0, READ_ONLY_COST * len(results.tables)
    for part in results.parts:
        if isinstance(part, ResultNodes):
            per_row += _result_cost(part)
        elif isinstance(part, ResultEdges):
            nodes = [_result_cost(node) for node in part.parts if isinstance(node, ResultNodes)]
            per_row += sum(nodes) if nodes else 1
        elif isinstance(part, TotalCount):
            flat += READ_ONLY_COST
    return results.size * per_row + flat


def _result_cost(nodes: ResultNodes) -> int:
    return 1 + max(_fields_cost(fields) for _, fields in nodes.fields)


def _pairs_cost(pairs: DuplicatePairs) -> int:
    """Return the cost of a page of likely duplicates, and a flat charge for the records read for every reason."""
    per_pair, flat = 0, READ_ONLY_COST * len(pairs.reasons)
    for part in pairs.parts:
        if isinstance(part, PairNodes):
            per_pair += _pair_cost(part)
        elif isinstance(part, PairEdges):
            per_pair += 1 + sum(_pair_cost(nodes) for nodes in part.parts if isinstance(nodes, PairNodes))
        elif isinstance(part, TotalCount):
            flat *= 2
    return pairs.size * per_pair + flat


def _pair_cost(nodes: PairNodes) -> int:
    return 1 + sum(1 + _fields_cost(part.fields) for part in nodes.parts if isinstance(part, PairRecord))


def _links_of(page: Page) -> int:
    """Return the number of links that the filter and the order of a list follow."""
    paths = {term.links[:length] for term in page.order for length in range(1, len(term.links) + 1)}
    computed = {(term.links, source_name(term.by)) for term in page.order if not isinstance(term.by, str)}
    counted = sum(_links_in_rows(term.by) for term in page.order if isinstance(term.by, ListAggregate))
    return len(paths) + len(computed) + counted + (0 if page.where is None else _links_in(page.where))


def _links_in(condition: Condition) -> int:
    match condition:
        case Conjunction(parts) | Disjunction(parts):
            return sum(map(_links_in, parts))
        case Negation(part):
            return _links_in(part)
        case ToOneCondition(part=part) | ToManyCondition(part=part):
            return 1 + _links_in(part)
        case ListAggregateCondition(aggregate=aggregate):
            return 1 + _links_in_rows(aggregate)
        case PresentStageCondition() | IsCountedCondition() | ConvertedComparison():
            return 1
        case _:
            return 0


def _links_in_rows(aggregate: ListAggregate) -> int:
    return 0 if aggregate.where is None else _links_in(aggregate.where)


def _key_records_cost(groups: Groups) -> int:
    """Return the number of records that the keys of one group hold."""
    keys = (key for part in groups.parts if isinstance(part, KeyValues) for key in part.parts)
    return _fields_cost(key for key in keys if isinstance(key, ToOne))
