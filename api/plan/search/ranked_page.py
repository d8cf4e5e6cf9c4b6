"""The page of a ranked list: its rows are found rank by rank, and numbered in a common table of the statement."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.sql import Sql, join, name


@dataclass(frozen=True, slots=True)
class RankedPage:
    """The names of the parts that a page is made of, and what is read of it.

    The common table `table` holds one row more than the page has. Its column `"#"` numbers the rows.
    """

    alias: str
    size: int

    @property
    def table(self) -> Sql:
        """Return the name of the common table."""
        return name(f"{self.alias}_page")

    @property
    def limit(self) -> int:
        """Return how many rows of a rank are read at most: one more shows that there is another page."""
        return self.size + 1

    def rank(self, number: int) -> Sql:
        """Return the name of the common table of a rank's first rows."""
        return name(f"{self.alias}_rank{number}")

    def is_needed_after(self, ranks: Sequence[Sql]) -> list[Sql]:
        """Return the condition that the rows of earlier ranks do not fill the page; nothing for the first rank."""
        if not ranks:
            return []
        found = join(" + ", (Sql("(select count(*) from {})", rank) for rank in ranks))
        return [Sql(f"{{}} < {self.limit}", found)]

    def rows(self, alias: str) -> Sql:
        """Return the ` from` clause of the rows of the page, in their order."""
        row = name(alias)
        return Sql(f' from {{}} {{}} where {{}}."#" <= {self.size} order by {{}}."#"', self.table, row, row, row)

    def info(self, alias: str, *, cursor: Sql, has_previous: Sql) -> dict[str, Sql]:
        """Return the members of `PageInfo`, given the cursor of the row `alias`."""
        row = name(alias)
        first, last = (Sql(f"(select {{}}{{}}{end} limit 1)", cursor, self.rows(alias)) for end in ("", " desc"))
        return {
            "hasNextPage": Sql(f'exists (select from {{}} {{}} where {{}}."#" > {self.size})', self.table, row, row),
            "hasPreviousPage": has_previous,
            "startCursor": first,
            "endCursor": last,
        }
