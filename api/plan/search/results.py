"""Search results over several tables, ranked.

A result in whose name every word of the text is a whole word has rank 0; one in whose name every word begins a word,
rank 1; one that matches only with its other searched columns, rank 2. Within a rank, results are in the order of their
tables, then of their ids. So a result keeps its position while others are added, and an index serves every rank.
"""

import base64
import binascii
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from hashlib import sha256
from uuid import UUID

import orjson

from api.access.scoped_tables import ScopedTables, qualified
from api.errors import AccordError, ErrorCode
from api.plan.composite_fields import selected_members, typename
from api.plan.json_objects import NO_ROWS, encoded_cursor, require_cursor_length, select_objects
from api.plan.search.ranked_page import RankedPage
from api.plan.search.words import Words, matches, prefixes, searched_names, whole_words
from api.plan.selection import Cursor, Field, PageInfo, ResultEdges, ResultNodes, SearchResults, TotalCount, Typename
from api.sql import Sql, all_of, converted, join, name
from schema.tables import SHAPES

# Returns a record as an object, given its table, its id and the selected fields.
RecordObject = Callable[[str, Sql, tuple[Field, ...]], Sql]

_Position = tuple[int, int, UUID]  # rank, number of the table in the selection, id
_WHOLE_WORDS, _BEGINNINGS, _OTHER_COLUMNS = _RANKS = range(3)


def search_results(tables: ScopedTables, selection: SearchResults, record: RecordObject) -> Sql:
    """Return a page of search results as an object.

    Shapes: selection -> one subquery. Errors: BAD_INPUT if the cursor does not belong to these results; NOT_ALLOWED if
    the request names a table with searched columns that the principal may not read.
    """
    results = _Results.of(tables, replace(selection, tables=_readable(tables, selection)), record)
    parts = [(part.key, results.part(part)) for part in selection.parts]
    return Sql("({}{})", results.with_page(), select_objects(parts, NO_ROWS))


def _readable(tables: ScopedTables, selection: SearchResults) -> tuple[str, ...]:
    """Return the tables to search: whoever may not read a searched column finds nothing by it. Errors: NOT_ALLOWED."""
    found: list[str] = []
    for table in selection.tables:
        searched = SHAPES[table].searched
        if selection.names_tables:
            for column in searched:
                tables.require(table, column, "searches")
        # All of them, so that the response names every field that was not searched.
        if not [column for column in searched if tables.withholds(table, column)]:
            found.append(table)
    return tuple(found)


