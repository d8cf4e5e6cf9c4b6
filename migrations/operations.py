"""What a drafted migration says besides Alembic's own operations: statements as text, in its transaction or outside."""

import re

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import ExecuteSQLOp

_LOOKS_BOUND = re.compile(r"(?<![:\w\\]):(?=\w)")


class StatementOp(ExecuteSQLOp):
    """One statement, written into the migration line by line so that a diff of it can be read."""


class OutsideOp(StatementOp):
    """One statement that runs outside the transaction, as `create index concurrently` must."""


@renderers.dispatch_for(StatementOp)
def _render(_context: AutogenContext, op: StatementOp) -> str:
    # op.execute would take `:word` for a parameter.
    lines = _LOOKS_BOUND.sub(r"\\:", str(op.sqltext)).splitlines(keepends=True)
    return f"op.execute({' '.join(repr(line) for line in lines)})"


@renderers.dispatch_for(OutsideOp)
def _render_outside(context: AutogenContext, op: OutsideOp) -> str:
    # One line, for Alembic's printer counts indents by itself; ruff lays it out.
    return f"with op.get_context().autocommit_block(): {_render(context, op)}"
