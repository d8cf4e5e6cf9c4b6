"""Move the steps of a drafted migration that would block other sessions into a second migration.

On a table in use, building an index blocks writers, and adding a CHECK or foreign key scans every row under its lock.
So the first migration adds constraints as `not valid`, which checks new rows at once, and the second validates
them and builds the indexes concurrently. The second one may fail halfway and be run again.
"""

import re

from alembic.operations.ops import (
    CreateForeignKeyOp,
    CreateIndexOp,
    DowngradeOps,
    DropColumnOp,
    DropIndexOp,
    MigrateOperation,
    MigrationScript,
    ModifyTableOps,
    OpContainer,
    UpgradeOps,
)
from alembic.util import rev_id

from migrations.catalogue import Catalogue, DatabaseObject
from migrations.operations import OutsideOp, StatementOp


def defer_steps(script: MigrationScript, migrated: Catalogue, declared: Catalogue) -> list[DatabaseObject]:
    """Remove the blocking steps from a drafted migration; return the indexes and constraints that are left to do."""
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None:
        return []
    later: list[DatabaseObject] = []
    for change in list(up.ops):
        if isinstance(change, ModifyTableOps) and DatabaseObject("table", change.table_name, "") in migrated:
            change.ops = _kept(change, declared, later)
            if not change.ops:
                up.ops.remove(change)
    indexes = {entry.name for entry in later if entry.kind == "index"}
    for change in list(down.ops):
        if isinstance(change, ModifyTableOps):
            change.ops = [op for op in change.ops if not (isinstance(op, _INDEX_OPS) and op.index_name in indexes)]
            if not change.ops:
                down.ops.remove(change)
    return later


def deferred_migration(
    script: MigrationScript, later: list[DatabaseObject], migrated: Catalogue, declared: Catalogue
) -> MigrationScript:
    """Build the migration after `script` that takes the deferred steps. Every statement may be run again."""
    constraints = [entry for entry in later if entry.kind != "index"]
    indexes = [entry for entry in later if entry.kind == "index"]
    validated = [StatementOp(f"alter table {entry.on_table} validate constraint {entry.name}") for entry in constraints]
    return MigrationScript(
        rev_id(),
        UpgradeOps([*validated, *_built(indexes, declared)]),
        DowngradeOps(_built(indexes, migrated)),
        message=f"{(script.message or '').rstrip('.')}: indexes and checks",
        imports=set(),
        head=script.rev_id if _does_something(script) else script.head,
        splice=script.splice,
        version_path=script.version_path,
    )


_INDEX_OPS = (CreateIndexOp, DropIndexOp)


def _does_something(script: MigrationScript) -> bool:
    return script.upgrade_ops is not None and not script.upgrade_ops.is_empty()


def _kept(container: OpContainer, declared: Catalogue, later: list[DatabaseObject]) -> list[MigrateOperation]:
    """Return the operations on a table in use that stay in the first migration; append the others to `later`."""
    # Dropping a column drops its indexes too, and a downgrade can only restore them after the column.
    drops_columns = any(isinstance(operation, DropColumnOp) for operation in container.ops)
    kept: list[MigrateOperation] = []
    for operation in container.ops:
        match operation:
            case CreateIndexOp(table_name=table, index_name=str(name)):
                later.append(DatabaseObject("index", table, name))
            case DropIndexOp(table_name=str(table), index_name=str(name)) if not drops_columns:
                later.append(DatabaseObject("index", table, name))
            case CreateForeignKeyOp(source_table=table, constraint_name=str(name)):
                entry = DatabaseObject("foreign key", table, name)
                kept.append(StatementOp(f"alter table {table} add constraint {name} {declared[entry]} not valid"))
                later.append(entry)
            case _:
                kept.append(operation)
    return kept


def _built(indexes: list[DatabaseObject], catalogue: Catalogue) -> list[MigrateOperation]:
    """Build the indexes as the catalogue defines them. An invalid index that a failed run left is dropped first."""
    operations: list[MigrateOperation] = []
    for entry in dict.fromkeys(indexes):
        operations.append(OutsideOp(f"drop index concurrently if exists {entry.name}"))
        if entry in catalogue:
            operations.append(
                OutsideOp(re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", catalogue[entry]))
            )
    return operations
