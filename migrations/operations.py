"""Operations that a drafted migration has besides Alembic's own: literal SQL, inside or outside the transaction."""

import re

from alembic.autogenerate import renderers
from alembic.autogenerate.api import AutogenContext
from alembic.operations.ops import ExecuteSQLOp

_LOOKS_BOUND = re.compile(r"(?<![:\w\\]):(?=\w)")


class StatementOp(ExecuteSQLOp):
    """One SQL statement, written into the migration line by line so that its diffs are readable."""


class OutsideOp(StatementOp):
    """One statement that runs outside the transaction, as `create index concurrently` must."""


@renderers.dispatch_for(StatementOp)
def _render(_context: AutogenContext, op: StatementOp) -> str:
    # op.execute reads `:word` as a parameter, so a colon in front of a word is escaped.
    lines = _LOOKS_BOUND.sub(r"\\:", str(op.sqltext)).splitlines(keepends=True)
    return f"op.execute({' '.join(repr(line) for line in lines)})"


@renderers.dispatch_for(OutsideOp)
def _render_outside(context: AutogenContext, op: OutsideOp) -> str:
    # Written as one line because Alembic's printer counts indents itself; ruff reformats it.
    return f"with op.get_context().autocommit_block(): {_render(context, op)}"
