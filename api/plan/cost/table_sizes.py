"""How many rows the tables have, and how many of them a value selects, by the planner's statistics."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from api.db import ReadSession
from api.sql import Sql

# As PostgreSQL assumes of a column that was never analyzed.
_UNKNOWN_DISTINCT = 200.0
_OF_SCHEMA = "(select relnamespace from pg_class where oid = 'contact'::regclass)"
# As the planner does: the density at the last `vacuum` or `analyze`, times the present size of the file.
_ROWS = Sql(
    "select c.relname as table, case when c.reltuples >= 0 and c.relpages > 0 then c.reltuples / c.relpages * f.pages"
    " else f.pages * 60 end as rows"
    " from pg_class c, lateral (select pg_relation_size(c.oid) / current_setting('block_size')::int as pages) f"
    f" where c.relkind = 'r' and c.relnamespace = {_OF_SCHEMA}"
)
_COLUMNS = Sql(
    "select tablename as table, attname as column, n_distinct as distinct, null_frac as nulls,"
    " case when tablename = 'stage_entry' and attname = 'entered_at'"
    " then histogram_bounds::text::timestamptz[] end as bounds"
    f" from pg_stats where schemaname = (select nspname from pg_namespace where oid = {_OF_SCHEMA})"
)
_FIRST_OF_INDEXES = Sql(
    "select distinct c.relname as table, a.attname as column from pg_index i"
    " join pg_class c on c.oid = i.indrelid join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]"
    f" where i.indisvalid and c.relnamespace = {_OF_SCHEMA}"
)


@dataclass(frozen=True, slots=True)
class TableSizes:
    """Numbers of rows by table; what is known of columns, by table and column.

    `distinct` is as in `pg_stats`: a negative number is a share of the rows. `indexed` has the columns that an index
    begins with. `entries_span` are the first and last instants of stage entries, None if they are unknown.
    """

    row_counts: Mapping[str, float] = field(default_factory=dict)
    distinct: Mapping[tuple[str, str], float] = field(default_factory=dict)
    nulls: Mapping[tuple[str, str], float] = field(default_factory=dict)
    indexed: frozenset[tuple[str, str]] = frozenset()
    entries_span: tuple[datetime, datetime] | None = None

    def rows(self, table: str) -> float:
        """Return the number of rows of a table, at least 1."""
        return max(1.0, self.row_counts.get(table, 1.0))

    def distinct_values(self, table: str, column: str) -> float:
        """Return the number of values that a column has, at least 1."""
        rows = self.rows(table)
        if column == "id":
            return rows
        found = self.distinct.get((table, column), _UNKNOWN_DISTINCT)
        return max(1.0, min(rows, -found * rows if found < 0 else found))

    def null_share(self, table: str, column: str) -> float:
        """Return the share of rows without a value of the column."""
        return self.nulls.get((table, column), 0.005)

    def is_indexed(self, table: str, column: str) -> bool:
        """Return whether an index finds the rows with a value of the column."""
        return column == "id" or (table, column) in self.indexed

    def is_like(self, other: "TableSizes") -> bool:
        """Return whether estimates from both are the same for most purposes: no table has grown by a tenth."""
        if self.row_counts.keys() != other.row_counts.keys() or self.indexed != other.indexed:
            return False
        pairs = ((self.rows(table), other.rows(table)) for table in self.row_counts)
        return all(max(pair) <= 1.1 * min(pair) + 1_000 for pair in pairs)


async def read_table_sizes(session: ReadSession) -> TableSizes:
    """Return the present statistics. Three statements, which read the catalogue alone."""
    rows = {row["table"]: float(row["rows"]) for row in await session.rows(_ROWS)}
    columns = await session.rows(_COLUMNS)
    bounds = next((row["bounds"] for row in columns if row["bounds"]), None)
    return TableSizes(
        rows,
        {(row["table"], row["column"]): float(row["distinct"]) for row in columns},
        {(row["table"], row["column"]): float(row["nulls"]) for row in columns},
        frozenset((row["table"], row["column"]) for row in await session.rows(_FIRST_OF_INDEXES)),
        None if bounds is None else (bounds[0], bounds[-1]),
    )
