"""The rows of a list: all that match, those of its page, and where the page lies."""

from dataclasses import dataclass

from api.plan.conditions import condition
from api.plan.keyset import Sorted, behind, cursor_of, order_by, total_order
from api.plan.objects import NO_SOURCE
from api.plan.selection import Connection, Edges, Nodes, Page, PageInfo
from api.plan.visits import Visits, of
from api.sql import Sql, name
from schema.tables import SHAPES


@dataclass(frozen=True, slots=True)
class Parent:
    """The row that a nested list belongs to, and the column of the list's table that names it."""

    alias: str
    column: str


@dataclass(frozen=True, slots=True)
class Rows:
    """A connection on its way to SQL, read straight from its table or, when paged, once before it is used."""

    visits: Visits
    table: str
    page: Page
    parent: Parent | None
    alias: str
    order: tuple[Sorted, ...]
    is_paged: bool

    @classmethod
    def of(cls, visits: Visits, asked: Connection, parent: Parent | None) -> "Rows":
        """Decide how the rows are read: straight, or as a page that is read once and used in several places."""
        readers = [part for part in asked.parts if isinstance(part, Nodes | Edges | PageInfo)]
        is_paged = len(readers) > 1 or any(isinstance(part, PageInfo) for part in readers)
        order = total_order(SHAPES[asked.table], asked.page.order)
        return cls(visits, asked.table, asked.page, parent, visits.alias(), order, is_paged)

    def before(self) -> Sql:
        """The page as a materialised CTE, with one row more than asked (is there a next page?), in its order."""
        if not self.is_paged:
            return NO_SOURCE
        read = Sql("select *{}", self._behind_cursor(self.alias, self.page.first + 1))
        numbered = Sql('select *, row_number() over () as "#" from ({}) {}', read, name(self.alias))
        return Sql("with {} as materialized ({}) ", self._page_name, numbered)

    def matching(self, alias: str, *conditions: Sql) -> Sql:
        """Every row of the list, whatever its page."""
        found = list(conditions)
        if self.parent is not None:
            found.append(Sql("{} = {}", of(alias, self.parent.column), of(self.parent.alias, "id")))
        if self.page.where is not None:
            found.append(condition(self.page.where, name(alias)))
        return self.visits.source(self.table, alias, *found)

    def shown(self, alias: str) -> Sql:
        """The rows of the page, in order, as the source of a select."""
        if not self.is_paged:
            return self._behind_cursor(alias, self.page.first)
        row = name(alias)
        within = Sql(f'{{}}."#" <= {self.page.first}', row)
        return Sql(' from {} {} where {} order by {}."#"', self._page_name, row, within, row)

    def cursor(self, alias: str) -> Sql:
        """The place of a row in the list."""
        return cursor_of(self.order, name(alias))

    def page_info(self) -> dict[str, Sql]:
        """Where the page lies, by member."""
        row, first = name(self.visits.alias()), self.page.first
        cursor = Sql(
            f'(select {{}} from {{}} {{}} where {{}}."#" <= {first}',
            cursor_of(self.order, row),
            self._page_name,
            row,
            row,
        )
        return {
            "hasNextPage": Sql(f'exists (select from {{}} {{}} where {{}}."#" > {first})', self._page_name, row, row),
            "hasPreviousPage": Sql("true" if self.page.after is not None else "false"),
            "startCursor": Sql('{} order by {}."#" limit 1)', cursor, row),
            "endCursor": Sql('{} order by {}."#" desc limit 1)', cursor, row),
        }

    @property
    def _page_name(self) -> Sql:
        return name(f"{self.alias}_page")

    def _behind_cursor(self, alias: str, limit: int) -> Sql:
        row = name(alias)
        after = [] if self.page.after is None else [behind(self.order, self.page.after, row)]
        return self.matching(alias, *after) + order_by(self.order, row) + Sql(f" limit {limit}")
