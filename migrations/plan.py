"""Preview a migration: the statements that would run on a database and the locks they would take. Nothing is run."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, text

from api.revisions import (
    MigrationKind,
    compatible_revisions,
    is_downgrade,
    known_revisions,
    nothing_to_do,
    open_connection,
    present_revision,
    revision_kind,
    revision_titles,
    target_revision,
)
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
    """The size of a table: rows as PostgreSQL estimates them (None: never analyzed), and bytes including indexes."""

    rows: int | None
    bytes: int


@dataclass(frozen=True, slots=True)
class PlannedStatement:
    """A statement and the locks it takes on tables that exist already."""

    statement: Statement
    locks: tuple[TableLock, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A migration that would run, as an upgrade or a downgrade."""

    revision: str
    title: str
    is_upgrade: bool
    kind: MigrationKind
    statements: tuple[PlannedStatement, ...]


@dataclass(frozen=True, slots=True)
class MigrationPlan:
    """The steps from the present revision to the target (None: an empty database), and the sizes of the tables.

    Afterwards, releases from the revision `oldest` on run on the database.
    """

    present: str | None
    target: str | None
    oldest: str | None
    steps: tuple[PlannedStep, ...]
    sizes: Mapping[str, TableSize]


async def plan(dsn: str, *, to: str = "head", may_go_back: bool = False) -> MigrationPlan:
    """Plan what `api.revisions.migrate` would run with the same arguments.

    Errors: DATABASE_NEWER; BAD_INPUT for an unknown target, and for an earlier one without `may_go_back`.
    """
    target = target_revision(to)
    async with open_connection(dsn) as connection:
        present = await present_revision(connection)
        if await nothing_to_do(connection, present, to):
            return MigrationPlan(present, present, None, (), {})
        goes_back = is_downgrade(target, present, may_go_back=may_go_back)
        sizes, lookup = await connection.run_sync(_read)
    titles = revision_titles()
    steps = tuple(
        PlannedStep(
            revision,
            titles[revision],
            not goes_back,
            revision_kind(revision),
            _planned(revision, not goes_back, lookup, sizes),
        )
        for revision in _between(present, target, goes_back=goes_back)
    )
    return MigrationPlan(present, target, next(iter(compatible_revisions(target)), None), steps, sizes)


def _between(present: str | None, target: str | None, *, goes_back: bool) -> list[str]:
    """Return the revisions to run, in their order."""
    newest_first = known_revisions()
    newer, older = (present, target) if goes_back else (target, present)
    first = newest_first.index(newer) if newer else len(newest_first)
    end = newest_first.index(older) if older else len(newest_first)
    revisions = list(newest_first[first:end])
    return revisions if goes_back else revisions[::-1]


def _planned(
    revision: str, is_upgrade: bool, lookup: CatalogLookup, sizes: Mapping[str, TableSize]
) -> tuple[PlannedStatement, ...]:
    """Return each statement with its locks. Tables that the plan itself creates are left out: no session uses them."""
    return tuple(
        PlannedStatement(
            statement,
            tuple(lock for lock in locks_taken(statement.text, lookup) if lock.table in sizes or not lock.is_known),
        )
        for statement in statements(revision, is_upgrade=is_upgrade)
    )


def _read(connection: Connection) -> tuple[dict[str, TableSize], CatalogLookup]:
    """Read the existing tables with their sizes, and what index and foreign key names refer to."""
    sizes = {
        table: TableSize(rows if rows >= 0 else None, size)
        for table, rows, size in connection.execute(text(_TABLES)).all()
    }
    indexes = {str(index): str(table) for index, table in connection.execute(text(_INDEXES)).all()}
    keys = {(table, name): other for table, name, other in connection.execute(text(_FOREIGN_KEYS)).all()}
    return sizes, CatalogLookup(indexes, keys)
