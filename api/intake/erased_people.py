"""Rows about people who were erased: they are skipped and reported by their line, without any value."""

from collections import Counter
from collections.abc import Iterator, Sequence

from api.db import WriteSession
from api.identity.erased_keys import ErasureHash, address_sql, erasure_hash, key_sql
from api.intake.staged import Reject, RejectedRow, StagedRecords, StagedRows
from api.sql import Sql, all_of, join, name

_REASON = "this person was erased, and nothing of them is imported again"


async def reject_erased(
    session: WriteSession, inputs: Sequence[StagedRows], source: str, reject: Reject
) -> Counter[str]:
    """Reject rows that describe or name an erased person by key or address. Returns how many, by input.

    Cost: one query while nobody was erased; else two hashes for each key and address.
    """
    rejected: Counter[str] = Counter()
    hashed = await erasure_hash(session)
    if hashed is None:
        return rejected
    for rows in inputs:
        found = [it for records in rows.records for it in _erased(rows, records, hashed, source)]
        if not found:
            continue
        lines = await session.rows(
            Sql(
                "with erased as ({}), gone as (delete from {} s using erased where s.line = erased.line)"
                " select distinct line from erased order by line",
                join(" union all ", found),
                name(rows.stage),
            )
        )
        for line in lines:
            reject(RejectedRow(rows.source, line["line"], rows.key_label, "", _REASON))
        rejected[rows.source] += len(lines)
    return rejected


def _erased(rows: StagedRows, records: StagedRecords, hashed: ErasureHash, source: str) -> Iterator[Sql]:
    """Yield the queries of the lines with an erased person in these records."""
    texts: list[Sql] = []
    if records.table == "contact":
        texts += [key_sql(source, key) for key in (records.key, records.alias) if key is not None]
        email = records.values.get("email")
        texts += [] if email is None else [address_sql(email)]
    texts += [key_sql(source, required.key) for required in records.required_keys if required.table == "contact"]
    for text in texts:
        conditions = [hashed.is_erased(text)]
        if records.condition is not None:
            conditions.append(records.condition)
        yield Sql("select {}.line from {} where {}", name(rows.stage), records.rows, all_of(conditions))
