"""The rows of a list: all that match, those of its page, and where the page lies."""

from dataclasses import dataclass

from api.access.scoped_tables import ScopedTables, of
from api.plan.conditions import condition
from api.plan.cursors import Place, behind, cursor_of, read_cursor
from api.plan.json_objects import NO_SOURCE
from api.plan.ordering import Order, order_by, reached, total_order, turned
from api.plan.search import Words, found_in_index, has_words
from api.plan.selection import Connection, Cursor, Edges, Nodes, Page, PageInfo
from api.sql import Slot, Sql, join, name
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class Parent:
    """The row that a nested list belongs to, and the column of the list's table that names it."""

    alias: str
    column: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A connection on its way to SQL, read straight from its table or, when paged, once before it is used."""

    visits: ScopedTables
    table: str
    page: Page
    parent: Parent | None
    alias: str
    order: Order
    after: Place | None
    before: Place | None
    is_paged: bool

    @classmethod
    def of(cls, visits: ScopedTables, asked: Connection, parent: Parent | None) -> "Rows":
        """Decide how the rows are read: straight, or as a page that is read once and used in several places.

        Errors: BAD_INPUT for a cursor that is none of the list, also where only the number of all rows is asked.
        """
        order = total_order(SHAPES[asked.table], asked.page.order, asked.page.where)
        page = asked.page
        after = None if page.after is None else read_cursor(order, page.after, "after")
        before = None if page.before is None else read_cursor(order, page.before, "before")
        return cls(visits, asked.table, page, parent, visits.alias(), order, after, before, _is_paged(asked, order))

    def with_page(self) -> Sql:
        """The page as a materialised CTE, with one row more than asked (is there more?), numbered as it was read."""
        if not self.is_paged:
            return NO_SOURCE
        joins, values = reached(self.visits, self.order, self.alias)
        linked = [
            Sql(f'{{}} as "#{place}"', value)
            for place, (each, value) in enumerate(zip(self.order, values, strict=True))
            if each.links
        ]
        columns = join(", ", (Sql("{}.*", name(self.alias)), *linked))
        read = Sql("select {}{}", columns, self._between(self.alias, joins, values, self.page.size + 1))
        numbered = Sql('select *, row_number() over () as "#" from ({}) {}', read, name(self.alias))
        return Sql("with {} as materialized ({}) ", self._page_name, numbered)

    def matching(self, alias: str, *conditions: Sql, joins: Sql = NO_SOURCE) -> Sql:
        """Every row of the list, whatever its page."""
        found = list(conditions)
        if self.parent is not None:
            found.append(Sql("{} = {}", of(alias, self.parent.column), of(self.parent.alias, "id")))
        if self.page.where is not None:
            found.append(condition(self.visits, self.page.where, self.table, alias))
        if self.page.search is not None:
            found.append(self._found(alias, self.page.search))
        return self.visits.source(self.table, alias, *found, joins=joins)

    def shown(self, alias: str) -> Sql:
        """The rows of the page, in order, as the source of a select."""
        if not self.is_paged:
            return self._between(alias, *reached(self.visits, self.order, alias), self.page.size)
        row = name(alias)
        within = Sql(f'{{}}."#" <= {self.page.size}', row)
        way = " desc" if self.page.is_last else ""
        return Sql(f' from {{}} {{}} where {{}} order by {{}}."#"{way}', self._page_name, row, within, row)

    def cursor(self, alias: str) -> Sql:
        """The place of a row in the list."""
        values = (
            Sql(f'{{}}."#{place}"', name(alias)) if each.links else of(alias, each.column.name)
            for place, each in enumerate(self.order)
        )
        return cursor_of(self.order, tuple(values))

    def page_info(self) -> dict[str, Sql]:
        """Where the page lies, by member: whether there are rows before and behind it, and its ends."""
        alias = self.visits.alias()
        row, size = name(alias), self.page.size
        more = Sql(f'exists (select from {{}} {{}} where {{}}."#" > {size})', self._page_name, row, row)
        ahead, back = self._outside(turned(self.order), self.after), self._outside(self.order, self.before)
        cursor = Sql(
            f'(select {{}} from {{}} {{}} where {{}}."#" <= {size} order by {{}}."#"',
            self.cursor(alias),
            self._page_name,
            row,
            row,
            row,
        )
        ends = (Sql("{} limit 1)", cursor), Sql("{} desc limit 1)", cursor))
        is_last = self.page.is_last
        return {
            "hasNextPage": _either(back if is_last else (*back, more)),
            "hasPreviousPage": _either((*ahead, more) if is_last else ahead),
            "startCursor": ends[1 if is_last else 0],
            "endCursor": ends[0 if is_last else 1],
        }

    def _found(self, alias: str, words: Words | Slot) -> Sql:
        if self.parent is None:
            return found_in_index(self.visits, self.table, alias, words)
        return has_words(self.table, alias, words)  # of the few rows that a record has

    @property
    def _page_name(self) -> Sql:
        return name(f"{self.alias}_page")

    def _between(self, alias: str, joins: Sql, values: tuple[Sql, ...], limit: int) -> Sql:
        """So many rows between the cursors, in the order, or from its end in the opposite one."""
        bounds: list[Sql] = []
        if self.after is not None:
            bounds.append(behind(self.order, values, self.after))
        if self.before is not None:
            bounds.append(behind(turned(self.order), values, self.before))
        order = turned(self.order) if self.page.is_last else self.order
        return self.matching(alias, *bounds, joins=joins) + order_by(order, values) + Sql(f" limit {limit}")

    def _outside(self, order: Order, mark: Place | None) -> tuple[Sql, ...]:
        """Whether there are rows from a cursor on, its own among them, by an order; nothing where there is none."""
        if mark is None:
            return ()
        alias = self.visits.alias()
        joins, values = reached(self.visits, self.order, alias)
        bound = behind(order, values, mark, is_inclusive=True)
        return (Sql("exists (select{})", self.matching(alias, bound, joins=joins)),)


def _is_paged(asked: Connection, order: Order) -> bool:
    """Whether the page is needed in several places, numbered, or with values of linked records in its cursors."""
    readers = [part for part in asked.parts if isinstance(part, Nodes | Edges | PageInfo)]
    if len(readers) > 1 or any(isinstance(each, PageInfo) for each in readers):
        return True
    if asked.page.is_last:
        return bool(readers)
    edges = (each for reader in readers if isinstance(reader, Edges) for each in reader.parts)
    return any(each.links for each in order) and any(isinstance(each, Cursor) for each in edges)


def _either(conditions: tuple[Sql, ...]) -> Sql:
    return join(" or ", conditions) if conditions else Sql("false")
