"""The rows of a list in SQL: all rows that match, the rows of its page, and the position of the page."""

from dataclasses import dataclass, replace

from api.access.evaluation import evaluation_of
from api.access.scoped_tables import ScopedTables, qualified
from api.plan.conditions import compare, condition, present_stage_join, split_converted, split_present_stage
from api.plan.cursors import CursorPosition, cursor_of, is_after, read_cursor
from api.plan.json_objects import NO_ROWS
from api.plan.list_arguments import Conjunction, ListAggregate, Negation, Page, PresentStageCondition
from api.plan.money.converted_amounts import join_rates
from api.plan.ordering import Order, join_sort_keys, order_by, reverse_order, sorted_columns, total_order
from api.plan.search.words import Words, has_words, matches_by_index
from api.plan.selection import Connection, Cursor, Edges, Nodes, PageInfo, Typename
from api.sql import Parameter, Sql, join, name
from schema.tables import SHAPES

_NO_JOINS = Sql("")


@dataclass(frozen=True, slots=True)
class ParentRow:
    """The row that a nested list belongs to, and the foreign key of the list's table that names it."""

    alias: str
    column: str


@dataclass(frozen=True, slots=True)
class ListRows:
    """The rows of one connection.

    They are read directly from the table. If the page is needed more than once, it is read once into a common table
    expression (`is_paged`), with two columns of its own: `"#"`, the number of the row in the page, and `"#<n>"`, the
    sort key n, of a linked record or computed.
    """

    tables: ScopedTables
    table: str
    page: Page
    parent: ParentRow | None
    alias: str
    order: Order
    after: CursorPosition | None
    before: CursorPosition | None
    is_paged: bool

    @classmethod
    def of(cls, tables: ScopedTables, connection: Connection, parent: ParentRow | None) -> "ListRows":
        """Read the arguments of a list, and decide whether its page needs a common table expression.

        Errors: BAD_INPUT if a cursor does not belong to this list, and NOT_ALLOWED for a filter, an order or a search
        by a field that the principal may not read, even if only the total count is selected.
        """
        page = connection.page
        _require_arguments(tables, connection)
        order = total_order(SHAPES[connection.table], page.order, page.where)
        after = None if page.after is None else read_cursor(order, page.after, "after")
        before = None if page.before is None else read_cursor(order, page.before, "before")
        is_paged = _needs_page(connection, order) or _is_sorted_by_stage(tables, order)
        return cls(tables, connection.table, page, parent, tables.new_alias(), order, after, before, is_paged)

    def with_page(self) -> Sql:
        """Return the `with` clause of the page; empty if the page is read directly.

        It holds one row more than the page: if that row exists, there is another page.

        Shapes: -> a clause that ends with a space, to stand before the select that reads the page.
        """
        if not self.is_paged:
            return NO_ROWS
        size = self.page.size + 1
        first, *others = (part.select_page(self.order, size) for part in self.parts())
        if not others:
            return Sql("with {} as materialized ({}) ", self._page_name, _numbered(first, self.alias))
        [second], first_name = others, name(f"{self.alias}_first")
        # With a limit of 0, PostgreSQL does not even begin to read the second part.
        missing = Sql(f"greatest(0, {size} - (select count(*) from {{}}))", first_name)
        rest = Sql("select * from ({}) {} limit {}", second, name(self.alias), missing)
        return Sql(
            "with {} as materialized ({}), {} as materialized (select * from {} union all {}) ",
            first_name,
            _numbered(first, self.alias),
            self._page_name,
            first_name,
            _numbered(rest, self.alias, Sql(" + (select count(*) from {})", first_name)),
        )

    def matching(self, alias: str, *conditions: Sql, joins: Sql = _NO_JOINS) -> Sql:
        """Return the `from` clause of all rows of the list, on all pages together.

        Amounts that the filter compares in the reporting currency are converted together, with rates that are joined.

        Shapes: alias, further conditions on that alias, joins for these conditions -> a ` from` clause.
        Errors: those of `condition`.
        """
        compared, where = split_converted(self.page.where)
        candidates = replace(self, page=replace(self.page, where=where))
        found, amounts = list(conditions), dict[str, Sql]()
        for comparison in compared:
            if comparison.column not in amounts:
                rates, amount = join_rates(self.tables, self.table, comparison.column, alias, candidates.row_by_row)
                joins += Sql(" left join {}", rates)
                amounts[comparison.column] = amount
            found.append(compare(comparison.operator, comparison.value, amounts[comparison.column]))
        return candidates.row_by_row(alias, *found, joins=joins)

    def row_by_row(self, alias: str, *conditions: Sql, joins: Sql = _NO_JOINS) -> Sql:
        """Return the rows of `matching`, but look the rate of an amount up for the row: best if few rows are read."""
        found = list(conditions)
        if self.parent is not None:
            found.append(self.tables.refers_to(self.table, self.parent.column, alias, self.parent.alias))
        if self.page.where is not None:
            found.append(condition(self.tables, self.page.where, self.table, alias))
        if self.page.search is not None:
            found.append(self._matches_search(alias, self.page.search))
        return self.tables.from_clause(
            self.table,
            alias,
            *found,
            joins=joins,
            with_merged=self.page.with_merged,
            evaluation=evaluation_of(self.page.reading),
        )

    def page_rows(self, alias: str) -> Sql:
        """Return the `from` clause of the rows of the page, in the order of the list.

        Shapes: alias -> a ` from` clause with `order by`.
        """
        if not self.is_paged:
            return self._rows_between_cursors(alias, *self._join(alias), self.page.size)
        row = name(alias)
        is_shown = Sql(f'{{}}."#" <= {self.page.size}', row)
        # A page from the end was read in reverse order.
        direction = " desc" if self.page.is_from_end else ""
        return Sql(f' from {{}} {{}} where {{}} order by {{}}."#"{direction}', self._page_name, row, is_shown, row)

    def cursor(self, alias: str) -> Sql:
        """Return the cursor of a row. Sort keys from outside of the table come from the columns of the page.

        Shapes: alias of a row of the page -> a text expression.
        """
        values = (
            Sql(f'{{}}."#{number}"', name(alias)) if key.is_joined else qualified(alias, key.column.name)
            for number, key in enumerate(self.order)
        )
        return cursor_of(self.order, tuple(values))

    def page_info(self) -> dict[str, Sql]:
        """Return the page information, by the name of its members. It needs `is_paged`.

        The page knows whether rows follow it in the direction in which it was read: it holds one row more. In the other
        direction rows are known to exist only at or beyond the cursor, which costs one more index lookup.

        Shapes: -> two boolean and two text expressions.
        """
        alias = self.tables.new_alias()
        row, size = name(alias), self.page.size
        has_more = Sql(f'exists (select from {{}} {{}} where {{}}."#" > {size})', self._page_name, row, row)
        before_page = self._exists_from(reverse_order(self.order), self.after)
        after_page = self._exists_from(self.order, self.before)
        cursor = Sql(
            f'(select {{}} from {{}} {{}} where {{}}."#" <= {size} order by {{}}."#"',
            self.cursor(alias),
            self._page_name,
            row,
            row,
            row,
        )
        first_read, last_read = Sql("{} limit 1)", cursor), Sql("{} desc limit 1)", cursor)
        is_from_end = self.page.is_from_end
        return {
            "hasNextPage": _any_of(after_page if is_from_end else (*after_page, has_more)),
            "hasPreviousPage": _any_of((*before_page, has_more) if is_from_end else before_page),
            "startCursor": last_read if is_from_end else first_read,
            "endCursor": first_read if is_from_end else last_read,
        }

    def _matches_search(self, alias: str, words: Words | Parameter) -> Sql:
        if self.parent is None:
            return matches_by_index(self.tables, self.table, alias, words)
        # A nested list has few rows per parent: testing them directly takes less time than reading all matches.
        return has_words(self.table, alias, words)

    @property
    def _page_name(self) -> Sql:
        return name(f"{self.alias}_page")

    def _rows_between_cursors(self, alias: str, joins: Sql, values: tuple[Sql, ...], limit: int) -> Sql:
        """Return the `from` clause of the first `limit` rows between the cursors; of the last, in reverse order."""
        bounds: list[Sql] = []
        if self.after is not None:
            bounds.append(is_after(self.order, values, self.after))
        if self.before is not None:
            bounds.append(is_after(reverse_order(self.order), values, self.before))
        order = reverse_order(self.order) if self.page.is_from_end else self.order
        # The limit is part of the text, not a parameter: with a parameter, a generic plan assumes a tenth of the rows.
        return self._joined_rows(alias, *bounds, joins=joins) + order_by(order, values) + Sql(f" limit {limit}")

    def _join(self, alias: str) -> tuple[Sql, tuple[Sql, ...]]:
        """Return the joins that a page needs, and the values of its sort keys.

        A condition on the present stage is an inner join here. So PostgreSQL can begin with the entries, and read them
        in the order of the list from an index.
        """
        stage, _ = split_present_stage(self.page.where)
        if stage is None:
            return join_sort_keys(self.tables, self.order, alias, self.matching)
        entry = self.tables.new_alias()
        joins, values = join_sort_keys(self.tables, self.order, alias, self.matching, entry)
        return present_stage_join(self.tables, stage, alias, entry) + joins, values

    def select_page(self, keys: Order, limit: int) -> Sql:
        """Return the select of the rows between the cursors, with those of the keys that are joined as columns.

        A key that these rows are not sorted by is one of the present stage, and null in all of them.
        """
        joins, values = self._join(self.alias)
        own = {key.path: value for key, value in zip(self.order, values, strict=True)}
        joined = (
            Sql(f'{{}} as "#{number}"', own.get(key.path) or Sql("(null::stage_entry).{}", name(key.column.name)))
            for number, key in enumerate(keys)
            if key.is_joined
        )
        columns = join(", ", (Sql("{}.*", name(self.alias)), *joined))
        return Sql("select {}{}", columns, self._rows_between_cursors(self.alias, joins, values, limit))

    def parts(self) -> tuple["ListRows", ...]:
        """Return the parts of the list to read in turn: if it is sorted by stage, the rows with and those without one.

        PostgreSQL reads each part in the order of an index and stops when the page is full. All rows together it would
        have to sort: no index has the rows without a stage in its order. At least one part is returned.
        """
        if not _is_sorted_by_stage(self.tables, self.order):
            return (self,)
        where = () if self.page.where is None else (self.page.where,)
        with_stage = self._part(Conjunction((*where, PresentStageCondition())), has_stage=True)
        without = self._part(Conjunction((*where, Negation(PresentStageCondition()))), has_stage=False)
        ordered = (without, with_stage) if self.order[0].has_nulls_first else (with_stage, without)
        # A cursor lies in one of the parts; it leaves nothing, or everything, of the other one.
        found = list(ordered)
        for position, gone in ((self.after, ordered[0]), (self.before, ordered[1])):
            is_in = with_stage if position is not None and position[0] is not None else without
            if position is not None and is_in is not gone and gone in found:
                found.remove(gone)
        return tuple(reversed(found) if self.page.is_from_end else found)

    def _part(self, where: Conjunction, *, has_stage: bool) -> "ListRows":
        """Return the rows that satisfy a filter, which decides whether they have a stage."""
        kept = [number for number, key in enumerate(self.order) if has_stage or not key.is_present_stage]

        def own(position: CursorPosition | None) -> CursorPosition | None:
            is_here = position is not None and (position[0] is not None) is has_stage
            return tuple(position[number] for number in kept) if position is not None and is_here else None

        order = tuple(
            replace(key, is_never_null=True, has_nulls_first=False) if key.is_present_stage else key
            for key in (self.order[number] for number in kept)
        )
        page = replace(self.page, where=where)
        return replace(self, page=page, order=order, after=own(self.after), before=own(self.before))

    def _exists_from(self, order: Order, position: CursorPosition | None) -> tuple[Sql, ...]:
        """Return the conditions that rows exist at or after a cursor in an order, one of which has to hold.

        None without a cursor.
        """
        if position is None:
            return ()
        page = replace(self.page, is_from_end=False)
        rows = replace(self, page=page, order=order, after=position, before=None)
        return tuple(part.exists_any() for part in rows.parts())

    def exists_any(self) -> Sql:
        """Return the condition that rows exist at or after the cursor `after`."""
        alias = self.tables.new_alias()
        joins, values = self._join(alias)
        bounds = () if self.after is None else (is_after(self.order, values, self.after, is_inclusive=True),)
        return Sql("exists (select{})", self._joined_rows(alias, *bounds, joins=joins))

    def _joined_rows(self, alias: str, *conditions: Sql, joins: Sql) -> Sql:
        """Return the `from` clause of the rows with the joins of `_join`, which stand for a part of the filter."""
        _, where = split_present_stage(self.page.where)
        rows = replace(self, page=replace(self.page, where=where))
        # In the order of an index, such as that of the ids, PostgreSQL stops reading when the page is full.
        find = rows.row_by_row if len(self.order) == 1 else rows.matching
        return find(alias, *conditions, joins=joins)


