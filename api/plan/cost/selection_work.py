"""The work of a selection: how many rows PostgreSQL reads for it, each as much as reading one row of a table in order.

It is an estimate, by the sizes of the tables. A list by an index stops at the end of its page; any other order, and a
count, an aggregate or groups, read all rows that match.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from api.plan.cost.condition_work import CONVERTED, LINKED, PRESENT_STAGE, ConditionWork
from api.plan.cost.selection_sum import SelectionSum
from api.plan.cost.table_sizes import TableSizes
from api.plan.grouping import most_groups
from api.plan.list_arguments import PRESENT_STAGE_KEY, ConvertedAmount, ListAggregate, OrderTerm
from api.plan.selection import (
    Aggregate,
    AggregateField,
    AssumedCount,
    Connection,
    DuplicatePairs,
    Edges,
    FunctionFields,
    GroupCount,
    Groups,
    Nodes,
    PairEdges,
    PairNodes,
    ResultEdges,
    ResultNodes,
    RootField,
    SearchResults,
    ToMany,
    TotalCount,
    Typename,
)

# In rows, measured against reading one (`make bench-cost`).
STATEMENT = 3_000.0  # a statement at all
RECORD, LINKED_RECORD, NESTED_LIST, NESTED_FIGURE = 25.0, 50.0, 250.0, 25.0
_COUNTED, _AGGREGATED, _GROUPED, _BUCKETED, _SORTED = 0.4, 0.15, 1.0, 2.5, 7.0
_SEARCH, _SEARCHED, _LIKELY, _ALL_PAIRS = 4_000.0, 0.02, 0.5, 10.0
_PAST = 3.0  # as of an instant, versions are read in place of records


def read_work(roots: Iterable[RootField], sizes: TableSizes) -> float:
    """Return the work of the statement of root fields; none if they only have the name of their type.

    Shapes: root fields -> a number of rows.
    """
    roots = [root for root in roots if not isinstance(root.selection, Typename)]
    if not roots:
        return 0.0
    work = _Work(sizes, ConditionWork(sizes))
    return STATEMENT + sum((_PAST if root.as_of is not None else 1.0) * work.of(root.selection) for root in roots)


@dataclass(frozen=True, slots=True)
class _Work(SelectionSum):
    sizes: TableSizes
    conditions: ConditionWork

    record = RECORD
    linked_record = LINKED_RECORD

    def of_inner_list(self, field: ToMany) -> float:
        inner = field.connection
        rows = self.sizes.rows(inner.table) / self.sizes.distinct_values(inner.table, field.column)
        has_records = any(isinstance(part, Nodes | Edges) for part in inner.parts)
        return (NESTED_LIST if has_records else NESTED_FIGURE) + self._list(inner, rows)

    def of_connection(self, connection: Connection) -> float:
        return self._list(connection, self.sizes.rows(connection.table))

    def _list(self, connection: Connection, rows: float) -> float:
        """Return the work of a list of so many rows: every part that is selected reads them by itself."""
        table, where = connection.table, connection.page.where
        read = rows * self.conditions.found_by_index(table, where)
        matching = min(read, rows * self.conditions.passing(table, where))
        if connection.page.search is not None:
            read = matching = _SEARCHED * read
        scanned = read + self.conditions.work(table, where, read) if where is not None else _COUNTED * read
        total = _SEARCH if connection.page.search is not None else 0.0
        for part in connection.parts:
            if isinstance(part, Nodes | Edges):
                total += self._page(connection, part, read, matching)
            elif isinstance(part, TotalCount | AssumedCount):
                total += scanned
            elif isinstance(part, Aggregate):
                total += scanned + _AGGREGATED * matching * _calls(part)
            elif isinstance(part, Groups | GroupCount):
                total += scanned + matching * _grouping(part)
                if isinstance(part, Groups):
                    total += min(matching, most_groups(table, part)) * (RECORD + self.of_keys(part))
        return total

    def _page(self, connection: Connection, part: Nodes | Edges, read: float, matching: float) -> float:
        """Return the work of a page: of finding its rows, and of writing their records."""
        table, page = connection.table, connection.page
        nodes = [part] if isinstance(part, Nodes) else [nodes for nodes in part.parts if isinstance(nodes, Nodes)]
        records = min(page.size, matching) * (RECORD + sum(self.of_fields(selected.fields) for selected in nodes))
        if self._is_in_order(table, page.order):
            share = matching / read if read else 1.0
            read = min(read, (page.size + 1) / max(share, 1 / self.sizes.rows(table)))
            return records + read + self.conditions.work(table, page.where, read)
        return records + read * _SORTED + self.conditions.work(table, page.where, read) + self._order(connection, read)

    def _is_in_order(self, table: str, order: tuple[OrderTerm, ...]) -> bool:
        """Return whether an index has the order."""
        if not order:
            return True
        first = order[0]
        return isinstance(first.by, str) and not first.links and self.sizes.is_indexed(table, first.by)

    def _order(self, connection: Connection, rows: float) -> float:
        total = 0.0
        for term in connection.page.order:
            total += LINKED * rows * len(term.links)
            if isinstance(term.by, ListAggregate):
                total += self.conditions.aggregate(connection.table, term.by, rows)
            elif isinstance(term.by, ConvertedAmount):
                total += CONVERTED * rows
            elif not isinstance(term.by, str):
                total += PRESENT_STAGE * rows
        return total

    def of_results(self, results: SearchResults) -> float:
        total = sum(_SEARCH + _SEARCHED * self.sizes.rows(table) for table in results.tables)
        for part in results.parts:
            if isinstance(part, ResultNodes):
                total += results.size * self.of_result(part)
            elif isinstance(part, ResultEdges):
                total += results.size * sum(
                    self.of_result(node) for node in part.parts if isinstance(node, ResultNodes)
                )
        return total

    def of_pairs(self, pairs: DuplicatePairs) -> float:
        rows = self.sizes.rows(pairs.table) if pairs.record is None else 1.0
        total = _LIKELY * rows * len(pairs.reasons)
        for part in pairs.parts:
            if isinstance(part, PairNodes):
                total += pairs.size * (2 * RECORD + self.of_pair(part))
            elif isinstance(part, PairEdges):
                total += pairs.size * sum(
                    2 * RECORD + self.of_pair(nodes) for nodes in part.parts if isinstance(nodes, PairNodes)
                )
            elif isinstance(part, TotalCount):
                total += _ALL_PAIRS * rows * len(pairs.reasons)
        return total


def _calls(aggregate: Aggregate) -> int:
    """Return the number of aggregates, at least 1."""
    fields = (part for part in aggregate.parts if not isinstance(part, Typename))
    return max(1, sum(len(part.parts) if isinstance(part, FunctionFields) else 1 for part in fields))


def _grouping(groups: Groups | GroupCount) -> float:
    """Return what putting one row into its group costs."""
    cost = _GROUPED
    for key in groups.keys:
        cost += _BUCKETED if key.grain is not None else PRESENT_STAGE if key.column == PRESENT_STAGE_KEY else 0.0
    if isinstance(groups, Groups):
        for part in groups.parts:
            if isinstance(part, Aggregate):
                cost += _AGGREGATED * _calls(part)
            elif isinstance(part, AggregateField):
                cost += _AGGREGATED
    return cost
