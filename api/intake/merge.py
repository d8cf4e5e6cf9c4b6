"""Merges staged rows into one row per record: a temporary table per table, compared with the database.

Its columns are `id` (for tables that have one), the merged value of every column that the rows fill, and

- `begins`      the earliest date that proves the record existed
- `is_new`      the database does not have the record
- `is_changed`  a current value differs from the database's
- `is_earlier`  the record existed before the assumed beginning in the database
- `dated_…`     for every column that can have dated values: this record's rows date it, so `dated_history` writes it
- `closes_…`    for every column that sources write when they close a record (`overwritten_at`, `finalized_at`): the
                rows give the value together with a closing that the database does not have, so it holds since then
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from api.db import WriteSession
from api.intake.column_sql import default_of, sql_type
from api.intake.external_keys import external_key_join
from api.intake.staged import StagedRecords, StagedRows
from api.intake.staged_merges import MERGES
from api.intake.survivor_links import is_merged_by_hand, is_taken, linked_record, taken_columns_join
from api.sql import Sql, join, name
from schema.base import ColumnShape, TableShape
from schema.history import version_name
from schema.tables import METADATA, SHAPES

_NOT_IN_HISTORY = frozenset({"deleted_at"})
_NO_INSTANT = Sql("null::timestamptz")
# A deletion of an unknown date, which becomes the instant of the first import that has it. PostgreSQL's infinity.
AT_IMPORT = datetime.max  # noqa: DTZ901 - asyncpg's value for it has no time zone


@dataclass(frozen=True, slots=True)
class RecordLifecycle:
    """The columns that date a record's beginning and end, and the columns whose values hold only since its end."""

    opened: str
    closed: str
    set_when_closed: tuple[str, ...]


# A deal is open until its closing date, whether or not the source has a history of it.
LIFECYCLES = {"deal": RecordLifecycle("opened_at", "closed_at", ("outcome", "closed_at", "lost_reason"))}


@dataclass(frozen=True, slots=True)
class MergeTable:
    """All staged records of one table, merged. `source` is whose keys they have.

    If `is_shared`, other sources fill the table, too. Of a record that two sources know, an empty value of one does not
    empty what the other may have given.
    """

    table: str
    source: str
    staged: tuple[StagedRecords, ...]
    is_shared: bool = False

    @property
    def shape(self) -> TableShape:
        """The table's declaration."""
        return SHAPES[self.table]

    @property
    def stage(self) -> str:
        """The name of the temporary table."""
        return f"merge_{self.table}"

    @property
    def columns(self) -> tuple[ColumnShape, ...]:
        """The columns that the rows fill."""
        names = dict.fromkeys(column for records in self.staged for column in records.values)
        return tuple(self.shape.column(column) for column in names)

    @property
    def keys(self) -> tuple[str, ...]:
        """The columns of the primary key."""
        return tuple(column.name for column in self.shape.columns if column.is_key)

    @property
    def lifecycle(self) -> RecordLifecycle | None:
        """The table's lifecycle, if the rows fill its end; else None."""
        lifecycle, filled = LIFECYCLES.get(self.table), {column.name for column in self.columns}
        needed = set() if lifecycle is None else {lifecycle.closed, *lifecycle.set_when_closed[:1]}
        return lifecycle if needed <= filled else None

    @property
    def dated_records(self) -> tuple[StagedRecords, ...]:
        """The staged records whose values hold since a date."""
        return tuple(records for records in self.staged if records.since is not None)

    @property
    def dated(self) -> tuple[ColumnShape, ...]:
        """The columns whose values may come with a date."""
        names = {column for records in self.dated_records for column in records.values} - _NOT_IN_HISTORY
        names |= set(self.lifecycle.set_when_closed) if self.lifecycle else set()
        names |= {column.name for column in self.closing}
        return tuple(column for column in self.columns if column.name in names)

    @property
    def closing(self) -> tuple[ColumnShape, ...]:
        """The columns that sources write at the record's end: their values may have come with it."""
        if self.lifecycle is None:
            return ()
        closed = self.lifecycle.closed
        return tuple(it for it in self.columns if closed in (it.note.overwritten_at, it.note.finalized_at))

    @property
    def changeable(self) -> tuple[ColumnShape, ...]:
        """The columns whose values may change."""
        return tuple(column for column in self.columns if not column.is_key)


