"""Reading the field `search`: what is selected of the results becomes the planner's selection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from graphql import FieldNode

from api.errors import AccordError, ErrorCode
from api.graph.derived.record_types import PAGE_INFO
from api.graph.derived.search_types import SEARCH_CONNECTION, SEARCH_EDGE, searched_shapes, table_of
from api.graph.reading.aggregate_reader import AggregateReader
from api.graph.reading.page_value import read_page_size
from api.graph.reading.search_value import read_search
from api.plan.selection import (
    Cursor,
    PageInfo,
    ResultEdges,
    ResultNodes,
    SearchResults,
    TotalCount,
    Typename,
)
from api.sql import converted


@dataclass(frozen=True, slots=True)
class SearchReader(AggregateReader):
    """Reads search results, which are records of several types."""

    def search_results(self, nodes: Sequence[FieldNode], arguments: Mapping[str, Any]) -> SearchResults:
        """Return what a search selects. Errors: BAD_INPUT, TOO_LARGE for its arguments."""
        given = arguments.get("types")
        tables = _tables(given)
        parts: list[TotalCount | ResultNodes | ResultEdges | PageInfo | Typename] = []
        for key, selected in self.collector.collect(nodes, SEARCH_CONNECTION).items():
            match selected[0].name.value:
                case "totalCount":
                    parts.append(TotalCount(key))
                case "nodes":
                    parts.append(self._results(key, selected, tables))
                case "edges":
                    parts.append(ResultEdges(key, self._result_edge(selected, tables)))
                case "pageInfo":
                    parts.append(PageInfo(key, self.members(selected, PAGE_INFO)))
                case _:
                    parts.append(Typename(key, SEARCH_CONNECTION))
        size = read_page_size(nodes[0].name.value, arguments)
        words = converted(arguments["text"], read_search)
        return SearchResults(tables, words, size, arguments.get("after"), tuple(parts), names_tables=given is not None)

    def _result_edge(
        self, nodes: Sequence[FieldNode], tables: Sequence[str]
    ) -> tuple[Cursor | ResultNodes | Typename, ...]:
        parts: list[Cursor | ResultNodes | Typename] = []
        for key, selected in self.collector.collect(nodes, SEARCH_EDGE).items():
            match selected[0].name.value:
                case "cursor":
                    parts.append(Cursor(key))
                case "node":
                    parts.append(self._results(key, selected, tables))
                case _:
                    parts.append(Typename(key, SEARCH_EDGE))
        return tuple(parts)

    def _results(self, key: str, nodes: Sequence[FieldNode], tables: Sequence[str]) -> ResultNodes:
        return ResultNodes(key, tuple((table, self.record(nodes, table)) for table in tables))


def _tables(given: Sequence[Enum] | None) -> tuple[str, ...]:
    """Return the tables to search, in the order of the results of one rank. Errors: BAD_INPUT for none."""
    if given is None:
        return tuple(shape.name for shape in searched_shapes())
    if not given:
        message = "`types: []` leaves nothing to search."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Name at least one type, or leave `types` out.")
    return tuple(dict.fromkeys(map(table_of, given)))
