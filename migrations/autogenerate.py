"""What Alembic's autogenerate misses, added to the migration it drafts.

Alembic compares tables, columns, types, defaults, comments, indexes, unique constraints and foreign keys. CHECKs and
primary keys of tables that stay, index predicates, functions and triggers come from here, as `op.execute` lines.
"""

from collections.abc import Iterator
from typing import Any

from alembic.operations.ops import MigrationScript
from alembic.runtime.migration import MigrationContext

from migrations.catalogue import Catalogue, DatabaseObject, read, read_declared
from migrations.deferred import put_off, second
from migrations.operations import StatementOp

# In the order in which they can be made; they are dropped the other way round.
_MISSED = ("primary key", "check", "index", "function", "trigger")


def complete(context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:  # noqa: ANN401
    """Alembic's hook: add what it missed to the drafted upgrade and downgrade, and split off what would block."""
    connection = context.connection
    if connection is None or not directives:
        return
    script = directives[0]
    up, down = script.upgrade_ops, script.downgrade_ops
    if up is None or down is None:
        return
    migrated, declared = read(connection), read_declared(connection)
    later = put_off(script, migrated, declared)
    later += [part for part in _changed({**migrated, **declared}, migrated, declared) if part.kind == "index"]
    later += [part for part in _changed(declared, migrated, declared) if part.kind == "check"]
    up.ops[:0] = [StatementOp(each) for each in drops(migrated, declared, without="index")]
    up.ops.extend(StatementOp(each) for each in creates(migrated, declared, without="index", not_valid="check"))
    down.ops[:0] = [StatementOp(each) for each in drops(declared, migrated, without="index")]
    down.ops.extend(StatementOp(each) for each in creates(declared, migrated, without="index"))
    if later:
        directives.append(second(script, later, migrated, declared))
    only_if_needed = context.config is not None and context.config.attributes.get("only_if_needed")
    if up.is_empty() and (later or only_if_needed):
        directives.remove(script)


def drops(before: Catalogue, after: Catalogue, *, without: str = "") -> Iterator[str]:
    """Statements that take away what is gone or changed, but for one kind; they run first."""
    for part in reversed(_changed(before, before, after)):
        match part.kind:
            case kind if kind == without:
                continue
            case "function" if part in after:
                continue  # replaced in place, for its triggers depend on it
            case "function":
                yield f"drop function {part.name}()"
            case "trigger":
                yield f"drop trigger {part.name} on {part.on_table}"
            case "index":
                yield f"drop index {part.name}"
            case _:
                yield f"alter table {part.on_table} drop constraint {part.name}"


def creates(before: Catalogue, after: Catalogue, *, without: str = "", not_valid: str = "") -> Iterator[str]:
    """Statements that make what is new or changed, but for one kind, and one kind unproven; they run last."""
    for part in _changed(after, before, after):
        if part.kind == without:
            continue
        if part.kind in ("function", "trigger", "index"):
            yield after[part]
        else:
            unproven = " not valid" if part.kind == not_valid else ""
            yield f"alter table {part.on_table} add constraint {part.name} {after[part]}{unproven}"


def _changed(side: Catalogue, before: Catalogue, after: Catalogue) -> list[DatabaseObject]:
    """The parts of one side that Alembic misses, in the order in which they can be made."""
    return sorted(
        (part for part in side if before.get(part) != after.get(part) and _is_missed(part, before, after)),
        key=lambda part: (_MISSED.index(part.kind), part),
    )


def _is_missed(part: DatabaseObject, before: Catalogue, after: Catalogue) -> bool:
    if part.kind not in _MISSED:
        return False
    if part.kind in ("function", "trigger"):
        return True
    if part.kind == "index":
        return _in_both(part, before, after)  # Alembic sees those that come and go, but not a changed predicate
    return _in_both(DatabaseObject("table", part.on_table, ""), before, after)


def _in_both(part: DatabaseObject, *catalogues: Catalogue) -> bool:
    return all(part in each for each in catalogues)