def merge_tables(inputs: Sequence[StagedRows], source: str, shared: Collection[str] = ()) -> tuple[MergeTable, ...]:
    """Group the staged records by table, in an order in which links find their targets. Others fill `shared` tables."""
    staged = [records for rows in inputs for records in rows.records]
    tables = {records.table for records in staged}
    return tuple(
        MergeTable(
            str(built.name),
            source,
            tuple(records for records in staged if records.table == built.name),
            is_shared=built.name in shared,
        )
        for built in METADATA.sorted_tables
        if built.name in tables
    )


async def merge_staged(session: WriteSession, merge: MergeTable) -> None:
    """Create and fill the temporary table. External keys must be registered, and linked records written, before."""
    columns = ["id uuid"] if merge.shape.has_id else []
    columns += [f"{column.name} {sql_type(merge.table, column.name)}" for column in merge.columns]
    columns += ["begins timestamptz", "is_new boolean", "is_changed boolean", "is_earlier boolean"]
    columns += [f"dated_{column.name} boolean" for column in merge.dated]
    columns += [f"closes_{column.name} boolean" for column in merge.closing]
    await session.script(f"create temporary table {merge.stage} ({', '.join(columns)}) on commit drop")
    # Kept in a table, not repeated as a subquery: several later statements read it, and need its statistics.
    await session.run(Sql("insert into {} {}", name(merge.stage), _comparison(merge)))
    await session.script(f"analyze {merge.stage}")


async def count_unused_rows(session: WriteSession, rows: StagedRows) -> int:
    """Count the staged rows that describe no record; 0 for an input that only others look up."""
    if not rows.records or any(records.condition is None and records.items is None for records in rows.records):
        return 0
    used = join(
        " union all ",
        (Sql("select line from {} where {}", records.rows, records.is_described) for records in rows.records),
    )
    return int(
        await session.value(
            Sql("select (select count(*) from {}) - count(distinct line) from ({}) used", name(rows.stage), used)
        )
    )


def current_value(merge: MergeTable, column: ColumnShape, is_dated: Sql, value: Sql) -> Sql:
    """What to set a column to (`t` is the record). A dated value stays as it is here: `dated_history` writes it."""
    if column not in merge.dated:
        return value
    return Sql("case when {} then t.{} else {} end", is_dated, name(column.name), value)


def first_version(merge: MergeTable, selected: Sql, record: Sql) -> Sql:
    """The first version (`f`) of a record that held for any time; a replaced one is an empty interval."""
    return Sql(
        "select {} from {} f where f.{} = {} and (f.valid_from = f.valid_to) is not true"
        " order by coalesce(f.valid_from, f.recorded_at), f.id limit 1",
        *(selected, name(version_name(merge.table)), name(f"{merge.table}_id"), record),
    )


def with_record_ids(merge: MergeTable, records: StagedRecords) -> Sql:
    """The rows joined with their records: `i0.record_id`, and `i1.record_id` … where a record has several keys."""
    # An inner join loses no row: keys without a record were rejected before (`dangling_keys`).
    targets = [merge.table] if merge.shape.has_id else [_target(merge, key) for key in merge.keys]
    found = records.rows
    for number, (target, key) in enumerate(zip(targets, records.identity, strict=True)):
        found = Sql("{} join {}", found, external_key_join(f"i{number}", target, merge.source, key))
    return found


def _target(merge: MergeTable, column: str) -> str:
    link = merge.shape.column(column).link
    if link is None:
        raise TypeError(f"{merge.table}.{column} is part of the primary key and no link")
    return link.target


def _comparison(merge: MergeTable) -> Sql:
    """One row per record: its merged values, and how they differ from those in the database (`t`)."""
    values = {column.name: _merged_value(merge, column) for column in merge.columns}
    selected = [Sql("g.id_0")] if merge.shape.has_id else []
    selected += values.values()
    selected += [
        Sql("g.begins"),
        Sql("t.{} is null", name(merge.keys[0])),
        _differs(merge, values),
        # Only an assumed beginning moves: one that the source dated is a fact.
        Sql("coalesce(v.is_assumed and g.begins < coalesce(v.valid_from, v.recorded_at), false)")
        if merge.shape.has_history
        else Sql("false"),
    ]
    selected += [_is_dated(merge, column, values) for column in merge.dated]
    selected += [_is_of_new_closing(merge, column, values) for column in merge.closing]
    return Sql("select {} from ({}) g {}", join(", ", selected), _grouped(merge), join(" ", _joins(merge, values)))


