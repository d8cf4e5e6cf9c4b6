"""A migration plan as text: the SQL that would run, with comments on what it would lock."""

from collections.abc import Iterator

from api.revisions import MigrationKind
from migrations.locks import LockMode, TableLock
from migrations.plan import MigrationPlan, PlannedStep, TableSize

_KINDS = {
    MigrationKind.EXPAND: "expand: the release before it keeps running",
    MigrationKind.CONTRACT: "contract: releases before it do not run any more",
}


def migration_plan_text(plan: MigrationPlan, database: str) -> str:
    """The plan as SQL with comments, which can be stored, reviewed and run as it is."""
    return "\n".join(_lines(plan, database))


def _lines(plan: MigrationPlan, database: str) -> Iterator[str]:
    present = f"at revision {plan.present}" if plan.present else "empty"
    if not plan.steps:
        yield f"-- {database}: {present}. Nothing would run."
        return
    target = f"revision {plan.target}" if plan.target else "empty"
    count = f"{len(plan.steps)} migration{'s' if len(plan.steps) > 1 else ''}"
    yield f"-- {database}: {present}. {count} would run, to {target}. Nothing was run."
    yield "-- Rows and sizes are PostgreSQL's estimates (pg_class). Locks on tables that are created here block nobody."
    if plan.oldest:
        yield f"-- Afterwards, Accord from revision {plan.oldest} on runs on the database; older ones refuse it."
    for step in plan.steps:
        yield from _step_lines(step, plan)
    yield ""
    yield "-- The strongest lock on each existing table:"
    strongest = _strongest_locks(plan)
    yield from (_lock_line(hold, plan, "-- ") for hold in strongest)
    if not strongest:
        yield "-- none"


def _step_lines(step: PlannedStep, plan: MigrationPlan) -> Iterator[str]:
    direction = "apply" if step.is_upgrade else "undo"
    yield ""
    yield f"-- {direction} {step.revision} {step.title}"
    if step.is_upgrade:
        yield f"-- {_KINDS[step.kind]}"
    was_in_transaction = False
    for planned in step.statements:
        if planned.statement.is_in_transaction != was_in_transaction:
            was_in_transaction = not was_in_transaction
            yield "begin; -- its locks are held until it commits" if was_in_transaction else "commit;"
        yield planned.statement.text
        yield from (_lock_line(hold, plan, "--   ") for hold in planned.locks)
    if was_in_transaction:
        yield "commit;"


def _lock_line(hold: TableLock, plan: MigrationPlan, indent: str) -> str:
    size = f" ({_size(plan.sizes[hold.table])})" if hold.table in plan.sizes else ""
    doubt = "" if hold.is_known else " The statement is not recognised: review it; this is the worst case."
    return f"{indent}{hold.table}{size}: {hold.lock.words}, {hold.lock.effect}; {hold.work.words}.{doubt}"


def _size(size: TableSize) -> str:
    rows = "rows not counted yet" if size.rows is None else f"about {size.rows:,} rows"
    return f"{rows}, {_bytes(size.bytes)}"


def _bytes(count: float) -> str:
    for unit in ("bytes", "kB", "MB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GB"


def _strongest_locks(plan: MigrationPlan) -> list[TableLock]:
    """The strongest lock on every table, with the strongest first."""
    found: dict[str, TableLock] = {}
    for hold in (hold for step in plan.steps for planned in step.statements for hold in planned.locks):
        before = found.get(hold.table, hold)
        lock: LockMode = max(hold.lock, before.lock)
        found[hold.table] = TableLock(hold.table, lock, max(hold.work, before.work), hold.is_known and before.is_known)
    return sorted(found.values(), key=lambda hold: (-hold.lock, -hold.work, hold.table))
