"""The four writes of the benchmark: what they change, and how many rows of a database they have changed.

Every request changes something: values differ from those that are stored. A write is repeated over all records in laps,
and each lap has other values, so that a file of requests may be longer than the table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from schema.base import new_id

BULK_ROWS = 500
SOURCE = "bench"
_TITLES = ("Buyer", "Head of Trade", "Clerk", "Broker", "Director")

Change = Mapping[str, Any]
Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Write:
    """One kind of write.

    `records` is a statement with the records that are changed, in a scattered order, and what is known of them.
    `change` returns the change of a record in a lap. `written` is a statement with a number that rises by one for each
    row that is written. A request has `rows` rows, and a second has `most` requests at most.
    """

    key: str
    title: str
    records: str
    change: Callable[[Row, int], Change]
    written: str
    rows: int = 1
    most: int = 12_000


def _contact_change(record: Row, lap: int) -> Change:
    version = record["row_version"] + lap
    score = (version * 7) % 100
    title = f"{_TITLES[version % len(_TITLES)]} {version}"
    key = str(record["id"])
    return {"id": key, "external_id": key, "version": version, "job_title": title, "lead_score": score}


def _touchpoint(record: Row, _lap: int) -> Change:
    return {"id": str(new_id()), "contact_id": str(record["id"]), "occurred_at": datetime.now(UTC).isoformat()}


def _move(record: Row, lap: int) -> Change:
    stages: Sequence[object] = record["stages"]
    stage = stages[(stages.index(record["pipeline_stage_id"]) + lap + 1) % len(stages)]
    return {"id": str(record["id"]), "version": record["row_version"] + lap, "stage_id": str(stage)}


_CONTACTS = (
    "select id, row_version from contact where deleted_at is null and merged_into_id is null"
    " order by hashtext(id::text), id"
)
_DEALS = (
    "select d.id, d.row_version, d.pipeline_stage_id, p.stages from deal d"
    " join pipeline_stage s on s.id = d.pipeline_stage_id"
    " join (select pipeline_id, array_agg(id order by rank) as stages from pipeline_stage"
    "       where category = 'OPEN' group by pipeline_id having count(*) > 1) p on p.pipeline_id = s.pipeline_id"
    " where d.outcome = 'OPEN' and d.deleted_at is null and s.category = 'OPEN' order by hashtext(d.id::text), d.id"
)
_CHANGED_CONTACTS = "select sum(row_version) from contact"

WRITES = (
    Write("update_contact", "two values of one contact", _CONTACTS, _contact_change, _CHANGED_CONTACTS),
    Write("log_touchpoint", "one call", _CONTACTS, _touchpoint, "select count(*) from touchpoint"),
    Write("move_deal", "one open deal to another stage", _DEALS, _move, "select sum(row_version) from deal"),
    Write(
        "upsert_contacts",
        f"two values of {BULK_ROWS} contacts, by external key",
        _CONTACTS,
        _contact_change,
        _CHANGED_CONTACTS,
        rows=BULK_ROWS,
        most=100,
    ),
)


async def changes(dsn: str, write: Write, count: int) -> list[Change]:
    """Return the changes of so many requests, from what a database holds now. A bulk is a change with `rows`.

    Errors: ValueError if the company is too small.
    """
    connection = await asyncpg.connect(dsn)
    try:
        records = [dict(record) for record in await connection.fetch(write.records)]
    finally:
        await connection.close()
    if len(records) < write.rows:
        raise ValueError(f"{write.key} needs {write.rows} records, and the company has {len(records)}")
    if write.rows == 1:
        return [write.change(records[number % len(records)], number // len(records)) for number in range(count)]
    return list(_bulks(write, records, count))


def _bulks(write: Write, records: Sequence[Row], count: int) -> Iterator[Change]:
    """Yield bulks of records that no neighbouring bulk has, so that requests do not wait for each other's locks."""
    blocks = len(records) // write.rows
    for number in range(count):
        lap, block = divmod(number, blocks)
        some = records[block * write.rows : (block + 1) * write.rows]
        yield {"rows": [write.change(record, lap) for record in some]}


async def written_rows(dsn: str, write: Write) -> int:
    """Return a number that rises by one for each row that the write has written in a database."""
    connection = await asyncpg.connect(dsn)
    try:
        return int(await connection.fetchval(write.written))
    finally:
        await connection.close()
