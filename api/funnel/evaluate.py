"""The full rebuild: every contact judged by the accord in force, as a new evaluation."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from api.access.evaluation import is_current
from api.accord.in_force import AccordInForce, accord_in_force
from api.db import WriteSession
from api.funnel.entries import RUNG_TABLE, entries, rung_statement
from api.funnel.exits import EXIT_TABLE, SEGMENT_TABLE, exit_statements, segment_statements
from api.funnel.ladder import ladder_of
from api.funnel.lifetimes import HAS_MERGED, MERGED, VisibleFacts, life_statement
from api.funnel.stage_statement import OWN_TABLE, stage_statement
from api.progress import Progress
from api.sql import Sql
from schema.accord import Accord, StageReached, leaves
from schema.base import new_id
from schema.vocab import Reading

_TABLES = (
    "funnel_merged",
    "funnel_life",
    "funnel_rung",
    "funnel_exit",
    "funnel_segment",
    "funnel_own",
)
# With the values that it binds in sight, the planner finds the partial indexes.
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
    """What a rebuild made: the evaluation, and how many entries each stage has, from the lowest stage up."""

    evaluation_id: UUID
    as_of: datetime
    watermark: datetime | None
    entries: dict[str, int]


async def evaluate(
    session: WriteSession, *, as_of: datetime | None = None, progress: Progress | None = None
) -> EvaluationResult:
    """Judge everybody by the accord in force, and make the result the one that answers.

    Shapes: facts + accord -> stage entries. Writes evaluation (1), stage_entry (all); deletes the superseded entries.
    Units:  instants UTC; facts later than `as_of` (default: now, by the server's clock) are not seen.
    Errors: NO_ACCORD.
    Source: DESIGN "The accord", evaluation.
    """
    # One rebuild at a time; readers go on reading the evaluation before.
    await session.run(Sql("lock table evaluation in share row exclusive mode"))
    version = await accord_in_force(session)
    started_at = await session.value(Sql("select clock_timestamp()"))
    seen_until = as_of or started_at
    async with derived(session, version.accord, seen_until, progress) as found:
        evaluation = await _keep(session, version, started_at, found)
    counts = await _counts(session, version.accord, evaluation)
    watermark = await session.value(Sql("select watermark from evaluation where id = {}", evaluation))
    return EvaluationResult(evaluation, seen_until, watermark, counts)


@asynccontextmanager
async def derived(
    session: WriteSession, accord: Accord, as_of: datetime, progress: Progress | None = None
) -> AsyncIterator[Sql]:
    """Derive what every entry follows from into temp tables; the select of the entries, good while the block runs."""
    tell = progress or (lambda _step, _done, _total: None)
    ladder = ladder_of(accord)
    total = len(ladder.rungs) + 2
    reads_stages = any(isinstance(leaf, StageReached) for stage in accord.stages for leaf in leaves(stage.rule))
    async with _job_settings(session):
        tell("people and exits", 0, total)
        await session.run(MERGED)
        seen = VisibleFacts(as_of, has_merged=await session.value(HAS_MERGED))
        for statement in (
            life_statement(seen),
            RUNG_TABLE,
            EXIT_TABLE,
            SEGMENT_TABLE,
            OWN_TABLE,
            rung_statement(ladder),
        ):
            await session.run(statement)
        await session.script("analyze funnel_merged; analyze funnel_life; analyze funnel_rung")
        for statement in (*exit_statements(accord, as_of), *segment_statements(ladder)):
            await session.run(statement)
        await session.script("analyze funnel_exit; analyze funnel_segment")
        for done, rung in enumerate(ladder.rungs, start=1):
            tell(rung.stage.title, done, total)
            await session.run(stage_statement(ladder, rung, seen))
            if reads_stages:
                await session.script("analyze funnel_own")
        await session.script("analyze funnel_own")
        tell("entries", total - 1, total)
        yield entries(ladder)
        await session.script(f"drop table {', '.join(_TABLES)}")
        tell("done", total, total)


@asynccontextmanager
async def _job_settings(session: WriteSession) -> AsyncIterator[None]:
    """Run the block under a job's settings, and give the caller's back; after an error the transaction ends anyway."""
    before = {key: await session.value(Sql("select current_setting({})", key)) for key in _JOB_SETTINGS}
    for key, value in _JOB_SETTINGS.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))
    yield
    for key, value in before.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))


async def _keep(session: WriteSession, version: AccordInForce, started_at: datetime, found: Sql) -> UUID:
    """Write the derived entries as the current evaluation, and drop those of the one before."""
    evaluation, reading = new_id(), Reading.IN_FORCE.value
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
            evaluation,
            reading,
            version.id,
            started_at,
            _WATERMARK,
        )
    )
    await session.run(
        Sql(
            """insert into stage_entry (contact_id, evaluation_id, stage, occurrence, rank, entered_at, own_at,
  exited_at, exit_kind, accord_version_id, is_implied)
select contact_id, {}::uuid, stage, occurrence, rank, entered_at, own_at, exited_at, exit_kind, {}::uuid, is_implied
from ({}) found order by contact_id, rank, occurrence""",
            evaluation,
            version.id,
            found,
        )
    )
    await session.run(Sql("update evaluation set finished_at = clock_timestamp() where id = {}", evaluation))
    await session.script("analyze stage_entry")
    return evaluation


async def _counts(session: WriteSession, accord: Accord, evaluation: UUID) -> dict[str, int]:
    rows = await session.rows(
        Sql("select stage, count(*) as n from stage_entry where evaluation_id = {} group by stage", evaluation)
    )
    found = {row["stage"]: row["n"] for row in rows}
    return {stage.key: found.get(stage.key, 0) for stage in accord.stages}
