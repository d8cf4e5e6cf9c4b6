"""Reading the lists of likely duplicates: what is selected of the pairs becomes the planner's selection."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import partial
from typing import Any

from graphql import FieldNode

from api.errors import AccordError, ErrorCode
from api.graph.derived.duplicate_types import DUPLICATE, DUPLICATE_KINDS, DuplicateKind
from api.graph.derived.record_types import PAGE_INFO
from api.graph.reading.page_value import read_page_size
from api.graph.reading.search_reader import SearchReader
from api.identity.ids import parse_id
from api.plan.selection import (
    Cursor,
    DuplicatePairs,
    PageInfo,
    PairEdges,
    PairNodes,
    PairReasons,
    PairRecord,
    TotalCount,
    Typename,
)
from api.sql import converted


@dataclass(frozen=True, slots=True)
class DuplicateReader(SearchReader):
    """Reads pairs of records that are likely the same."""

    def duplicates(self, nodes: Sequence[FieldNode], table: str, arguments: Mapping[str, Any]) -> DuplicatePairs:
        """Return what a list of likely duplicates selects. Errors: BAD_INPUT, TOO_LARGE for its arguments."""
        kind = DUPLICATE_KINDS[table]
        parts: list[TotalCount | PairNodes | PairEdges | PageInfo | Typename] = []
        for key, selected in self.collector.collect(nodes, kind.connection).items():
            match selected[0].name.value:
                case "totalCount":
                    parts.append(TotalCount(key))
                case "nodes":
                    parts.append(self._pairs(key, selected, kind))
                case "edges":
                    parts.append(PairEdges(key, self._pair_edge(selected, kind)))
                case "pageInfo":
                    parts.append(PageInfo(key, self.members(selected, PAGE_INFO)))
                case _:
                    parts.append(Typename(key, kind.connection))
        size = read_page_size(nodes[0].name.value, arguments)
        given = arguments.get(table)
        record = None if given is None else converted(given, partial(parse_id, table))
        reasons = _reasons(kind, arguments.get("reasons"))
        return DuplicatePairs(table, reasons, record, size, arguments.get("after"), tuple(parts))

    def _pair_edge(self, nodes: Sequence[FieldNode], kind: DuplicateKind) -> tuple[Cursor | PairNodes | Typename, ...]:
        parts: list[Cursor | PairNodes | Typename] = []
        for key, selected in self.collector.collect(nodes, kind.edge).items():
            match selected[0].name.value:
                case "cursor":
                    parts.append(Cursor(key))
                case "node":
                    parts.append(self._pairs(key, selected, kind))
                case _:
                    parts.append(Typename(key, kind.edge))
        return tuple(parts)

    def _pairs(self, key: str, nodes: Sequence[FieldNode], kind: DuplicateKind) -> PairNodes:
        parts: list[PairRecord | PairReasons | Typename] = []
        for own, selected in self.collector.collect(nodes, kind.type_name).items():
            name = selected[0].name.value
            if name == "reasons":
                parts.append(PairReasons(own))
            elif name in (kind.table, DUPLICATE):
                parts.append(PairRecord(own, name == DUPLICATE, self.record(selected, kind.table)))
            else:
                parts.append(Typename(own, kind.type_name))
        return PairNodes(key, tuple(parts))


def _reasons(kind: DuplicateKind, given: Sequence[Enum] | None) -> tuple[str, ...]:
    """Return the reasons to look for, in the order of their strength. Errors: BAD_INPUT for none."""
    if given is not None and not given:
        message = "`reasons: []` leaves nothing to look for."
        raise AccordError(ErrorCode.BAD_INPUT, message, "Name at least one reason, or leave `reasons` out.")
    return tuple(reason.value for reason in kind.reasons if given is None or reason in given)