@dataclass(frozen=True, slots=True)
class _Results:
    """The results of one search."""

    tables: ScopedTables
    selection: SearchResults
    record: RecordObject
    page: RankedPage
    after: _Position | None
    whole_words: Sql
    beginnings: Sql
    digest: Sql  # of the words, for cursors

    @classmethod
    def of(cls, tables: ScopedTables, selection: SearchResults, record: RecordObject) -> "_Results":
        """Read the cursor of the page. Errors: BAD_INPUT."""
        words, after = selection.words, None
        if selection.after is not None:
            digest, after = _read_cursor(selection, selection.after)
            words = converted(words, partial(_of_same_words, digest))
        digest_of_words = Sql("{}::text", converted(words, _digest))
        page = RankedPage(tables.new_alias(), selection.size)
        return cls(tables, selection, record, page, after, whole_words(words), prefixes(words), digest_of_words)

    def part(self, part: TotalCount | ResultNodes | ResultEdges | PageInfo | Typename) -> Sql:
        """Return a selected part of the results."""
        match part:
            case Typename():
                return typename(part)
            case TotalCount():
                return self._total_count()
            case ResultNodes():
                alias = self.tables.new_alias()
                return Sql("array(select {}{})", self._node(part, alias), self.page.rows(alias))
            case ResultEdges(parts=parts):
                alias = self.tables.new_alias()
                edge = [(own.key, self._edge_part(own, alias)) for own in parts]
                return Sql("array({})", select_objects(edge, self.page.rows(alias)))
            case PageInfo(parts=parts):
                return Sql("({})", select_objects(selected_members(parts, self._page_info()), NO_ROWS))

    # -------------------------------------------------------------------------------------------------------- page

    def with_page(self) -> Sql:
        """Return the `with` clause of the page; empty if no part reads it.

        It holds one row more than the page. Results of a rank are read only if those of the ranks before do not fill
        the page: nearly every record may match the first letter of a word.

        Shapes: -> a clause that ends with a space. Columns: rank, kind (the number of the table), id, and `"#"`, the
        number of the result in the page.
        """
        if all(isinstance(part, TotalCount | Typename) for part in self.selection.parts):
            return NO_ROWS
        ranks: list[Sql] = []
        clauses: list[Sql] = []
        for rank in _RANKS:
            branches = [self._branch(ranks, *branch) for branch in self._branches() if branch[0] == rank]
            if branches:
                ranks.append(self.page.rank(rank))
                clauses.append(Sql("{} as materialized ({})", ranks[-1], join(" union all ", branches)))
        found = join(" union all ", (Sql("select * from {}", rank) for rank in ranks))
        # The limit is part of the text, as in a list.
        numbered = Sql(
            'select *, row_number() over (order by rank, kind, id) as "#" from ({}) {} order by 4'
            f" limit {self.page.limit}",
            found,
            name(self.page.alias),
        )
        clauses.append(Sql("{} as materialized ({})", self.page.table, numbered))
        return Sql("with {} ", join(", ", clauses))

    def _branches(self, *, is_before: bool = False) -> Iterator[tuple[int, int, Sql | None]]:
        """Yield rank and number of the tables with results after the cursor, and the bound of their ids, if any.

        With `is_before`, of those with results before it or at it.
        """
        for rank, number in _lists(self.selection.tables):
            if self.after is None:
                yield rank, number, None
            elif (rank, number) == self.after[:2]:
                yield rank, number, Sql("<= {}" if is_before else "> {}", self.after[2])
            elif is_before == ((rank, number) < self.after[:2]):
                yield rank, number, None

    def _branch(self, ranks: Sequence[Sql], rank: int, number: int, bound: Sql | None) -> Sql:
        """Return the first results of one rank and table, given the ranks before."""
        alias, limit = self.tables.new_alias(), self.page.limit
        is_needed = self.page.is_needed_after(ranks)
        found = self._found(rank, self.selection.tables[number], alias, bound, *is_needed)
        id_ = qualified(alias, "id")
        return Sql(f"(select {rank} as rank, {number} as kind, {{}}{{}} order by {{}} limit {limit})", id_, found, id_)

    def _found(self, rank: int, table: str, alias: str, bound: Sql | None, *conditions: Sql) -> Sql:
        """Return the ` from` clause of the ids of all results of one rank and table that meet the conditions."""
        names, begun = searched_names(table), self.beginnings
        # `offset 0` keeps PostgreSQL from walking along the ids and testing every record, as in a list. Which of the
        # matches are in an earlier rank is looked up in a hash of their ids, because the text of a row would have to be
        # split into words again.
        earlier = None
        if rank == _WHOLE_WORDS:
            matching = self._ids(table, names, self.whole_words)
        elif rank == _BEGINNINGS:
            matching, earlier = self._ids(table, names, begun), self._ids(table, names, self.whole_words)
        else:
            matching, earlier = self._ids(table, SHAPES[table].searched, begun), self._ids(table, names, begun)
        id_ = qualified(alias, "id")
        where = [*conditions] if earlier is None else [*conditions, Sql("{} not in ({})", id_, earlier)]
        if bound is not None:
            where.append(Sql("{} {}", id_, bound))
        clause = Sql(" from ({}) {}", matching, name(alias))
        return clause + Sql(" where {}", all_of(where)) if where else clause

    def _ids(self, table: str, columns: tuple[str, ...], query: Sql) -> Sql:
        alias = self.tables.new_alias()
        rows = self.tables.from_clause(table, alias, matches(columns, alias, query))
        return Sql("select {}{} offset 0", qualified(alias, "id"), rows)

    # ------------------------------------------------------------------------------------------------------- parts

    def _total_count(self) -> Sql:
        counts: list[Sql] = []
        for table in self.selection.tables:
            alias = self.tables.new_alias()
            found = self.tables.from_clause(table, alias, matches(SHAPES[table].searched, alias, self.beginnings))
            counts.append(Sql("(select count(*){})", found))
        return join(" + ", counts)

    def _edge_part(self, part: Cursor | ResultNodes | Typename, alias: str) -> Sql:
        match part:
            case Typename():
                return typename(part)
            case Cursor():
                return self._cursor(alias)
            case ResultNodes():
                return self._node(part, alias)

    def _node(self, nodes: ResultNodes, alias: str) -> Sql:
        # Every branch is JSON: the objects of different tables have different row types, and an array needs one.
        branches = (
            Sql(
                f"when {self.selection.tables.index(table)} then to_json({{}})",
                self.record(table, qualified(alias, "id"), fields),
            )
            for table, fields in nodes.fields
            if table in self.selection.tables
        )
        return Sql("case {} {} end", qualified(alias, "kind"), join(" ", branches))

    def _page_info(self) -> dict[str, Sql]:
        alias = self.tables.new_alias()
        return self.page.info(alias, cursor=self._cursor(alias), has_previous=self._has_previous())

    def _has_previous(self) -> Sql:
        """Return whether there are results at or before the cursor."""
        if self.after is None:
            return Sql("false")
        found = (
            self._found(rank, self.selection.tables[number], self.tables.new_alias(), bound)
            for rank, number, bound in self._branches(is_before=True)
        )
        return Sql("({})", join(" or ", (Sql("exists (select{})", rows) for rows in found)))

    def _cursor(self, alias: str) -> Sql:
        position = (qualified(alias, column) for column in ("rank", "kind", "id"))
        return encoded_cursor(_fingerprint(self.selection), (self.digest, *position))


