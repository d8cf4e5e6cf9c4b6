"""The files of the migrations: which revisions this release knows, and whether each one expands or contracts.

A migration expands if the release before it still reads and writes on the migrated database, and contracts if not. Its
file says which: `kind: str = "expand"` beside `revision`.
"""

from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TextIO

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from api.errors import AccordError, ErrorCode

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"


class MigrationKind(StrEnum):
    """Whether the release before a migration still runs on the migrated database."""

    EXPAND = "expand"
    CONTRACT = "contract"


def head_revision() -> str:
    """Return the newest revision: the one that this Accord needs."""
    head = _scripts().get_current_head()
    if head is None:
        raise RuntimeError(f"no migrations in {MIGRATIONS}")
    return head


def known_revisions() -> tuple[str, ...]:
    """Return every revision that this Accord knows, newest first."""
    return tuple(script.revision for script in _scripts().walk_revisions())


def revision_titles() -> dict[str, str]:
    """Return the title of every revision, taken from its file; newest first."""
    return {script.revision: script.doc.rstrip(".") for script in _scripts().walk_revisions()}


def revision_kind(revision: str) -> MigrationKind:
    """Return what the file of a revision states. Errors: MIGRATION_FAILED if it states neither word."""
    script = _scripts().get_revision(revision)
    if script is None:
        raise ValueError(f"There is no revision {revision}.")
    stated = getattr(script.module, "kind", None)
    if stated not in tuple(MigrationKind):
        raise AccordError(
            ErrorCode.MIGRATION_FAILED,
            f"{Path(script.path).name} does not state whether the release before still runs.",
            'Write `kind: str = "expand"` beside its revision if that release still reads and writes on the migrated'
            ' database, else "contract".',
        )
    return MigrationKind(stated)


def compatible_revisions(revision: str | None) -> tuple[str, ...]:
    """Return the revisions whose releases run on a database that is at a revision: the oldest first, itself last.

    They reach back to the last migration that contracts. No release runs on an empty database (None).
    """
    if revision is None:
        return ()
    newest_first = known_revisions()
    found: list[str] = []
    for known in newest_first[newest_first.index(revision) :]:
        found.append(known)
        if revision_kind(known) is MigrationKind.CONTRACT:
            break
    return tuple(reversed(found))


def target_revision(to: str) -> str | None:
    """Return the full id of a revision named by `head`, `base` (None) or the beginning of its id.

    Errors: BAD_INPUT if no revision, or more than one, has that name.
    """
    if to == "base":
        return None
    known = known_revisions()
    found = [head_revision()] if to == "head" else [revision for revision in known if revision.startswith(to)]
    if len(found) != 1 or not to:
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"There is no revision '{to}'.",
            f"Pass head, base, or one of {', '.join(known)} (newest first).",
        )
    return found[0]


def alembic_config(connection: Connection | None = None, output: TextIO | None = None) -> Config:
    """Return Alembic's configuration. It is built in code, because an installed Accord has no alembic.ini."""
    config = Config(attributes={"connection": connection}, output_buffer=output)
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    stats = ((path.name, path.stat()) for path in (MIGRATIONS / "versions").glob("*.py"))
    return _read_scripts(MIGRATIONS, frozenset((name, stat.st_mtime_ns, stat.st_size) for name, stat in stats))


# Alembic executes the files, which takes 17 ms where Python may not store bytecode, and every readiness check asks.
@lru_cache(maxsize=4)
def _read_scripts(_folder: Path, _files: frozenset[tuple[str, int, int]]) -> ScriptDirectory:
    return ScriptDirectory.from_config(alembic_config())