def _require_arguments(tables: ScopedTables, connection: Connection) -> None:
    """Require that the principal may read the fields that the arguments of a list name. Errors: NOT_ALLOWED.

    `condition` does so for the filter. Filters that the statement will not contain are compiled here, and thrown away.
    """
    page, shape, unread = connection.page, SHAPES[connection.table], ScopedTables(tables.principal)
    for table, column in sorted_columns(shape, page.order):
        tables.require(table, column, "sorts by")
    for column in () if page.search is None else shape.searched:
        tables.require(shape.name, column, "searches")
    for term in page.order:
        if isinstance(term.by, ListAggregate) and term.by.where is not None:
            condition(unread, term.by.where, term.by.table, unread.new_alias())
    if page.where is not None and all(isinstance(part, Typename) for part in connection.parts):
        condition(unread, page.where, shape.name, unread.new_alias())


def _needs_page(connection: Connection, order: Order) -> bool:
    """Return whether the page is read more than once or numbered, or its cursors hold values from elsewhere."""
    readers = [part for part in connection.parts if isinstance(part, Nodes | Edges | PageInfo)]
    if len(readers) > 1 or any(isinstance(reader, PageInfo) for reader in readers):
        return True
    if connection.page.is_from_end:
        return bool(readers)
    edge_parts = (part for reader in readers if isinstance(reader, Edges) for part in reader.parts)
    return any(key.is_joined for key in order) and any(isinstance(part, Cursor) for part in edge_parts)


def _is_sorted_by_stage(tables: ScopedTables, order: Order) -> bool:
    """Return whether the list is sorted by the present stage first, and has rows with and without one.

    As of an instant there is no index to gain from.
    """
    return order[0].is_present_stage and order[0].is_nullable and tables.instant is None


def _numbered(rows: Sql, alias: str, offset: Sql = NO_ROWS) -> Sql:
    """Return a select of the rows with their number as `"#"`: it follows the order of an ordered subquery."""
    return Sql('select *, row_number() over (){} as "#" from ({}) {}', offset, rows, name(alias))


def _any_of(conditions: tuple[Sql, ...]) -> Sql:
    return join(" or ", conditions) if conditions else Sql("false")
