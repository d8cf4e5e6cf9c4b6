"""Finds merged records that would violate a constraint, before they are written, so that only their rows are rejected.

PostgreSQL would fail the whole statement at the first such record. Conditions on one column alone were checked when the
rows were read; here are those between columns (CHECK) and between records (UNIQUE, ranges that may not overlap).
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from api.db import WriteSession
from api.intake.column_sql import default_of, sql_type
from api.intake.merge import MergeTable, with_record_ids
from api.intake.staged import Reject, RejectedRow, StagedRows
from api.sql import Sql, all_of, join, name
from schema.tables import METADATA


@dataclass(frozen=True, slots=True)
class ConstraintViolation:
    """A row of a temporary table whose record would violate a constraint."""

    stage: str
    row: RejectedRow


@dataclass(frozen=True, slots=True)
class _Constraint:
    """The columns of a constraint, a query for the ids of the records that would violate it, and what to report."""

    columns: frozenset[str]
    violated: Sql
    reason: str


async def find_violations(
    session: WriteSession, merge: MergeTable, inputs: Sequence[StagedRows]
) -> list[ConstraintViolation]:
    """Find the rows whose records would violate a constraint of the table. Its merge table must be filled."""
    found = await _lacking_vital_values(session, merge, inputs)
    # Such a record would break a constraint as well, for the same reason.
    if found or not merge.shape.has_id:
        return found
    for constraint in (*_checks(merge), *_unique_keys(merge), *_disjoint_ranges(merge)):
        ids = [row["id"] for row in await session.rows(constraint.violated)]
        if ids:
            found += await _rows_of(session, merge, inputs, constraint, ids)
    return found


async def reject_violations(
    session: WriteSession, found: Sequence[ConstraintViolation], reject: Reject
) -> Counter[str]:
    """Delete the rows, and report every reason. Returns how many rows were rejected, by input."""
    rejected: Counter[str] = Counter()
    lines: dict[tuple[str, str], set[int]] = {}
    for violation in found:
        reject(violation.row)
        lines.setdefault((violation.stage, violation.row.source), set()).add(violation.row.line)
    for (stage, source), numbers in lines.items():
        rejected[source] += len(numbers)
        await session.run(Sql("delete from {} where line = any({}::bigint[])", name(stage), sorted(numbers)))
    return rejected


async def _lacking_vital_values(
    session: WriteSession, merge: MergeTable, inputs: Sequence[StagedRows]
) -> list[ConstraintViolation]:
    """The rows whose record lacks a vital value that could not be read.

    Found here, not when the cell is read: whether the value is vital may depend on records that are linked.
    """
    found = []
    for rows in inputs:
        for records in (records for records in rows.records if records.table == merge.table):
            for value in (value for value in records.left_out if value.is_vital):
                condition = all_of((records.is_described, value.condition))
                lines = await session.rows(
                    Sql("select distinct line from {} where {} order by line", records.rows, condition)
                )
                reason = f"cannot be read, and the {merge.table} needs it"
                found += [
                    ConstraintViolation(rows.stage, RejectedRow(rows.source, line["line"], value.label, "", reason))
                    for line in lines
                ]
    return found


def _checks(merge: MergeTable) -> Iterator[_Constraint]:
    """The CHECK constraints between columns."""
    table = METADATA.tables[merge.table]
    of_one_column = {rule for column in table.columns for rule in (column.name, f"{column.name}_bounds")}
    for rule in sorted(table.constraints, key=lambda constraint: str(constraint.name)):
        if isinstance(rule, sa.CheckConstraint) and str(rule.name) not in of_one_column:
            text = str(rule.sqltext)
            columns = frozenset(column.name for column in table.columns if column.name in text)
            # The constraint's own text: its column names resolve to those of `f`. A CHECK that is null holds.
            violated = Sql("select id from ({}) f where ({}) is false", _merged_records(merge), Sql.from_parts((text,)))
            label = str(rule.name).removeprefix(f"ck_{merge.table}_").replace("_", " ")
            yield _Constraint(columns, violated, f"the {merge.table} breaks the rule '{label}'")


def _unique_keys(merge: MergeTable) -> Iterator[_Constraint]:
    """The UNIQUE constraints. Of records with equal keys one stays: the database's, else the one with the first id."""
    table = METADATA.tables[merge.table]
    for rule in sorted(table.constraints, key=lambda constraint: str(constraint.name)):
        if isinstance(rule, sa.UniqueConstraint):
            columns = [column.name for column in rule.columns]
            key = join(", ", map(name, columns))
            # UNIQUE lets rows with a null pass.
            is_complete = join(" and ", (Sql("{} is not null", name(column)) for column in columns))
            # Reads the whole table once, because a merged record may collide with any that is not merged.
            violated = Sql(
                "select id from (select id, is_merged, row_number() over (partition by {} order by is_new, id) as nth"
                " from (select id, is_new, true as is_merged, {} from ({}) f"
                " union all select id, false, false, {} from {} where id not in (select id from {})) every"
                " where {}) counted where nth > 1 and is_merged",
                *(key, key, _merged_records(merge), key, name(merge.table), name(merge.stage), is_complete),
            )
            yield _Constraint(frozenset(columns), violated, f"another {merge.table} has the same {', '.join(columns)}")


