"""The input of the intake: rows in temporary tables, and how they describe records.

All values are SQL expressions over the columns of a temporary table, so that a million rows are described once.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace

from api.sql import Sql, all_of, name
from schema.access.rights import Permission
from schema.base import TableShape
from schema.tables import SHAPES

# Derived from other rows, or written by the import about itself.
_DERIVED_TABLES = frozenset({"stage_entry", "import_job", "import_file", "import_count", "import_reason"})


def record_tables() -> tuple[str, ...]:
    """The tables whose records can be staged: all but hidden and derived ones, and those that only some may read."""
    return tuple(
        table
        for table, shape in SHAPES.items()
        if not shape.is_hidden and shape.permission is Permission.READ and table not in _DERIVED_TABLES
    )


@dataclass(frozen=True, slots=True)
class RejectedRow:
    """An input row that is not written, and why. `source` names the input, such as the file.

    `summary` is the reason without the row's own values, if `reason` has any. With `is_left_out`, the row is written
    without this one value.
    """

    source: str
    line: int
    column: str
    value: str
    reason: str
    summary: str = ""
    is_left_out: bool = False


Reject = Callable[[RejectedRow], None]
"""Called for every reason to reject a row; a row may have several."""


@dataclass(frozen=True, slots=True)
class RequiredValue:
    """A value that must not be null. A row without it is rejected, and `column` and `shown` are reported."""

    value: Sql
    shown: Sql
    column: str
    reason: str


@dataclass(frozen=True, slots=True)
class RequiredKey:
    """A key whose record in `table` must exist, in the database or in the staged rows; `column` is reported."""

    key: Sql
    table: str
    column: str


@dataclass(frozen=True, slots=True)
class LeftOutValue:
    """When a row does not fill a column of its record, because the cell could not be read: the record keeps its value.

    `cells` are the columns of the temporary table that `condition` tests. If `is_vital`, such a row is rejected.
    """

    column: str
    cells: frozenset[str]
    condition: Sql
    is_vital: bool = False
    label: str = ""


@dataclass(frozen=True, slots=True)
class StagedRecords:
    """The records of one table that the rows of one temporary table describe: one for every row, or for every item.

    Where several rows give the same column of a record a value, the one with the latest `since` holds, then the one
    with the highest `rank`, then the last line. The order of lines never decides for the columns in `agreed`.
    """

    table: str
    rank: int
    stage: str
    condition: Sql | None
    """Which rows describe a record; None: all."""
    items: Sql | None
    """A set-returning expression that makes several records of one row; None: one record per row."""
    key: Sql | None
    """The source's key for the record; None for tables whose rows are identified by the records they join."""
    alias: Sql | None
    """A second key by which the source knows the same record."""
    new_id: Sql | None
    """The id that the record gets if it is new; None if these rows do not create records."""
    begins: Sql | None
    """An instant by which the record existed."""
    since: Sql | None
    """The instant since which the values hold; None if they are the current ones."""
    values: dict[str, Sql]
    """By column. The value of a link is the source's key for the other record."""
    required_values: tuple[RequiredValue, ...] = ()
    required_keys: tuple[RequiredKey, ...] = ()
    left_out: tuple[LeftOutValue, ...] = ()
    agreed: tuple[str, ...] = ()
    """Columns of which a record has one value that its rows may contradict: see `agreement`."""
    priority: Sql | None = None
    """For `agreed` columns: rows with a lower number hold before others; None if all rows are equal."""
    labels: dict[str, str] = field(default_factory=dict)
    """By column: how reports name the input's cell."""
    excluded: Sql | None = None
    """Rows (of those that describe a record) whose values do not hold; None: none."""

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    def lacks(self, column: str) -> Sql | None:
        """The condition that a row does not fill the column, although the preset does; None if every row fills it."""
        return next((left_out.condition for left_out in self.left_out if left_out.column == column), None)

    @property
    def identity(self) -> tuple[Sql, ...]:
        """The source's key for the record, or its keys for the records that identify it."""
        if self.key is not None:
            return (self.key,)
        return tuple(self.values[column.name] for column in self.shape.columns if column.is_key)

    @property
    def rows(self) -> Sql:
        """The rows for a FROM clause, one per record."""
        return name(self.stage) if self.items is None else Sql("{} cross join lateral {}", name(self.stage), self.items)

    @property
    def is_described(self) -> Sql:
        """The condition under which a row describes a record: its own condition, and a complete identity."""
        identified = [Sql("{} is not null", key) for key in self.identity]
        return all_of(identified if self.condition is None else [self.condition, *identified])

    @property
    def holds(self) -> Sql:
        """The condition under which a row describes a record and its values hold."""
        return self.is_described if self.excluded is None else all_of((self.is_described, Sql("not {}", self.excluded)))


@dataclass(frozen=True, slots=True)
class StagedRows:
    """The rows of one input in a temporary table, and the records they describe.

    The table has a column `line`, which identifies a row, `left_out`, the names of its columns whose cell could not be
    read (null if there are none), and a column `key`, whose value is reported for a row that is
    rejected as a whole. `source` and `key_label` are how reports call the input and its key.
    """

    stage: str
    source: str
    key: str
    key_label: str
    records: tuple[StagedRecords, ...]

    def with_left_out(self, cells: Collection[str]) -> "StagedRows":
        """Return the same rows where only these columns have values that could not be read.

        Most imports have none, and their statements are then written without the conditions.
        """
        records = tuple(
            replace(record, left_out=tuple(value for value in record.left_out if not value.cells.isdisjoint(cells)))
            for record in self.records
        )
        return replace(self, records=records)
