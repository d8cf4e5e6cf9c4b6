"""The full rebuild: derive the stage entries of every contact, and store them as the current evaluation."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.evaluation import is_current
from api.accord.in_force import AccordPeriod, accord_periods
from api.db import ScratchSession, WriteSession
from api.funnel.entries import STAGE_TABLE, entries, stage_rows_statement
from api.funnel.exits import EXIT_TABLE, SEGMENT_TABLE, exit_statements, segment_statements
from api.funnel.ladder import ladder_of
from api.funnel.lifetimes import HAS_MERGED, MERGED_TABLE, VisibleFacts, lifetime_statement
from api.funnel.stage_statement import OWN_ENTRY_TABLE, stage_statement
from api.progress import Progress
from api.sql import Sql
from schema.accord import Accord
from schema.base import new_id
from schema.rules import StageReached, leaves
from schema.vocab import Reading

_TABLES = (
    "funnel_merged",
    "funnel_lifetime",
    "funnel_stage",
    "funnel_exit",
    "funnel_segment",
    "funnel_own_entry",
)
# JIT costs more than it saves on these statements. A custom plan sees the bound values, which the planner needs to
# prove that a partial index applies. The timeout replaces that of a request, which a rebuild may exceed.
_JOB_SETTINGS = {"jit": "off", "statement_timeout": "1h", "plan_cache_mode": "force_custom_plan"}
_WATERMARK = Sql(
    "select max(at) from ("
    + " union all ".join(
        f"select max(recorded_at) as at from {table}"
        for table in ("contact_version", "company_version", "deal_version", "touchpoint", "handoff")
    )
    + ") facts"
)


@dataclass(frozen=True, slots=True)
class EvaluationResult:
    """The stored evaluation, and its number of entries by stage key, from the lowest stage up.

    `watermark` is when the latest fact was recorded; None without facts.
    """

    evaluation_id: UUID
    as_of: datetime
    watermark: datetime | None
    entries: dict[str, int]


async def evaluate(
    session: WriteSession, *, as_of: datetime | None = None, progress: Progress | None = None
) -> EvaluationResult:
    """Judge every contact by the versions in force, and make the result the current evaluation.

    Shapes: facts + versions in force -> stage entries. Writes evaluation (1), stage_entry (all); deletes the entries
            of the evaluation before.
    Units:  instants UTC; facts later than `as_of` (default: now, by the server's clock) do not count.
    Errors: NO_ACCORD.
    Source: api/README.md, "The evaluator".
    """
    # Rebuilds wait for each other here; readers do not wait, and read the evaluation before. The versions are read
    # under the lock, so that the result stored last is judged by the versions in force then.
    await session.run(Sql("lock table evaluation in share row exclusive mode"))
    periods = await accord_periods(session)
    started_at = await session.value(Sql("select clock_timestamp()"))
    evaluated_at = as_of or started_at
    latest = periods[-1]
    async with derived_entries(session, periods, evaluated_at, progress) as derived:
        evaluation_id = await _store(session, latest.version_id, started_at, derived)
    counts = await _counts(session, latest.accord, evaluation_id)
    watermark = await session.value(Sql("select watermark from evaluation where id = {}", evaluation_id))
    return EvaluationResult(evaluation_id, evaluated_at, watermark, counts)


@asynccontextmanager
async def derived_entries(
    session: ScratchSession, periods: Sequence[AccordPeriod], as_of: datetime, progress: Progress | None = None
) -> AsyncIterator[Sql]:
    """Derive the stage entries into temp tables, and yield the select that reads them.

    The select is valid inside the block; the temp tables are dropped at its end. Nothing permanent is written.

    Shapes: facts + versions -> a select of contact_id, rank, stage, occurrence, entered_at, own_at, exited_at,
            exit_kind, is_implied, accord_version_id, present_at.
    Units:  instants UTC; facts later than `as_of` do not count.
    Errors: ValueError, see `ladder_of`.
    Source: api/README.md, "The evaluator".
    """
    report = progress or (lambda _step, _done, _total: None)
    ladder = ladder_of(periods)
    total = len(ladder.stages) + 2
    reads_stages = any(isinstance(leaf, StageReached) for ranked in ladder.stages for leaf in leaves(ranked.stage.rule))
    async with _job_settings(session):
        report("people and exits", 0, total)
        await session.run(MERGED_TABLE)
        facts = VisibleFacts(as_of, has_merged=await session.value(HAS_MERGED))
        for statement in (
            lifetime_statement(facts),
            STAGE_TABLE,
            EXIT_TABLE,
            SEGMENT_TABLE,
            OWN_ENTRY_TABLE,
            stage_rows_statement(ladder),
        ):
            await session.run(statement)
        # Autovacuum never analyzes temp tables; without statistics the planner misjudges the sizes of the joins.
        await session.script("analyze funnel_merged; analyze funnel_lifetime; analyze funnel_stage")
        for statement in (*exit_statements(ladder.period.accord, as_of), *segment_statements(ladder)):
            await session.run(statement)
        await session.script("analyze funnel_exit; analyze funnel_segment")
        for done, ranked in enumerate(ladder.stages, start=1):
            report(ranked.stage.title, done, total)
            await session.run(stage_statement(ladder, ranked, facts))
            # A `stage` leaf reads the entries of lower stages; otherwise one analyze after the last stage is enough.
            if reads_stages:
                await session.script("analyze funnel_own_entry")
        await session.script("analyze funnel_own_entry")
        report("entries", total - 1, total)
        yield entries(ladder)
        await session.script(f"drop table {', '.join(_TABLES)}")
        report("done", total, total)


@asynccontextmanager
async def _job_settings(session: ScratchSession) -> AsyncIterator[None]:
    """Run the block with the settings of a job, then restore the caller's.

    After an error they are not restored: the transaction is rolled back, and its settings with it.
    """
    before = {key: await session.value(Sql("select current_setting({})", key)) for key in _JOB_SETTINGS}
    for key, value in _JOB_SETTINGS.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))
    yield
    for key, value in before.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))


async def _store(session: WriteSession, version_id: UUID, started_at: datetime, derived: Sql) -> UUID:
    """Store the derived entries as the current evaluation, and delete the entries of the one before."""
    evaluation_id, reading = new_id(), Reading.IN_FORCE.value
    await session.run(
        Sql(
            "delete from stage_entry e using evaluation v where v.id = e.evaluation_id and {}",
            is_current("v"),
        )
    )
    await session.run(Sql("update evaluation v set is_current = false where {}", is_current("v")))
    await session.run(
        Sql(
            "insert into evaluation (id, reading, accord_version_id, started_at, watermark, is_current)"
            " values ({}, {}, {}, {}, ({}), true)",
            evaluation_id,
            reading,
            version_id,
            started_at,
            _WATERMARK,
        )
    )
    # Sorted like the primary key begins: the index is filled from left to right, and a contact's rows share a page.
    await session.run(
        Sql(
            """insert into stage_entry (contact_id, evaluation_id, stage, occurrence, rank, entered_at, own_at,
  exited_at, exit_kind, accord_version_id, is_implied, present_at)
select contact_id, {}::uuid, stage, occurrence, rank, entered_at, own_at, exited_at, exit_kind, accord_version_id,
  is_implied, present_at
from ({}) derived order by contact_id, rank, occurrence""",
            evaluation_id,
            derived,
        )
    )
    await session.run(Sql("update evaluation set finished_at = clock_timestamp() where id = {}", evaluation_id))
    await session.script("analyze stage_entry")
    return evaluation_id


async def _counts(session: WriteSession, accord: Accord, evaluation_id: UUID) -> dict[str, int]:
    rows = await session.rows(
        Sql("select stage, count(*) as n from stage_entry where evaluation_id = {} group by stage", evaluation_id)
    )
    counted = {row["stage"]: row["n"] for row in rows}
    return {stage.key: counted.get(stage.key, 0) for stage in accord.stages}