def _lists(tables: Sequence[str]) -> list[tuple[int, int]]:
    """Return rank and number of the tables in order, without the last rank of a table that has only names to search."""
    return [
        (rank, number)
        for rank in _RANKS
        for number, table in enumerate(tables)
        if rank != _OTHER_COLUMNS or SHAPES[table].searched != searched_names(table)
    ]


# --------------------------------------------------------------------------------------------------------- cursors


def _fingerprint(selection: SearchResults) -> str:
    return f"search {' '.join(selection.tables)}"


def _digest(words: Words) -> str:
    return sha256(" ".join(words).lower().encode()).hexdigest()[:16]


def _read_cursor(selection: SearchResults, cursor: str) -> tuple[str, _Position]:
    """Return the digest of the words that a cursor belongs to, and its position. Errors: BAD_INPUT."""
    require_cursor_length(cursor, "after")
    try:
        fingerprint, digest, rank, number, id_ = orjson.loads(base64.b64decode(cursor, validate=True))
        if fingerprint == _fingerprint(selection) and (rank, number) in _lists(selection.tables):
            return str(digest), (rank, number, UUID(id_))
    except (binascii.Error, ValueError, TypeError, AttributeError):
        pass  # raised below: the remedy is the same for a malformed cursor and for a cursor of another search
    raise _foreign_cursor()


def _of_same_words(digest: str, words: Words) -> Words:
    """Return the words. Errors: BAD_INPUT if the cursor belongs to other words."""
    if _digest(words) != digest:
        raise _foreign_cursor()
    return words


def _foreign_cursor() -> AccordError:
    return AccordError(
        ErrorCode.BAD_INPUT,
        "`after` is not a cursor of this search.",
        "Take it from `pageInfo.endCursor` or an edge's `cursor` of a search with the same `text` and `types`.",
    )
