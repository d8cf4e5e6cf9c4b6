"""Staged rows of any origin are written, merged and rejected, without a file or a preset."""

from dataclasses import replace

from api.db import Database, WriteSession
from api.intake.apply import Applied, apply_staged_rows
from api.intake.staged import RejectedRow, RequiredKey, StagedRecords, StagedRows
from api.intake.upsert import RecordCounts
from api.progress import no_progress
from api.sql import Sql
from schema.base import new_id

Row = tuple[str, str, str | None, str | None]  # key, name, company's key, company's name

COMPANIES = StagedRecords(
    table="company",
    rank=0,
    stage="command",
    condition=Sql("command.company_name is not null"),
    items=None,
    key=Sql("command.company_key"),
    alias=None,
    new_id=Sql("command.company_id"),
    begins=None,
    since=None,
    values={"name": Sql("command.company_name")},
)
CONTACTS = StagedRecords(
    table="contact",
    rank=1,
    stage="command",
    condition=None,
    items=None,
    key=Sql("command.key"),
    alias=None,
    new_id=Sql("command.id"),
    begins=None,
    since=None,
    values={"last_name": Sql("command.name"), "company_id": Sql("command.company_key")},
    required_keys=(RequiredKey(Sql("command.company_key"), "company", "company"),),
)
INPUT = StagedRows("command", "upsertContacts", "key", "externalId", (COMPANIES, CONTACTS))


async def apply(session: WriteSession, *rows: Row, staged: StagedRows = INPUT) -> tuple[Applied, list[RejectedRow]]:
    """Stage rows as a bulk mutation would, and apply them."""
    await session.script(
        "create temporary table command (line bigint, key text, name text, company_key text, company_name text,"
        " id uuid, company_id uuid) on commit drop"
    )
    columns = ("line", "key", "name", "company_key", "company_name", "id", "company_id")
    records = [(line, *row, new_id(), new_id()) for line, row in enumerate(rows, start=1)]
    await session.copy("command", columns, records)
    rejected: list[RejectedRow] = []
    applied = await apply_staged_rows(
        session, (staged,), "crm", rows=len(rows), reject=rejected.append, progress=no_progress
    )
    return applied, rejected


async def contacts(database: Database) -> list[tuple[object, ...]]:
    async with database.read() as session:
        statement = "select c.last_name, o.name from contact c left join company o on o.id = c.company_id order by 1"
        return [tuple(row) for row in await session.rows(Sql(statement))]


async def test_rows_are_inserted_and_the_second_time_only_differences_are_written(database: Database) -> None:
    async with database.write() as session:
        applied, rejected = await apply(session, ("1", "Weiss", "a", "Acme"), ("2", "Berg", "a", None))
    assert (applied.records["contact"], applied.records["company"]) == (RecordCounts(2, 0, 0), RecordCounts(1, 0, 0))
    assert rejected == []
    assert await contacts(database) == [("Berg", "Acme"), ("Weiss", "Acme")]
    async with database.write() as session:
        applied, _ = await apply(session, ("1", "Weiss", "a", None), ("2", "Bergmann", "a", None))
    assert applied.records["contact"] == RecordCounts(0, 1, 1)
    assert await contacts(database) == [("Bergmann", "Acme"), ("Weiss", "Acme")]


async def test_a_dangling_row_is_rejected_with_its_input_line_and_reason(database: Database) -> None:
    async with database.write() as session:
        applied, rejected = await apply(session, ("1", "Weiss", "b", None), ("2", "Berg", None, None))
    reason = "no company has this key: none in the database, and no accepted row creates one"
    assert rejected == [RejectedRow("upsertContacts", 1, "company", "b", reason)]
    assert applied.rejected["upsertContacts"] == 1
    assert await contacts(database) == [("Berg", None)]


async def test_a_row_whose_target_is_rejected_is_rejected_too(database: Database) -> None:
    """The first row would create the company that the second links to."""
    parent = RequiredKey(Sql("case when command.key = '1' then 'nowhere' end"), "company", "parent")
    with_parent = replace(INPUT, records=(replace(COMPANIES, required_keys=(parent,)), CONTACTS))
    async with database.write() as session:
        _, rejected = await apply(session, ("1", "Weiss", "a", "Acme"), ("2", "Berg", "a", None), staged=with_parent)
    assert [(row.line, row.column) for row in rejected] == [(1, "parent"), (2, "company")]
    assert await contacts(database) == []
