"""What would keep others waiting goes into a second migration, drafted behind the first.

On a table in use, building an index shuts out writers, and a new CHECK or foreign key reads every row under the lock.
So the first migration adds constraints as `not valid` (new rows are held to them at once), and the second, which may
fail and be run again, validates them and builds the indexes concurrently.
"""

import re
from typing import Any

import sqlalchemy as sa
from alembic.operations.ops import (
    AddColumnOp,
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
from schema.history import version_name
from schema.tables import METADATA


def put_off(script: MigrationScript, migrated: Catalogue, declared: Catalogue) -> list[DatabaseObject]:
    """Take out of a drafted migration what is better done in a second one; return the parts that are left for it."""
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None:
        return []
    later: list[DatabaseObject] = []
    for each in list(up.ops):
        if isinstance(each, ModifyTableOps) and DatabaseObject("table", each.table_name, "") in migrated:
            each.ops = _kept(each, declared, later)
            if not each.ops:
                up.ops.remove(each)
    indexes = {part.name for part in later if part.kind == "index"}
    for each in list(down.ops):
        if isinstance(each, ModifyTableOps):
            each.ops = [op for op in each.ops if not (isinstance(op, _INDEX_OPS) and op.index_name in indexes)]
            if not each.ops:
                down.ops.remove(each)
    return later


def second(
    script: MigrationScript, later: list[DatabaseObject], migrated: Catalogue, declared: Catalogue
) -> MigrationScript:
    """Write the migration behind `script` that does what was put off. Each statement may be run again."""
    constraints = [part for part in later if part.kind != "index"]
    indexes = [part for part in later if part.kind == "index"]
    validated = [StatementOp(f"alter table {part.on_table} validate constraint {part.name}") for part in constraints]
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
    """The operations on a table in use that stay in the first migration; the others are noted in `later`."""
    # An index goes with its column, and could not come back before the column does.
    drops_columns = any(isinstance(each, DropColumnOp) for each in container.ops)
    kept: list[MigrateOperation] = []
    for each in container.ops:
        match each:
            case CreateIndexOp(table_name=table, index_name=str(name)):
                later.append(DatabaseObject("index", table, name))
            case DropIndexOp(table_name=str(table), index_name=str(name)) if not drops_columns:
                later.append(DatabaseObject("index", table, name))
            case CreateForeignKeyOp(source_table=table, constraint_name=str(name)):
                part = DatabaseObject("foreign key", table, name)
                kept.append(StatementOp(f"alter table {table} add constraint {name} {declared[part]} not valid"))
                later.append(part)
            case AddColumnOp(table_name=table, column=added) if _is_required(added):
                kept += _filled(table, added)
            case _:
                kept.append(each)
    return kept


def _is_required(added: sa.Column[Any]) -> bool:
    return not added.nullable and added.server_default is None


def _filled(table: str, added: sa.Column[Any]) -> list[MigrateOperation]:
    """Add a required column of a version table: past versions have the default of the record's own column."""
    own = next((each for each in METADATA.tables.values() if version_name(each.name) == table), None)
    default = own.columns[added.name].server_default if own is not None else None
    if not isinstance(default, sa.DefaultClause):
        return [AddColumnOp(table, added)]
    filled = sa.Column(
        added.name, added.type, server_default=sa.text(str(default.arg)), nullable=False, comment=added.comment
    )
    return [AddColumnOp(table, filled), StatementOp(f"alter table {table} alter column {added.name} drop default")]


def _built(indexes: list[DatabaseObject], catalogue: Catalogue) -> list[MigrateOperation]:
    """Make the indexes be as the catalogue says. One that was left half built is dropped first."""
    made: list[MigrateOperation] = []
    for part in dict.fromkeys(indexes):
        made.append(OutsideOp(f"drop index concurrently if exists {part.name}"))
        if part in catalogue:
            made.append(
                OutsideOp(re.sub(r"^CREATE (UNIQUE )?INDEX ", r"CREATE \1INDEX CONCURRENTLY ", catalogue[part]))
            )
    return made
