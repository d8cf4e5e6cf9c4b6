"""Likely duplicates as a list: one page of pairs, the strongest reason first.

A pair stands once in the list, at its strongest reason. Pairs of one reason are in the order of the value that they
share: it is the order of an index, so that a page reads only what it shows, and a pair keeps its place while others are
added or merged.
"""

import base64
import binascii
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from api.access.scoped_tables import ScopedTables, qualified
from api.errors import AccordError, ErrorCode
from api.plan.composite_fields import selected_members, typename
from api.plan.duplicates.evidence import EVIDENCE, Evidence
from api.plan.duplicates.pairs import COLUMNS, Bound, pairs, reasons
from api.plan.json_objects import NO_ROWS, Columns, encoded_cursor, require_cursor_length, select_objects
from api.plan.search.ranked_page import RankedPage
from api.plan.search.results import RecordObject
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
from api.sql import Sql, all_of, join, name


def duplicate_pairs(tables: ScopedTables, selection: DuplicatePairs, record: RecordObject) -> Sql:
    """Return a page of likely duplicates as an object.

    Shapes: selection -> one subquery. Errors: NOT_ALLOWED if the principal may not read a column that decides;
    BAD_INPUT if the cursor does not belong to this list.
    """
    for evidence in EVIDENCE[selection.table]:
        for column in evidence.read:
            tables.require(selection.table, column, "finds duplicates by")
    results = _Pairs.of(tables, selection, record)
    parts = [(part.key, results.part(part)) for part in selection.parts]
    return Sql("({}{})", results.with_page(), select_objects(parts, NO_ROWS))


@dataclass(frozen=True, slots=True)
class _Position:
    """The rank of a reason in the list, and a position among its pairs."""

    rank: int
    bound: Bound