def _merged_value(merge: MergeTable, column: ColumnShape) -> Sql:
    """The last value that the rows give the column, an empty one included; the database's if no row fills it."""
    value = Sql("g.{}[1]", name(column.name))
    if column.link is not None:
        value = linked_record(column.link.target, f"to_{column.name}", Sql("g.id_0"))
    default, present = default_of(merge.table, column.name), Sql("t.{}", name(column.name))
    if default is not None:
        value, present = Sql("coalesce({}, {})", value, default), Sql("coalesce({}, {})", present, default)
    if column.is_key:
        return value
    if column.name == "deleted_at":
        value = Sql("case when {} = 'infinity' then coalesce({}, now()) else {} end", value, present, value)
    return Sql("case when {} then {} else {} end", _is_kept(merge, column), present, value)


def _is_kept(merge: MergeTable, column: ColumnShape) -> Sql:
    """Whether the rows give the column no value, so that it keeps the database's."""
    it = name(column.name)
    kept = Sql("g.{} is null", it)
    if merge.is_shared:
        kept = Sql("({} or (g.{}[1] is null and other.source is not null))", kept, it)
    if merge.table in MERGES and not column.is_key:
        given = Sql("g.{}[1]", it) if column.link is None else Sql("{}.record_id", name(f"to_{column.name}"))
        kept = Sql("({} or {})", kept, is_taken(column, given))
    if MERGES.get(merge.table) == column.name:
        kept = Sql("({} or {})", kept, is_merged_by_hand(Sql("t.id")))
    return kept


def _is_dated(merge: MergeTable, column: ColumnShape, values: dict[str, Sql]) -> Sql:
    """Whether the record's rows date the column's value."""
    dates = [_is_dated_by_rows(merge, column)]
    if merge.lifecycle is not None and column.name in merge.lifecycle.set_when_closed:
        dates.append(_is_closed(merge.lifecycle))
    if column in merge.closing:
        dates.append(_is_of_new_closing(merge, column, values))
    return Sql("({})", join(" or ", dates))


def _is_dated_by_rows(merge: MergeTable, column: ColumnShape) -> Sql:
    is_filled = any(column.name in records.values for records in merge.dated_records)
    return Sql("coalesce(g.{}, false)", name(f"dated_{column.name}")) if is_filled else Sql("false")


def _is_closed(lifecycle: RecordLifecycle) -> Sql:
    return Sql("g.{}[1] is not null", name(lifecycle.closed))


def _is_of_new_closing(merge: MergeTable, column: ColumnShape, values: dict[str, Sql]) -> Sql:
    """Whether the value came with a closing that the database does not have; false if the rows date it themselves.

    A value that changes after a known closing is no part of it: it holds from the change on, like any other. The final
    value of a record that the database does not have either is the best known of the time before, and undated.
    """
    lifecycle = merge.lifecycle
    if lifecycle is None:
        return Sql("false")
    outcome = lifecycle.set_when_closed[0]
    known = (values[outcome], values[lifecycle.closed], Sql("t.{}", name(outcome)), Sql("t.{}", name(lifecycle.closed)))
    conditions = [
        _is_closed(lifecycle),
        Sql("row({}, {}) is distinct from row({}, {})", *known),
        Sql("not {}", _is_dated_by_rows(merge, column)),
        Sql("not {}", _is_kept(merge, column)),
    ]
    if column.note.overwritten_at is None:
        conditions.append(Sql("t.{} is not null", name(merge.keys[0])))
    return Sql("({})", join(" and ", conditions))


def _differs(merge: MergeTable, values: dict[str, Sql]) -> Sql:
    if not merge.changeable:
        return Sql("false")
    present = join(", ", (Sql("t.{}", name(column.name)) for column in merge.changeable))
    merged = join(
        ", ",
        (
            current_value(merge, column, _is_dated(merge, column, values), values[column.name])
            for column in merge.changeable
        ),
    )
    # Unlike `<>`, it takes two nulls for equal.
    return Sql("row({}) is distinct from row({})", merged, present)


