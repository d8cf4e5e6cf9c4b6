"""The rows of a list in SQL: all rows that match, the rows of its page, and the position of the page."""

from dataclasses import dataclass

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.conditions import condition
from api.plan.cursors import CursorPosition, cursor_of, is_after, read_cursor
from api.plan.json_objects import NO_ROWS
from api.plan.list_arguments import Page
from api.plan.ordering import Order, join_sort_keys, order_by, reverse_order, total_order
from api.plan.search.words import Words, has_words, matches_by_index
from api.plan.selection import Connection, Cursor, Edges, Nodes, PageInfo
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

        Errors: BAD_INPUT if a cursor does not belong to this list, even if only the total count is selected.
        """
        page = connection.page
        order = total_order(SHAPES[connection.table], page.order, page.where)
        after = None if page.after is None else read_cursor(order, page.after, "after")
        before = None if page.before is None else read_cursor(order, page.before, "before")
        is_paged = _needs_page(connection, order)
        return cls(tables, connection.table, page, parent, tables.new_alias(), order, after, before, is_paged)

    def with_page(self) -> Sql:
        """Return the `with` clause of the page; empty if the page is read directly.

        It holds one row more than the page: if that row exists, there is another page.

        Shapes: -> a clause that ends with a space, to stand before the select that reads the page.
        """
        if not self.is_paged:
            return NO_ROWS
        joins, values = join_sort_keys(self.tables, self.order, self.alias, self.matching)
        linked_keys = [
            Sql(f'{{}} as "#{number}"', value)
            for number, (key, value) in enumerate(zip(self.order, values, strict=True))
            if key.is_joined
        ]
        columns = join(", ", (Sql("{}.*", name(self.alias)), *linked_keys))
        rows = Sql("select {}{}", columns, self._rows_between_cursors(self.alias, joins, values, self.page.size + 1))
        # The row number of an ordered subquery follows its order. `materialized` keeps PostgreSQL from reading the page
        # again for each reference.
        numbered = Sql('select *, row_number() over () as "#" from ({}) {}', rows, name(self.alias))
        return Sql("with {} as materialized ({}) ", self._page_name, numbered)

    def matching(self, alias: str, *conditions: Sql, joins: Sql = _NO_JOINS) -> Sql:
        """Return the `from` clause of all rows of the list, on all pages together.

        Shapes: alias, further conditions on that alias, joins for these conditions -> a ` from` clause.
        Errors: those of `condition`.
        """
        found = list(conditions)
        if self.parent is not None:
            found.append(Sql("{} = {}", qualified(alias, self.parent.column), qualified(self.parent.alias, "id")))
        if self.page.where is not None:
            found.append(condition(self.tables, self.page.where, self.table, alias))
        if self.page.search is not None:
            found.append(self._matches_search(alias, self.page.search))
        return self.tables.from_clause(self.table, alias, *found, joins=joins)

    def page_rows(self, alias: str) -> Sql:
        """Return the `from` clause of the rows of the page, in the order of the list.

        Shapes: alias -> a ` from` clause with `order by`.
        """
        if not self.is_paged:
            joins, values = join_sort_keys(self.tables, self.order, alias, self.matching)
            return self._rows_between_cursors(alias, joins, values, self.page.size)
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
        return self.matching(alias, *bounds, joins=joins) + order_by(order, values) + Sql(f" limit {limit}")

    def _exists_from(self, order: Order, position: CursorPosition | None) -> tuple[Sql, ...]:
        """Return the condition that rows exist at or after a cursor in an order; nothing without a cursor."""
        if position is None:
            return ()
        alias = self.tables.new_alias()
        joins, values = join_sort_keys(self.tables, self.order, alias, self.matching)
        bound = is_after(order, values, position, is_inclusive=True)
        return (Sql("exists (select{})", self.matching(alias, bound, joins=joins)),)


def _needs_page(connection: Connection, order: Order) -> bool:
    """Return whether the page is read more than once or numbered, or its cursors hold values from elsewhere."""
    readers = [part for part in connection.parts if isinstance(part, Nodes | Edges | PageInfo)]
    if len(readers) > 1 or any(isinstance(reader, PageInfo) for reader in readers):
        return True
    if connection.page.is_from_end:
        return bool(readers)
    edge_parts = (part for reader in readers if isinstance(reader, Edges) for part in reader.parts)
    return any(key.is_joined for key in order) and any(isinstance(part, Cursor) for part in edge_parts)


def _any_of(conditions: tuple[Sql, ...]) -> Sql:
    return join(" or ", conditions) if conditions else Sql("false")
