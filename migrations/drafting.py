"""What Alembic's autogenerate misses, added to the migration it drafts.

Alembic compares tables, columns, types, defaults, comments, indexes, unique constraints and foreign keys. CHECKs and
primary keys of tables that stay, index predicates, functions and triggers come from here, as `op.execute` lines.
"""

import re
from collections.abc import Iterator
from typing import Any

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import ExecuteSQLOp, MigrationScript
from alembic.runtime.migration import MigrationContext

from migrations.catalogue import Catalogue, Part, read, read_declared

# In the order in which they can be made; they are dropped the other way round.
_MISSED = ("primary key", "check", "index", "function", "trigger")
_LOOKS_BOUND = re.compile(r"(?<![:\w\\]):(?=\w)")


class StatementOp(ExecuteSQLOp):
    """One statement, written into the migration line by line so that a diff of it can be read."""


@renderers.dispatch_for(StatementOp)
def _render(_context: AutogenContext, op: StatementOp) -> str:
    # op.execute would take `:word` for a parameter.
    lines = _LOOKS_BOUND.sub(r"\\:", str(op.sqltext)).splitlines(keepends=True)
    return f"op.execute({' '.join(repr(line) for line in lines)})"


def complete(context: MigrationContext, _revision: Any, directives: list[MigrationScript]) -> None:  # noqa: ANN401
    """Alembic's hook: add what it missed to the drafted upgrade and downgrade."""
    connection = context.connection
    if connection is None or not directives:
        return
    script = directives[0]
    migrated, declared = read(connection), read_declared(connection)
    for drafted, before, after in (
        (script.upgrade_ops, migrated, declared),
        (script.downgrade_ops, declared, migrated),
    ):
        if drafted is None:
            return
        drafted.ops[:0] = [StatementOp(each) for each in drops(before, after)]
        drafted.ops.extend(StatementOp(each) for each in creates(before, after))
        if drafted.is_empty() and context.config is not None and context.config.attributes.get("only_if_needed"):
            directives.clear()
            return


def drops(before: Catalogue, after: Catalogue) -> Iterator[str]:
    """Statements that take away what is gone or changed; they run first."""
    for part in reversed(_changed(before, before, after)):
        match part.kind:
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


def creates(before: Catalogue, after: Catalogue) -> Iterator[str]:
    """Statements that make what is new or changed; they run last."""
    for part in _changed(after, before, after):
        if part.kind in ("function", "trigger", "index"):
            yield after[part]
        else:
            yield f"alter table {part.on_table} add constraint {part.name} {after[part]}"


def _changed(side: Catalogue, before: Catalogue, after: Catalogue) -> list[Part]:
    """The parts of one side that Alembic misses, in the order in which they can be made."""
    return sorted(
        (part for part in side if before.get(part) != after.get(part) and _is_missed(part, before, after)),
        key=lambda part: (_MISSED.index(part.kind), part),
    )


def _is_missed(part: Part, before: Catalogue, after: Catalogue) -> bool:
    if part.kind not in _MISSED:
        return False
    if part.kind in ("function", "trigger"):
        return True
    if part.kind == "index":
        return _in_both(part, before, after)  # Alembic sees those that come and go, but not a changed predicate
    return _in_both(Part("table", part.on_table, ""), before, after)


def _in_both(part: Part, *catalogues: Catalogue) -> bool:
    return all(part in each for each in catalogues)
