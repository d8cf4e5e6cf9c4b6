"""Add what Alembic's autogenerate misses to the migration it drafts.

Alembic compares tables, columns, types, defaults, comments, indexes, unique constraints and foreign keys. This module
adds CHECKs and primary keys of existing tables, changed index predicates, functions and triggers: `op.execute` lines.
"""

from collections.abc import Iterator
from typing import Any

from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from migrations.catalogue import Catalogue, DatabaseObject, read, read_declared
from migrations.deferred import defer_steps, deferred_migration
from migrations.operations import StatementOp

# The order of creation; drops run in reverse.
_MISSED = ("primary key", "check", "index", "function", "trigger")


def complete_draft(context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:  # noqa: ANN401
    """Complete the drafted upgrade and downgrade, and move blocking steps to a second migration (Alembic's hook)."""
    connection = context.connection
    if connection is None or not directives:
        return
    script = directives[0]
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None:
        return
    migrated, declared = read(connection), read_declared(connection)
    later = defer_steps(script, migrated, declared)
    later += [entry for entry in _changed({**migrated, **declared}, migrated, declared) if entry.kind == "index"]
    later += [entry for entry in _changed(declared, migrated, declared) if entry.kind == "check"]
    up.ops[:0] = [StatementOp(sql) for sql in drop_statements(migrated, declared, without="index")]
    up.ops.extend(StatementOp(sql) for sql in create_statements(migrated, declared, without="index", not_valid="check"))
    down.ops[:0] = [StatementOp(sql) for sql in drop_statements(declared, migrated, without="index")]
    down.ops.extend(StatementOp(sql) for sql in create_statements(declared, migrated, without="index"))
    if later:
        directives.append(deferred_migration(script, later, migrated, declared))
    only_if_needed = context.config is not None and context.config.attributes.get("only_if_needed")
    if up.is_empty() and (later or only_if_needed):
        directives.remove(script)


def drop_statements(before: Catalogue, after: Catalogue, *, without: str = "") -> Iterator[str]:
    """Yield the statements that drop removed and changed objects, except those of kind `without`. They run first."""
    for entry in reversed(_changed(before, before, after)):
        match entry.kind:
            case kind if kind == without:
                continue
            case "function" if entry in after:
                continue  # its triggers depend on it: `create or replace` changes it in place
            case "function":
                yield f"drop function {entry.name}()"
            case "trigger":
                yield f"drop trigger {entry.name} on {entry.on_table}"
            case "index":
                yield f"drop index {entry.name}"
            case _:
                yield f"alter table {entry.on_table} drop constraint {entry.name}"


def create_statements(before: Catalogue, after: Catalogue, *, without: str = "", not_valid: str = "") -> Iterator[str]:
    """Yield the statements that create new and changed objects, except those of kind `without`. They run last.

    Constraints of kind `not_valid` are created without checking existing rows.
    """
    for entry in _changed(after, before, after):
        if entry.kind == without:
            continue
        if entry.kind in ("function", "trigger", "index"):
            yield after[entry]
        else:
            suffix = " not valid" if entry.kind == not_valid else ""
            yield f"alter table {entry.on_table} add constraint {entry.name} {after[entry]}{suffix}"


def _changed(side: Catalogue, before: Catalogue, after: Catalogue) -> list[DatabaseObject]:
    """Return the changed objects of one side that Alembic misses, in the order of creation."""
    return sorted(
        (entry for entry in side if before.get(entry) != after.get(entry) and _is_missed(entry, before, after)),
        key=lambda entry: (_MISSED.index(entry.kind), entry),
    )


def _is_missed(entry: DatabaseObject, before: Catalogue, after: Catalogue) -> bool:
    if entry.kind not in _MISSED:
        return False
    if entry.kind in ("function", "trigger"):
        return True
    if entry.kind == "index":
        return _in_both(entry, before, after)  # Alembic sees new and dropped indexes, but not a changed predicate
    return _in_both(DatabaseObject("table", entry.on_table, ""), before, after)


def _in_both(entry: DatabaseObject, *catalogues: Catalogue) -> bool:
    return all(entry in catalogue for catalogue in catalogues)
