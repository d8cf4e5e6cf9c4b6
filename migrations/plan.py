"""What migrating a database would run, and whom it would keep waiting: read, never run."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from api.revisions import connected, goes_back_to, known_revisions, present_revision, revision_titles, target_revision
from migrations.locks import CatalogLookup, TableLock, locks_taken
from migrations.statements import Statement, statements

_TABLES = """
select relname, reltuples::bigint, pg_total_relation_size(oid)
from pg_class where relkind in ('r', 'p') and relnamespace = current_schema()::regnamespace
"""
_INDEXES = """
select i.relname, t.relname
from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class t on t.oid = x.indrelid
where t.relnamespace = current_schema()::regnamespace
"""
_FOREIGN_KEYS = """
select t.relname, c.conname, f.relname
from pg_constraint c join pg_class t on t.oid = c.conrelid join pg_class f on f.oid = c.confrelid
where c.contype = 'f' and t.relnamespace = current_schema()::regnamespace
"""


@dataclass(frozen=True, slots=True)
class TableSize:
    """How large a table is: rows by PostgreSQL's estimate (None: never counted), bytes with indexes."""

    rows: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """A statement, and the locks that it takes on tables that are there already."""

    statement: Statement
    locks: tuple[TableLock, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A migration that would run, forwards or back."""

    revision: str
    title: str
    is_upgrade: bool
    statements: tuple[PlannedStatement, ...]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """Where a database is, what would run to take it to the target (None: empty), and how large its tables are."""

    present: str | None
    target: str | None
    steps: tuple[PlannedStep, ...]
    sizes: Mapping[str, TableSize]


async def plan(dsn: str, *, to: str = "head", may_go_back: bool = False) -> MigrationPlan:
    """Find out what `migrate` with the same words would run.

    Errors: those of `api.revisions.migrate` that are known beforehand: DATABASE_NEWER, BAD_INPUT.
    """
    target = target_revision(to)
    async with connected(dsn) as connection:
        present = await present_revision(connection)
        goes_back = goes_back_to(target, present, may_go_back=may_go_back)
        sizes, names = await connection.run_sync(_read)
    titles = revision_titles()
    steps = tuple(
        PlannedStep(each, titles[each], not goes_back, _planned(each, not goes_back, names, sizes))
        for each in _between(present, target, goes_back=goes_back)
    )
    return MigrationPlan(present, target, steps, sizes)


def _between(present: str | None, target: str | None, *, goes_back: bool) -> list[str]:
    """The revisions to run, in their order."""
    newest_first = known_revisions()
    from_newest, behind = (present, target) if goes_back else (target, present)
    first = newest_first.index(from_newest) if from_newest else len(newest_first)
    end = newest_first.index(behind) if behind else len(newest_first)
    found = list(newest_first[first:end])
    return found if goes_back else found[::-1]


def _planned(
    revision: str, is_upgrade: bool, names: CatalogLookup, sizes: Mapping[str, TableSize]
) -> tuple[PlannedStatement, ...]:
    """Each statement with its locks; nobody can wait for a table that the plan itself makes."""
    return tuple(
        PlannedStatement(
            each, tuple(hold for hold in locks_taken(each.text, names) if hold.table in sizes or not hold.is_known)
        )
        for each in statements(revision, is_upgrade=is_upgrade)
    )


def _read(connection: Connection) -> tuple[dict[str, TableSize], CatalogLookup]:
    """The tables that are there, and what names mean among them."""
    sizes = {
        table: TableSize(rows if rows >= 0 else None, size)
        for table, rows, size in connection.execute(text(_TABLES)).all()
    }
    indexes = {str(index): str(table) for index, table in connection.execute(text(_INDEXES)).all()}
    keys = {(table, name): other for table, name, other in connection.execute(text(_FOREIGN_KEYS)).all()}
    return sizes, CatalogLookup(indexes, keys)
