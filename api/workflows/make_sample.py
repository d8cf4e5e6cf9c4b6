"""Make the sample company in an empty database."""

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
from api.progress import Progress
from api.sample.batches import TABLES, Made, Order
from api.sample.generation import processes_for, told
from api.sql import Sql, join, name
from api.workflows.adopt_accord import adopt_accord
from schema.base import new_id, now

ACCORD = "standard"
MOST_CONTACTS = 5_000_000
MOST_SEEDS = 2**63
EARLIEST = date(2000, 1, 1)
_OTHER_DATA = "Use an empty data folder (--data DIR); nothing was changed."


@dataclass(frozen=True, slots=True)
class SampleMade:
    """What was made: rows by table, and what the evaluator found."""

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
    """Fill an empty database with Meridian and the people it addresses, and judge everybody by the standard accord.

    The same number, seed and date give the same rows, ids included, whatever number of processes tells the story
    (default: as many as are worth it; 0 is a thread); only what says when the sample was made differs.

    Shapes: one order -> one SampleMade. Writes every table of records with its history, accord_version (1 unless
            there), evaluation (1), stage_entry, import_job (1).
    Units:  `until` is a day in UTC, the first that is not told of.
    Errors: BAD_INPUT for senseless numbers, another accord, or a database with records in it; SAMPLE_PRESENT if it
            holds a sample.
    """
    order = Order(contacts, seed, until)
    _require_sense(order)
    started = now()
    await session.lock(AdvisoryLock.LOADING)
    await _require_empty(session)
    await _agree(session)
    if processes is None:
        processes = processes_for(contacts)
    rows = await load_sample(session, told(order, processes), contacts, progress)
    evaluated = await evaluate(session, progress=progress)
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


def _require_sense(order: Order) -> None:
    if not 1 <= order.contacts <= MOST_CONTACTS:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"A sample cannot have {order.contacts} contacts.",
            f"Ask for 1 to {MOST_CONTACTS:,} contacts.",
        )
    if not 0 <= order.seed < MOST_SEEDS:
        raise AccordError(ErrorCode.BAD_INPUT, f"{order.seed} is no seed.", "Give a whole number from 0 on.")
    today = now().date()
    if not EARLIEST <= order.until <= today:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"A sample cannot end on {order.until}.",
            f"Its story is of the past: give a date from {EARLIEST} up to {today} (today in UTC).",
        )


async def has_records(session: ReadSession | WriteSession) -> bool:
    """Whether a database is in use: it has an accord, or any record."""
    return await active_version(session) is not None or await _filled_table(session) is not None


async def _filled_table(session: ReadSession | WriteSession) -> str | None:
    """A table of records that has rows, if there is one."""
    for table in (*TABLES, "import_job", "external_key"):
        if await session.value(Sql("select exists (select from {})", name(table))):
            return table
    return None


async def _require_empty(session: WriteSession) -> None:
    """Refuse a database with any record that is not the accord."""
    made = await session.value(Sql("select origin from import_job where preset = {}", "sample"))
    if made is not None:
        raise AccordError(
            ErrorCode.SAMPLE_PRESENT, f"This database holds a sample company already ({made}).", _OTHER_DATA
        )
    filled = await _filled_table(session)
    if filled is not None:
        raise AccordError(ErrorCode.BAD_INPUT, f"This database is not empty: there are rows in {filled}.", _OTHER_DATA)


async def _agree(session: WriteSession) -> None:
    """Adopt the standard accord, by which the story was written; one that is there already has to be the same."""
    standard = read_accord(ACCORD)
    present = await active_version(session)
    if present is None:
        await adopt_accord(session, standard)
    elif present.content_hash != standard.content_hash():
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"The sample company lives by the standard accord, and this database has '{present.accord.title}'.",
            _OTHER_DATA,
        )


async def load_sample(
    session: WriteSession, story: AsyncGenerator[Made, None], contacts: int, progress: Progress | None = None
) -> dict[str, int]:
    """Copy every stretch of a story into empty tables, and let the planner know what came; rows by table.

    Errors: BAD_INPUT if a table is not empty.
    """
    tell = progress or (lambda _step, _done, _total: None)
    rows: Counter[str] = Counter()
    await session.script("set local accord.history_is_given = on")
    async with aclosing(story), without_indexes(session, TABLES, progress):
        async for made in story:
            for each in made.loads:
                await session.copy_binary(each.table, each.columns, each.sent)
                rows[each.table] += each.rows
            tell("contacts", made.contacts, contacts)
    await session.script("set local accord.history_is_given = off")
    await session.run(Sql("analyze {}", join(", ", map(name, TABLES))))
    return dict(rows)