def _disjoint_ranges(merge: MergeTable) -> Iterator[_Constraint]:
    """The rule that ranges do not overlap. Of two that do, the database's stays, else the one with the first id.

    Only imports write such tables, one at a time (`AdvisoryLock.LOADING`), so no other session adds a range meanwhile.
    """
    rule = merge.shape.disjoint_ranges
    if rule is None:
        return
    start, end = name(rule.start), name(rule.end)
    columns = (*rule.same, rule.start, rule.end)
    listed = join(", ", map(name, columns))
    same = join(", ", map(name, rule.same))
    # The running maximum finds the groups with an overlap in one sort; only these are compared pair by pair.
    violated = Sql(
        "with every as materialized (select id, is_new, true as is_merged, {} from ({}) f"
        " union all select id, false, false, {} from {} where id not in (select id from {})),"
        " crowded as materialized (select distinct {} from (select {}, {} < max({}) over (partition by {}"
        " order by {} rows between unbounded preceding and 1 preceding) as is_crowded from every) o where is_crowded),"
        " suspect as materialized (select e.* from every e join crowded c using ({}))"
        " select distinct later.id from suspect later join suspect other using ({})"
        " where later.is_merged and later.{} < other.{} and other.{} < later.{}"
        " and (other.is_merged, other.is_new, other.id) < (later.is_merged, later.is_new, later.id)",
        *(listed, _merged_records(merge), listed, name(merge.table), name(merge.stage)),
        *(same, same, start, end, same, start, same, same, start, end, start, end),
    )
    labels = ", ".join(column.removesuffix("_id") for column in rule.same)
    reason = (
        f"its days ({rule.start} to before {rule.end}) overlap those of another {merge.table} of the same {labels};"
        " import one of the two"
    )
    yield _Constraint(frozenset(columns), violated, reason)


def _merged_records(merge: MergeTable) -> Sql:
    """The records as they would be written, with every column of the table."""
    columns = [Sql("n.id, n.is_new")]
    merged = {column.name for column in merge.columns}
    for column in merge.shape.columns:
        it = name(column.name)
        if column.name == "id":
            continue
        if column.name in merged:
            columns.append(Sql("n.{} as {}", it, it))
            continue
        # A column that no row fills: the database's value, or the default of a new record.
        default = default_of(merge.table, column.name) or Sql("null")
        kind = sql_type(merge.table, column.name)
        columns.append(Sql(f"coalesce(t.{{}}, {{}})::{kind} as {{}}", it, default, it))
    return Sql(
        "select {} from {} n left join {} t on t.id = n.id", join(", ", columns), name(merge.stage), name(merge.table)
    )


async def _rows_of(
    session: WriteSession,
    merge: MergeTable,
    inputs: Sequence[StagedRows],
    constraint: _Constraint,
    ids: Sequence[object],
) -> list[ConstraintViolation]:
    """The rows that fill the constraint's columns of these records."""
    found = []
    for rows in inputs:
        for records in rows.records:
            if records.table != merge.table or not constraint.columns & set(records.values):
                continue
            lines = await session.rows(
                Sql(
                    "select distinct line, {}.{} as value from {} where {} and i0.record_id = any({}::uuid[])"
                    " order by line",
                    *(name(rows.stage), name(rows.key), with_record_ids(merge, records)),
                    *(records.holds, list(ids)),
                )
            )
            found += [
                ConstraintViolation(
                    rows.stage,
                    RejectedRow(rows.source, line["line"], rows.key_label, line["value"], constraint.reason),
                )
                for line in lines
            ]
    return list(dict.fromkeys(found))
