"""The tables that a derivation of stage entries goes through, one after another, and the derivation of many contacts.

Each table follows from the facts and the tables before it. Many contacts are derived through temporary tables, which
get statistics: as one chained statement the planner misjudges the sizes. One contact, or a few, are derived by one
statement with the same tables as common table expressions (`contact_statement`), because creating temporary tables
takes longer than deriving the entries. The selects that fill the tables are the same.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from api.accord.in_force import AccordPeriod
from api.db import ScratchSession
from api.funnel.entries import entries, stage_rows
from api.funnel.exits import exit_rows, segment_rows, union_all
from api.funnel.ladder import Ladder, Step, ladder_of, stages_read
from api.funnel.lifetimes import VisibleFacts, bound_instant, lifetime_rows
from api.funnel.stage_statement import step_statement
from api.identity.survivors import survivors
from api.progress import Progress, no_progress
from api.sql import Sql, name

# The columns are those of the selects, in their order.
TABLES = {
    "funnel_merged": "contact_id uuid not null, survivor_id uuid not null",
    "funnel_lifetime": "contact_id uuid not null, starts_at timestamptz not null",
    "funnel_stage": "rank int not null, stage text not null, exit_group int",
    "funnel_exit": "contact_id uuid not null, at timestamptz not null, position int not null, kind text not null",
    "funnel_segment": (
        "exit_group int not null, contact_id uuid not null, segment_no int not null, starts_at timestamptz not null,"
        " ends_at timestamptz not null, closed_at timestamptz, exit_kind text"
    ),
    "funnel_own_entry": (
        "contact_id uuid not null, stage_no int not null, by_accord boolean not null, moment timestamptz not null"
    ),
}
_STAGES_OF_VERSIONS = (
    "number int not null, stage text not null, exit_group int, version int not null, rank int not null,"
    " starts_at timestamptz not null, ends_at timestamptz not null, accord_version_id uuid not null,"
    " places int[] not null"
)
# JIT costs more than it saves on these statements. A custom plan sees the bound values, which the planner needs to
# prove that a partial index applies. The timeout replaces that of a request, which a derivation may exceed.
_JOB_SETTINGS = {
    "jit": "off",
    "statement_timeout": "1h",
    "plan_cache_mode": "force_custom_plan",
}


def merged_rows(facts: VisibleFacts) -> Sql:
    """Select the rows of `funnel_merged`."""
    return survivors(facts.among("id"))


def people_rows(ladder: Ladder, facts: VisibleFacts) -> tuple[tuple[str, tuple[Sql, ...]], ...]:
    """Return the tables that no rule decides, in order, with the selects of their rows."""
    return (
        ("funnel_lifetime", (lifetime_rows(facts),)),
        ("funnel_stage", (stage_rows(ladder),)),
        ("funnel_exit", exit_rows(ladder, facts)),
        ("funnel_segment", segment_rows(ladder)),
    )


def reads_stages(step: Step) -> bool:
    """Whether a step reads what the steps before it found: entries of lower stages, or earlier ones of its own."""
    return any(ranked.continues or stages_read(ranked.stage.rule) for ranked in step)


@asynccontextmanager
async def derived_entries(
    session: ScratchSession,
    periods: Sequence[AccordPeriod],
    as_of: datetime,
    progress: Progress | None = None,
    *,
    concerned: Sql | None = None,
) -> AsyncIterator[Sql]:
    """Derive the stage entries into temp tables, and yield the select that reads them.

    The select is valid inside the block; the temp tables are dropped at its end. Nothing permanent is written.
    `concerned` selects the contacts to evaluate (see `VisibleFacts`); None evaluates all of them.

    Shapes: facts + versions -> a select of contact_id, rank, stage, occurrence, entered_at, own_at, exited_at,
            exit_kind, is_implied, accord_version_id, cause, present_at.
    Units:  instants UTC; facts later than `as_of` do not count.
    Errors: ValueError, see `ladder_of`.
    Source: api/README.md, "The evaluator".
    """
    report = progress or no_progress
    ladder = ladder_of(periods)
    total = len(ladder.steps) + 2
    # The planner takes the intervals of a leaf to be few, and with some contacts alone it joins them by nested loops,
    # whose cost grows with the square of their number.
    async with job_settings(session, enable_nestloop="on" if concerned is None else "off"):
        report("people and exits", 0, total)
        facts = await _fill_people(session, ladder, as_of, concerned)
        for done, step in enumerate(ladder.steps, start=1):
            report(step[-1].stage.title, done, total)
            await _fill(session, "funnel_own_entry", step_statement(ladder, step, facts))
            # A step may read what those before it found; otherwise one analyze after the last one is enough.
            if any(map(reads_stages, ladder.steps[done:])):
                await session.script("analyze funnel_own_entry")
        await session.script("analyze funnel_own_entry")
        report("entries", total - 1, total)
        yield entries(ladder)
        await session.script(f"drop table {', '.join(TABLES)}")
        report("done", total, total)


@asynccontextmanager
async def derived_from_moments(
    session: ScratchSession,
    period: AccordPeriod,
    as_of: datetime,
    known: Mapping[str, Sql],
    progress: Progress | None = None,
    *,
    former: Mapping[str, Sql] | None = None,
    differing: str = "",
    since: datetime | None = None,
) -> AsyncIterator[Sql]:
    """Derive the entries of everybody by one version, evaluating only the stages whose moments are not known.

    `known` has a select of (contact_id, moment) for each stage whose rule need not be evaluated: the first moment in
    each of a person's segments at which it holds, as `own_at` of an evaluation that agrees on this stage.
    As in `derived_entries`, the yielded select is valid inside the block.

    With `former`, moments of the evaluated stages by another version in the same form, only the contacts whose moments
    differ from these are derived, and listed in the empty table `differing (contact_id)`. All others have the entries
    that they have by the other version, if the two have the same stages and exits. With `since`, contacts are left out
    whose moments only differ before it: see `_keep_differing`.

    Shapes: facts + one version + moments of some stages -> a select of the columns of `derived_entries`.
    Errors: ValueError, see `ladder_of`.
    """
    report = progress or no_progress
    ladder = ladder_of((period,))
    evaluated = [step for step in ladder.steps if step[0].stage.key not in known]
    total = len(evaluated) + 2
    reads_known = any(map(reads_stages, evaluated))
    async with job_settings(session):
        report("people and exits", 0, total)
        facts = await _fill_people(session, ladder, as_of, None)
        if reads_known:
            await _fill_known(session, ladder, known)
        for done, step in enumerate(evaluated, start=1):
            if reads_stages(step):
                await session.script("analyze funnel_own_entry")
            report(step[-1].stage.title, done, total)
            await _fill(session, "funnel_own_entry", step_statement(ladder, step, facts))
        if former is not None:
            await _keep_differing(session, ladder, former, differing, since)
        if not reads_known:
            await _fill_known(session, ladder, known, among="" if former is None else differing)
        await session.script("analyze funnel_own_entry")
        report("entries", total - 1, total)
        yield entries(ladder)
        await session.script(f"drop table {', '.join(TABLES)}")


async def _fill_known(session: ScratchSession, ladder: Ladder, known: Mapping[str, Sql], *, among: str = "") -> None:
    """Fill in the moments that need no evaluation, of the contacts in the table `among` if one is named."""
    chosen = Sql(" where m.contact_id in (select contact_id from {})", name(among)) if among else Sql("")
    for rung in ladder.rungs:
        if rung.key in known:
            rows = Sql(
                "select m.contact_id, {}::int, false, m.moment from ({}) m{}", rung.number, known[rung.key], chosen
            )
            await _fill(session, "funnel_own_entry", rows)


async def _keep_differing(
    session: ScratchSession, ladder: Ladder, former: Mapping[str, Sql], differing: str, since: datetime | None
) -> None:
    """List the contacts whose evaluated moments differ from the former ones, and delete the moments of all others.

    A contact is left out if, for every moment that differs, both versions have one in the same segment before `since`.
    Then every entry exists by both versions, whatever begins or ends from `since` on does so at the same instants, and
    only instants before `since` differ. An exit between the two moments may put implied entries of lower stages into
    different segments, so such a contact is kept.
    """
    before = union_all(
        [
            Sql("select m.contact_id, {}::int as stage_no, m.moment from ({}) m", rung.number, former[rung.key])
            for rung in ladder.rungs
            if rung.key in former
        ]
    )
    numbers = [rung.number for rung in ladder.rungs if rung.key in former]
    numbered = (
        "select contact_id, stage_no, moment, row_number() over (partition by contact_id, stage_no order by moment)"
    )
    changed = Sql(
        f"""select contact_id, b.moment as former_at, a.moment as found_at from ({numbered} as n from ({{}}) f) b
