"""A plan of migrations as text: the SQL that would run, and in its comments whom it would keep waiting."""

from collections.abc import Iterator

from migrations.locks import LockMode, TableLock
from migrations.plan import MigrationPlan, PlannedStep, TableSize


def plan_text(plan: MigrationPlan, database: str) -> str:
    """Write a plan as SQL with comments, so that it can be read, kept and reviewed as it is."""
    return "\n".join(_lines(plan, database))


def _lines(plan: MigrationPlan, database: str) -> Iterator[str]:
    present = f"at revision {plan.present}" if plan.present else "empty"
    if not plan.steps:
        yield f"-- {database}: {present}. Nothing would run."
        return
    target = f"revision {plan.target}" if plan.target else "empty"
    count = f"{len(plan.steps)} migration{'s' if len(plan.steps) > 1 else ''}"
    yield f"-- {database}: {present}. {count} would run, to {target}. Nothing was run."
    yield "-- Rows and sizes are PostgreSQL's own estimates (pg_class); a table that is made here keeps nobody waiting."
    for step in plan.steps:
        yield from _step(step, plan)
    yield ""
    yield "-- The strongest lock on each table that is there:"
    strongest = _strongest(plan)
    yield from (_hold(each, plan, "-- ") for each in strongest)
    if not strongest:
        yield "-- none"


def _step(step: PlannedStep, plan: MigrationPlan) -> Iterator[str]:
    way = "apply" if step.is_upgrade else "undo"
    yield ""
    yield f"-- {way} {step.revision} {step.title}"
    was_inside = False
    for each in step.statements:
        if each.statement.is_in_transaction != was_inside:
            was_inside = not was_inside
            yield "begin; -- its locks are held until it commits" if was_inside else "commit;"
        yield each.statement.text
        yield from (_hold(hold, plan, "--   ") for hold in each.locks)
    if was_inside:
        yield "commit;"


def _hold(hold: TableLock, plan: MigrationPlan, indent: str) -> str:
    size = f" ({_size(plan.sizes[hold.table])})" if hold.table in plan.sizes else ""
    doubt = "" if hold.is_known else " This statement is not recognised: read it; at the worst it is so."
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


def _strongest(plan: MigrationPlan) -> list[TableLock]:
    """What each table has to bear at the worst, the worst first."""
    found: dict[str, TableLock] = {}
    for hold in (hold for step in plan.steps for each in step.statements for hold in each.locks):
        before = found.get(hold.table, hold)
        lock: LockMode = max(hold.lock, before.lock)
        found[hold.table] = TableLock(hold.table, lock, max(hold.work, before.work), hold.is_known and before.is_known)
    return sorted(found.values(), key=lambda each: (-each.lock, -each.work, each.table))
