"""Create the sample company in an empty database."""

from collections import Counter
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import date

from api.accord.documents import read_accord
from api.accord.in_force import active_version
from api.db import AdvisoryLock, ReadSession, WriteSession
from api.errors import AccordError, ErrorCode
from api.funnel.evaluate import EvaluationResult, evaluate
from api.intake.bulk_load import without_indexes
from api.progress import Progress, no_progress
from api.sample.batches import TABLES, GeneratedBatch, SampleRequest
from api.sample.generation import generated_batches, processes_for
from api.sql import Sql, join, name
from api.workflows.access.create_demo_keys import create_demo_keys
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id, now

ACCORD = "standard"
MOST_CONTACTS = 5_000_000
SEEDS = 2**63
EARLIEST_END = date(2000, 1, 1)
_USE_EMPTY_DATABASE = "Nothing was changed. Use an empty data folder (--data DIR)."


@dataclass(frozen=True, slots=True)
class SampleMade:
    """The rows created by table, and the result of the evaluation."""

    contacts: int
    seed: int
    until: date
    rows: Mapping[str, int]
    evaluated: EvaluationResult


async def make_sample(
    session: WriteSession,
    *,
    contacts: int,
    seed: int,
    until: date,
    progress: Progress | None = None,
    processes: int | None = None,
) -> SampleMade:
    """Fill an empty database with the sample company, adopt the standard accord, and evaluate all contacts.

    The same number, seed and date give the same rows, ids included, except for the rows that record the creation
    itself. `processes` is the number of worker processes that generate the rows (0: a thread; None: chosen by size).

    Shapes: one request -> one SampleMade. Writes all tables of records with their history, accord_version (1 unless
            present), evaluation (1), stage_entry, import_job (1), and the access and keys of the demo people.
    Units:  `until` is a day in UTC, the first after the 24 months of the sample.
    Errors: BAD_INPUT for a number, seed or date out of range, a database with records, or one with another accord;
            SAMPLE_PRESENT if the database holds a sample.
    """
    request = SampleRequest(contacts, seed, until)
    _require_valid(request)
    started = now()
    await session.lock(AdvisoryLock.LOADING)
    await _require_empty(session)
    await _adopt_standard_accord(session)
    if processes is None:
        processes = processes_for(contacts)
    rows = await load_sample(session, generated_batches(request, processes), contacts, progress)
    evaluated = await evaluate(session, progress=progress)
    await create_demo_keys(session)
    await session.run(
        Sql(
            "insert into import_job (id, preset, origin, started_at, finished_at, counts)"
            " values ({}, {}, {}, {}, {}, {})",
            new_id(),
            "sample",
            f"{contacts} contacts, seed {seed}, until {until}",
            started,
            now(),
            {"kept": rows},
        )
    )
    return SampleMade(contacts, seed, until, rows, evaluated)


def _require_valid(request: SampleRequest) -> None:
    """Check the number of contacts, the seed and the date. Errors: BAD_INPUT if one is out of range."""
    if not 1 <= request.contacts <= MOST_CONTACTS:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"A sample cannot have {request.contacts} contacts.",
            f"Give a number of contacts from 1 to {MOST_CONTACTS:,}.",
        )
    if not 0 <= request.seed < SEEDS:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"{request.seed} is not a valid seed.",
            f"Give a whole number from 0 to {SEEDS - 1}.",
        )
    today = now().date()
    if not EARLIEST_END <= request.until <= today:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"A sample cannot end on {request.until}.",
            f"Give a date from {EARLIEST_END} to {today} (today in UTC).",
        )


async def has_records(session: ReadSession | WriteSession) -> bool:
    """Whether a database is in use: it has an accord or any record."""
    return await active_version(session) is not None or await _filled_table(session) is not None


async def _filled_table(session: ReadSession | WriteSession) -> str | None:
    """Return the name of a table of records that has rows; None if all are empty."""
    for table in (*TABLES, "import_job", "external_key"):
        if await session.value(Sql("select exists (select from {})", name(table))):
            return table
    return None


async def _require_empty(session: WriteSession) -> None:
    """Check that the database has no records; an accord is allowed. Errors: SAMPLE_PRESENT; BAD_INPUT."""
    sample = await session.value(Sql("select origin from import_job where preset = {}", "sample"))
    if sample is not None:
        raise AccordError(
            ErrorCode.SAMPLE_PRESENT, f"This database already holds a sample company ({sample}).", _USE_EMPTY_DATABASE
        )
    filled = await _filled_table(session)
    if filled is not None:
        raise AccordError(
            ErrorCode.BAD_INPUT, f"This database is not empty: the table {filled} has rows.", _USE_EMPTY_DATABASE
        )


async def _adopt_standard_accord(session: WriteSession) -> None:
    """Adopt the standard accord, for which the sample is designed. Errors: BAD_INPUT if another accord is in force."""
    standard = read_accord(ACCORD)
    present = await active_version(session)
    if present is None:
        await adopt_accord(session, standard)
    elif present.content_hash != standard.content_hash():
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"The sample company needs the standard accord, but this database has the accord '{present.accord.title}'.",
            _USE_EMPTY_DATABASE,
        )


async def load_sample(
    session: WriteSession,
    batches: AsyncGenerator[GeneratedBatch, None],
    contacts: int,
    progress: Progress | None = None,
) -> dict[str, int]:
    """Copy the batches of a sample into empty tables and analyze the tables.

    Shapes: batches -> number of rows by table. `contacts` is the total that progress is reported against.
    Errors: BAD_INPUT if a table is not empty.
    """
    report = progress or no_progress
    rows: Counter[str] = Counter()
    # The batches contain the versions of records. Without this setting, triggers would write them a second time.
    await session.script("set local accord.history_is_given = on")
    async with aclosing(batches), without_indexes(session, TABLES, progress):
        async for batch in batches:
            for load in batch.loads:
                await session.copy_binary(load.table, load.columns, load.data)
                rows[load.table] += load.rows
            report("contacts", batch.contacts, contacts)
    await session.script("set local accord.history_is_given = off")
    # Evaluation follows in the same transaction, before autovacuum could collect statistics.
    await session.run(Sql("analyze {}", join(", ", map(name, TABLES))))
    return dict(rows)