full join ({numbered} as n from funnel_own_entry where stage_no = any({{}}::int[])) a using (contact_id, stage_no, n)
where b.moment is distinct from a.moment""",
        before,
        numbers,
    )
    chosen = Sql("select contact_id from changed")
    if since is not None:
        chosen = Sql(
            """select contact_id from changed
where former_at is null or found_at is null or greatest(former_at, found_at) >= {}
union select contact_id from changed join funnel_exit x using (contact_id)
where x.at between least(former_at, found_at) and greatest(former_at, found_at)""",
            since,
        )
    await session.run(
        Sql(
            "with changed as materialized ({}) insert into {} (contact_id) select distinct contact_id from ({}) c",
            *(changed, name(differing), chosen),
        )
    )
    await session.run(Sql("analyze {}", name(differing)))
    await session.run(
        Sql(
            "delete from funnel_own_entry o where not exists (select from {} d where d.contact_id = o.contact_id)",
            name(differing),
        )
    )


async def _fill_people(session: ScratchSession, ladder: Ladder, as_of: datetime, concerned: Sql | None) -> VisibleFacts:
    """Create the temp tables, and fill those that no rule decides. Returns what the rules read."""
    tables = TABLES | ({"funnel_stage": _STAGES_OF_VERSIONS} if len(ladder.periods) > 1 else {})
    for table, columns in tables.items():
        await session.script(f"create temp table {table} ({columns}) on commit drop")
    await _fill(session, "funnel_merged", merged_rows(VisibleFacts(bound_instant(as_of), True, concerned)))
    # Autovacuum never analyzes temp tables; without statistics the planner misjudges the sizes of the joins.
    await session.script("analyze funnel_merged")
    has_merged = await session.value(Sql("select exists (select from funnel_merged)"))
    facts = VisibleFacts(bound_instant(as_of), has_merged, concerned)
    for table, selects in people_rows(ladder, facts):
        for select in selects:
            await _fill(session, table, select)
        await session.script(f"analyze {table}")
    return facts


async def _fill(session: ScratchSession, table: str, rows: Sql) -> None:
    await session.run(Sql("insert into {} {}", name(table), rows))


@asynccontextmanager
async def job_settings(session: ScratchSession, **more: str) -> AsyncIterator[None]:
    """Run the block with the settings of a job and `more`, then restore the caller's.

    After an error they are not restored: the transaction is rolled back, and its settings with it.
    """
    during = _JOB_SETTINGS | more
    before = {key: await session.value(Sql("select current_setting({})", key)) for key in during}
    for key, value in during.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))
    yield
    for key, value in before.items():
        await session.value(Sql("select set_config({}, {}, true)", key, value))
