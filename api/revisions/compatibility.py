"""Which releases run on a database: stored by every migration, and judged by every process before it uses the database.

A release cannot know the migrations of newer releases. So each migration stores, in its own transaction, the revisions
whose releases still run: back to the last migration that contracts. A release runs if its own revision is among them.
"""

from dataclasses import dataclass

from sqlalchemy import Connection, text

from api.db import Database, ReadSession, require_supported_version
from api.errors import AccordError, ErrorCode
from api.revisions.migration_files import compatible_revisions, head_revision, known_revisions
from api.sql import Sql

# Beside Alembic's own table, and like it no part of the declarations. It has one row: the oldest revision comes first.
COMPATIBILITY_TABLE = "schema_compatibility"
_STORED = f"select revisions from {COMPATIBILITY_TABLE}"
_CREATE = f"""
create table {COMPATIBILITY_TABLE} (
  is_only boolean primary key default true check (is_only),
  revisions text[] not null
)
"""
_COMMENT = (
    f"comment on table {COMPATIBILITY_TABLE} is"
    " 'The revisions whose releases run on this database, the oldest first. Written by migrations.'"
)


@dataclass(frozen=True, slots=True)
class Compatibility:
    """The revision that a database is at (None: not set up), and the revisions whose releases run, the oldest first."""

    present: str | None
    revisions: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Whether this release runs on the database."""
        return self.present == head_revision() or head_revision() in self.revisions

    @property
    def is_newer(self) -> bool:
        """Whether a newer release migrated the database."""
        return self.present is not None and self.present not in known_revisions()


def store_compatibility(connection: Connection, revision: str | None) -> None:
    """Store which releases run on the database from now on, where `revision` is the one that a migration leads to."""
    if not _has_table(connection):
        connection.execute(text(_CREATE))
        connection.execute(text(_COMMENT))
    connection.execute(
        text(
            f"insert into {COMPATIBILITY_TABLE} (revisions) values (:revisions)"
            " on conflict (is_only) do update set revisions = excluded.revisions"
        ),
        {"revisions": list(compatible_revisions(revision))},
    )


def stored_compatibility(connection: Connection, present: str | None) -> Compatibility:
    """Return what the database stores, where `present` is the revision that it is at."""
    found = connection.scalar(text(_STORED)) if _has_table(connection) else None
    return Compatibility(present, tuple(found or ()))


async def require_compatible(database: Database) -> None:
    """Require a database on which this release runs: at its revision, or expanded since by a newer release.

    Errors: DATABASE_OUTDATED; DATABASE_NEWER; DATABASE_VERSION if the server is of a version that is not supported.
    """
    async with database.read() as session:
        require_supported_version(session.connection.get_server_version().major)
        found = await _compatibility(session)
    if found.fits:
        return
    if found.present is None:
        raise AccordError(ErrorCode.DATABASE_OUTDATED, "The database is not set up.", "Run `accord migrate`.")
    if found.is_newer:
        raise newer_database(found)
    raise AccordError(
        ErrorCode.DATABASE_OUTDATED,
        f"The database is at revision {found.present}, of an older Accord; this Accord needs {head_revision()}.",
        "Run `accord migrate`.",
    )


def newer_database(found: Compatibility) -> AccordError:
    """Return the error of a database that a newer release migrated, and on which this release does not run."""
    head = head_revision()
    oldest = f" It runs Accord from revision {found.revisions[0]} on." if found.revisions else ""
    return AccordError(
        ErrorCode.DATABASE_NEWER,
        f"The database is at revision {found.present}: a newer Accord has migrated it, and this Accord, of revision"
        f" {head}, does not run on it any more.{oldest}",
        "Install the newer Accord. To return to this one, run the newer Accord's"
        f" `accord migrate --to {head} --back`, which drops what was added since.",
    )


async def is_fresh(database: Database) -> bool:
    """Return whether the database has no tables at all."""
    has_tables = Sql("select exists (select from pg_tables where schemaname = current_schema())")
    async with database.read() as session:
        return not await session.value(has_tables)


async def _compatibility(session: ReadSession) -> Compatibility:
    tables = Sql(
        "select to_regclass('alembic_version') is not null as a, to_regclass({}) is not null as b", COMPATIBILITY_TABLE
    )
    (exists,) = await session.rows(tables)
    present = await session.value(Sql("select version_num from alembic_version")) if exists["a"] else None
    stored = await session.value(Sql(_STORED)) if exists["b"] else None
    return Compatibility(present, tuple(stored or ()))


def _has_table(connection: Connection) -> bool:
    return bool(connection.scalar(text("select to_regclass(:name) is not null"), {"name": COMPATIBILITY_TABLE}))
