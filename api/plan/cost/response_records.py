"""How many records a response can hold: page sizes multiplied down the tree, from the selection alone."""

from collections.abc import Iterable

from api.errors import AccordError, ErrorCode
from api.plan.cost.selection_sum import SelectionSum
from api.plan.grouping import most_groups
from api.plan.selection import (
    Connection,
    DuplicatePairs,
    Edges,
    Groups,
    Nodes,
    PairEdges,
    PairNodes,
    ResultEdges,
    ResultNodes,
    RootField,
    SearchResults,
    ToMany,
)

MAX_RECORDS = 50_000


def response_records(roots: Iterable[RootField]) -> int:
    """Return the number of records that the response can hold at most.

    Shapes: root fields -> a number.
    """
    records = _Records()
    return int(sum(records.of(root.selection) for root in roots))


def require_few_records(count: int) -> None:
    """Refuse a response that could have too many records. Errors: TOO_LARGE."""
    if count > MAX_RECORDS:
        raise AccordError(
            ErrorCode.TOO_LARGE,
            f"The response could have {count:,} records (page sizes multiplied down the tree). The limit is"
            f" {MAX_RECORDS:,}.",
            "Ask for smaller pages with `first`, or for the inner lists in separate requests.",
        )


class _Records(SelectionSum):
    record = linked_record = 1

    def of_inner_list(self, field: ToMany) -> float:
        return self.of_connection(field.connection)

    def of_connection(self, connection: Connection) -> float:
        per_row: float = 0
        groups: float = 0
        for part in connection.parts:
            if isinstance(part, Nodes):
                per_row += 1 + self.of_fields(part.fields)
            elif isinstance(part, Edges):
                per_row += 1 + sum(self.of_fields(nodes.fields) for nodes in part.parts if isinstance(nodes, Nodes))
            elif isinstance(part, Groups):
                groups += most_groups(connection.table, part) * (1 + self.of_keys(part))
        return connection.page.size * per_row + groups

    def of_results(self, results: SearchResults) -> float:
        per_row: float = 0
        for part in results.parts:
            if isinstance(part, ResultNodes):
                per_row += self.of_result(part)
            elif isinstance(part, ResultEdges):
                nodes = [self.of_result(node) for node in part.parts if isinstance(node, ResultNodes)]
                per_row += sum(nodes) if nodes else 1
        return results.size * per_row

    def of_pairs(self, pairs: DuplicatePairs) -> float:
        per_pair: float = 0
        for part in pairs.parts:
            if isinstance(part, PairNodes):
                per_pair += 1 + self.of_pair(part)
            elif isinstance(part, PairEdges):
                per_pair += 1 + sum(1 + self.of_pair(nodes) for nodes in part.parts if isinstance(nodes, PairNodes))
        return pairs.size * per_pair