def _joins(merge: MergeTable, values: dict[str, Sql]) -> Iterator[Sql]:
    """The linked records (`to_…`), the record itself (`t`), another source's key (`other`), its first version (`v`)."""
    for column in merge.columns:
        if column.link is not None:
            key = Sql("g.{}[1]", name(column.name))
            yield Sql("left join {}", external_key_join(f"to_{column.name}", column.link.target, merge.source, key))
    same = [Sql("t.{} = {}", name(key), Sql("g.id_0") if key == "id" else values[key]) for key in merge.keys]
    yield Sql("left join {} t on {}", name(merge.table), join(" and ", same))
    if merge.table in MERGES:
        yield taken_columns_join(Sql("t.id"))
    if merge.is_shared:
        yield Sql(
            "left join lateral (select k.source from external_key k where k.record_id = t.id and k.entity = {}"
            " and k.source <> {} limit 1) other on true",
            merge.table,
            merge.source,
        )
    if merge.shape.has_history:
        # A lookup by index per record; joining all versions would multiply the rows.
        yield Sql("left join lateral ({}) v on true", first_version(merge, Sql("f.*"), Sql("t.id")))


def _grouped(merge: MergeTable) -> Sql:
    """One row per record; for every column the array of its values, the one that holds first; null if no row fills it.

    An array distinguishes a column that a row empties (`{null}`) from one that no row fills (null), in one pass.
    """
    keys = [name(f"id_{number}") for number in range(len(merge.staged[0].identity))]
    selected = [*keys, Sql("min(row_begins) as begins")]
    # A dated value holds before one without a date; of two on the same date, the higher rank's, then the later row's.
    last = Sql("row_since desc nulls last, row_rank desc, row_line desc")
    for column in merge.columns:
        filled = Sql(" and not {}", _row_lacks(column)) if _may_lack(merge.staged, column) else Sql("")
        fills = Sql("row_rank in ({}){}", _ranks(merge.staged, column), filled)
        values = Sql("array_agg({} order by {}) filter (where {})", name(column.name), last, fills)
        selected.append(Sql("{} as {}", values, name(column.name)))
        dating = _ranks(merge.dated_records, column)
        if dating.parts and column in merge.dated:
            dated = Sql("bool_or(true) filter (where row_rank in ({}) and row_since is not null{})", dating, filled)
            selected.append(Sql("{} as {}", dated, name(f"dated_{column.name}")))
    rows = join(" union all ", (_identified_rows(merge, records) for records in merge.staged))
    return Sql("select {} from ({}) staged group by {}", join(", ", selected), rows, join(", ", keys))


def _ranks(staged: Sequence[StagedRecords], column: ColumnShape) -> Sql:
    """The ranks of those staged records that fill a column, as a list."""
    return join(", ", (Sql(str(records.rank)) for records in staged if column.name in records.values))


def _identified_rows(merge: MergeTable, records: StagedRecords) -> Sql:
    """The rows with the ids of their records, in columns that all staged records of the table share.

    Columns `row_…` are about the row itself; the prefix keeps them apart from the table's columns.
    """
    selected = [Sql("{} as row_rank, line as row_line", Sql(str(records.rank)))]
    numbers = [Sql(str(number)) for number in range(len(records.identity))]
    selected += [Sql("i{}.record_id as id_{}", number, number) for number in numbers]
    selected.append(Sql("{} as row_begins", _begins(merge, records)))
    selected.append(Sql("{} as row_since", records.since or _NO_INSTANT))
    for column in merge.columns:
        kind = "text" if column.link is not None else sql_type(merge.table, column.name)
        value = records.values.get(column.name, Sql(f"null::{kind}"))
        selected.append(Sql("{} as {}", value, name(column.name)))
        if _may_lack(merge.staged, column):
            selected.append(Sql("{} as {}", records.lacks(column.name) or Sql("false"), _row_lacks(column)))
    return Sql("select {} from {} where {}", join(", ", selected), with_record_ids(merge, records), records.holds)


def _may_lack(staged: Sequence[StagedRecords], column: ColumnShape) -> bool:
    """Whether some row does not fill the column because its cell could not be read."""
    return any(records.lacks(column.name) is not None for records in staged)


def _row_lacks(column: ColumnShape) -> Sql:
    return name(f"row_lacks_{column.name}")


def _begins(merge: MergeTable, records: StagedRecords) -> Sql:
    """The earliest date that the row has for the record: it existed by then."""
    dates = [date for date in (records.begins, records.since) if date is not None]
    if merge.lifecycle is not None:
        columns = (merge.lifecycle.opened, merge.lifecycle.closed)
        dates += [records.values[column] for column in columns if column in records.values]
    return Sql("least({})", join(", ", dates)) if dates else _NO_INSTANT