@dataclass(frozen=True, slots=True)
class _Pairs:
    """The pairs of one list. `ranks` are the selected reasons."""

    tables: ScopedTables
    selection: DuplicatePairs
    record: RecordObject
    page: RankedPage
    ranks: tuple[Evidence, ...]
    after: _Position | None

    @classmethod
    def of(cls, tables: ScopedTables, selection: DuplicatePairs, record: RecordObject) -> "_Pairs":
        """Read the cursor of the page. Errors: BAD_INPUT."""
        ranks = tuple(evidence for evidence in EVIDENCE[selection.table] if evidence.reason in selection.reasons)
        after = None if selection.after is None else _read_cursor(selection, ranks, selection.after)
        return cls(tables, selection, record, RankedPage(tables.new_alias(), selection.size), ranks, after)

    def part(self, part: TotalCount | PairNodes | PairEdges | PageInfo | Typename) -> Sql:
        """Return a selected part of the list."""
        match part:
            case Typename():
                return typename(part)
            case TotalCount():
                return self._total_count()
            case PairNodes():
                alias = self.tables.new_alias()
                return Sql("array({})", select_objects(self._pair(part, alias), self.page.rows(alias)))
            case PairEdges(parts=parts):
                alias = self.tables.new_alias()
                edge = [(own.key, self._edge_part(own, alias)) for own in parts]
                return Sql("array({})", select_objects(edge, self.page.rows(alias)))
            case PageInfo(parts=parts):
                return Sql("({})", select_objects(selected_members(parts, self._page_info()), NO_ROWS))

    # -------------------------------------------------------------------------------------------------------- page

    def with_page(self) -> Sql:
        """Return the `with` clause of the page; empty if no part reads it.

        It holds one row more than the page. Pairs of a reason are read only if those of stronger reasons do not fill
        the page.

        Shapes: -> a clause that ends with a space. Columns: rank, `COLUMNS`, and `"#"`, the number of the pair in the
        page.
        """
        if all(isinstance(part, TotalCount | Typename) for part in self.selection.parts):
            return NO_ROWS
        read: list[Sql] = []
        clauses: list[Sql] = []
        for rank, bound in self._bounds():
            clause = self.page.rank(rank)
            clauses.append(Sql("{} as materialized ({})", clause, self._of_rank(rank, bound, read)))
            read.append(clause)
        found = join(" union all ", (Sql("select * from {}", rank) for rank in read))
        order = join(", ", map(name, ("rank", *COLUMNS)))
        numbered = Sql(
            f'select *, row_number() over (order by {{}}) as "#" from ({{}}) {{}} order by "#" limit {self.page.limit}',
            *(order, found, name(self.page.alias)),
        )
        clauses.append(Sql("{} as materialized ({})", self.page.table, numbered))
        return Sql("with {} ", join(", ", clauses))

    def _bounds(self) -> Iterator[tuple[int, Bound | None]]:
        """Yield the ranks with pairs after the cursor, and the bound of their pairs, if any."""
        for rank in range(len(self.ranks)):
            if self.after is None or rank > self.after.rank:
                yield rank, None
            elif rank == self.after.rank:
                yield rank, self.after.bound

    def _of_rank(self, rank: int, bound: Bound | None, before: Sequence[Sql]) -> Sql:
        """Return the first pairs of one rank, given the clauses of the ranks before it."""
        pair, limit = self.tables.new_alias(), self.page.limit
        value, place, one, other = (qualified(pair, column) for column in COLUMNS)
        found = pairs(self.tables, self.ranks[rank], self.ranks[:rank], self.selection.record, bound)
        where = [] if bound is None else [bound.on_pair(pair, self.ranks[rank])]
        where += self.page.is_needed_after(before)
        return Sql(
            f"select {rank} as rank, {{}}, {{}}::text as place, {{}}, {{}} from ({{}}) {{}} where {{}}"
            f" order by {{}} limit {limit}",
            *(value, place, one, other, found, name(pair), all_of(where)),
            join(", ", (value, place, one, other)),
        )

    # ------------------------------------------------------------------------------------------------------- parts

    def _total_count(self) -> Sql:
        found = (
            Sql("select one, other from ({}) {}", pairs(self.tables, rank, record=self.selection.record), name(alias))
            for rank in self.ranks
            for alias in (self.tables.new_alias(),)
        )
        return Sql("(select count(*) from ({}) {})", join(" union ", found), name(self.tables.new_alias()))

    def _edge_part(self, part: Cursor | PairNodes | Typename, alias: str) -> Sql:
        match part:
            case Typename():
                return typename(part)
            case Cursor():
                return self._cursor(alias)
            case PairNodes():
                return Sql("({})", select_objects(self._pair(part, alias), NO_ROWS))

    def _pair(self, nodes: PairNodes, alias: str) -> Columns:
        return [(part.key, self._pair_part(part, alias)) for part in nodes.parts]

    def _pair_part(self, part: PairRecord | PairReasons | Typename, alias: str) -> Sql:
        one, other = qualified(alias, "one"), qualified(alias, "other")
        match part:
            case Typename():
                return typename(part)
            case PairReasons():
                return reasons(self.tables, self.selection.table, one, other)
            case PairRecord(is_duplicate=is_duplicate, fields=fields):
                return self.record(self.selection.table, self._id(one, other, is_duplicate=is_duplicate), fields)

    def _id(self, one: Sql, other: Sql, *, is_duplicate: bool) -> Sql:
        """Return the id of a record of a pair: the requested record is never the duplicate."""
        record = self.selection.record
        if record is None:
            return other if is_duplicate else one
        return Sql(
            "case when {} = {} then {} else {} end", one, record, *((other, one) if is_duplicate else (one, other))
        )

    def _page_info(self) -> dict[str, Sql]:
        alias = self.tables.new_alias()
        return self.page.info(alias, cursor=self._cursor(alias), has_previous=self._has_previous())

    def _has_previous(self) -> Sql:
        """Return whether there are pairs at or before the cursor. Every pair of an earlier rank is one."""
        if self.after is None:
            return Sql("false")
        found: list[Sql] = []
        for rank, evidence in enumerate(self.ranks[: self.after.rank + 1]):
            end = self.after.bound.as_end() if rank == self.after.rank else None
            pair = self.tables.new_alias()
            where = Sql("true") if end is None else end.on_pair(pair, evidence)
            before = pairs(self.tables, evidence, record=self.selection.record, bound=end)
            found.append(Sql("exists (select from ({}) {} where {})", before, name(pair), where))
        return Sql("({})", join(" or ", found))

    def _cursor(self, alias: str) -> Sql:
        position = (qualified(alias, column) for column in ("rank", *COLUMNS))
        return encoded_cursor(_fingerprint(self.selection), position)


# --------------------------------------------------------------------------------------------------------- cursors


def _fingerprint(selection: DuplicatePairs) -> str:
    return f"duplicates {selection.table} {' '.join(selection.reasons)}"


def _read_cursor(selection: DuplicatePairs, ranks: Sequence[Evidence], cursor: str) -> _Position:
    """Return the position that a cursor holds. Errors: BAD_INPUT."""
    require_cursor_length(cursor, "after")
    try:
        fingerprint, rank, value, place, one, other = orjson.loads(base64.b64decode(cursor, validate=True))
        if fingerprint == _fingerprint(selection) and type(rank) is int and 0 <= rank < len(ranks):
            of_place = UUID(place) if ranks[rank].place_type == "uuid" else _text(place)
            return _Position(rank, Bound(_text(value), of_place, UUID(one), UUID(other)))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass  # raised below: the remedy is the same for a malformed cursor and for a cursor of another list
    raise AccordError(
        ErrorCode.BAD_INPUT,
        "`after` is not a cursor of this list.",
        "Take it from `pageInfo.endCursor` or an edge's `cursor` of the same list, requested with the same `reasons`.",
    )


def _text(value: object) -> str:
    """Return a text that PostgreSQL can bind: clients can forge cursors. Errors: TypeError, ValueError."""
    if not isinstance(value, str):
        raise TypeError("not a text")
    if "\0" in value:
        raise ValueError("no text has U+0000")
    return value
