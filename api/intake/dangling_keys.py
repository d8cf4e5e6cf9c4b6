"""Rejects staged rows that refer to records which exist neither in the database nor in other staged rows."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from api.db import WriteSession
from api.intake.staged import Reject, RejectedRow, StagedRecords, StagedRows
from api.sql import Sql, all_of, name


@dataclass(frozen=True, slots=True)
class _Check:
    """A query for the rows to reject (`line`, `value`), and what to report of them."""

    rows: Sql
    column: str
    reason: str


async def reject_dangling(
    session: WriteSession,
    inputs: Sequence[StagedRows],
    source: str,
    reject: Reject,
    before_pass: Callable[[], Awaitable[None]],
) -> Counter[str]:
    """Delete staged rows that lack a required value or whose required key belongs to no record.

    Repeats until no row is left to reject: a rejected row may be the one that would have created the record that
    another row refers to, or merged two that another row names by one address. `before_pass` computes what values
    depend on. Returns how many rows were rejected, by input.
    """
    rejected: Counter[str] = Counter()
    staged = [records for rows in inputs for records in rows.records]
    is_settled = False
    while not is_settled:
        is_settled = True
        await before_pass()
        for rows in inputs:
            for check in _checks(rows, staged, source):
                lines = await _reject_rows(session, rows, check, reject)
                rejected[rows.source] += lines
                is_settled = is_settled and not lines
    return rejected


async def _reject_rows(session: WriteSession, rows: StagedRows, check: _Check, reject: Reject) -> int:
    # One statement deletes and reports, so both see the same rows; a row with a list of keys may be bad several times.
    found = await session.rows(
        Sql(
            "with bad as ({}), gone as (delete from {} s using bad where s.line = bad.line)"
            " select distinct on (line) line, value from bad order by line",
            check.rows,
            name(rows.stage),
        )
    )
    for row in found:
        reject(RejectedRow(rows.source, row["line"], check.column, row["value"] or "", check.reason))
    return len(found)


def _checks(rows: StagedRows, staged: Sequence[StagedRecords], source: str) -> Iterator[_Check]:
    """The checks of one input's rows. Two records of a row may require the same key; it is checked once."""
    checked: set[str] = set()
    for records in rows.records:
        own = [] if records.condition is None else [records.condition]
        for required in records.required_values:
            missing = all_of((*own, Sql("{} is null", required.value)))
            line = Sql("select {}.line, {}::text as value from {}", name(rows.stage), required.shown, records.rows)
            yield _Check(Sql("{} where {}", line, missing), required.column, required.reason)
        for key in records.required_keys:
            keys = Sql(
                "select {}.line, {} as value from {} where {}",
                name(rows.stage),
                key.key,
                records.rows,
                all_of((*own, Sql("{} is not null", key.key))),
            )
            # Equal SQL with equal bound values; `Sql` compares bound values by identity.
            seen = repr((keys.render(), key.table))
            if seen in checked:
                continue
            checked.add(seen)
            reason = f"no {key.table} has this key: none in the database, and no accepted row creates one"
            yield _Check(_unknown(keys, key.table, staged, source), key.column, reason)


def _unknown(keys: Sql, table: str, staged: Sequence[StagedRecords], source: str) -> Sql:
    """Those of the keys that have no record in the database and that no staged row brings.

    Costs one anti-join per input that creates records of the table. External keys of staged records are registered only
    after this step, because a rejected row must leave none.
    """
    absent = [
        Sql(
            "not exists (select from external_key k where k.entity = {} and k.source = {} and k.external_id = w.value)",
            table,
            source,
        )
    ]
    # Rows of the same import may bring the key, even later rows of the same file.
    for records in staged:
        if records.table == table and records.new_id is not None:
            for brought in (records.key, records.alias):
                if brought is not None:
                    condition = all_of((records.is_described, Sql("{} = w.value", brought)))
                    absent.append(Sql("not exists (select from {} where {})", records.rows, condition))
    return Sql("select w.line, w.value from ({}) w where {}", keys, all_of(absent))
