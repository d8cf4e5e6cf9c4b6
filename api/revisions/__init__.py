"""The schema revision of a database: migrate to another revision, and judge before use whether this release fits.

The migrations are files that ship beside `api`. Alembic runs them, on the only SQLAlchemy connection of the project.

    migration_files.py  the revisions that this release knows, and whether each expands or contracts
    connection.py       the connection for Alembic, and the revision that it finds
    compatibility.py    the releases that run on a database: stored by migrations, judged before use
    waiting.py          for which sessions a migration waits
    migrating.py        running migrations
"""

from api.revisions.compatibility import is_fresh, require_compatible, store_compatibility, stored_compatibility
from api.revisions.connection import open_connection, present_revision
from api.revisions.migrating import MigrationResult, MigrationStep, is_downgrade, migrate, nothing_to_do
from api.revisions.migration_files import (
    MIGRATIONS,
    MigrationKind,
    alembic_config,
    compatible_revisions,
    head_revision,
    known_revisions,
    revision_kind,
    revision_titles,
    target_revision,
)

__all__ = [
    "MIGRATIONS",
    "MigrationKind",
    "MigrationResult",
    "MigrationStep",
    "alembic_config",
    "compatible_revisions",
    "head_revision",
    "is_downgrade",
    "is_fresh",
    "known_revisions",
    "migrate",
    "nothing_to_do",
    "open_connection",
    "present_revision",
    "require_compatible",
    "revision_kind",
    "revision_titles",
    "store_compatibility",
    "stored_compatibility",
    "target_revision",
]
