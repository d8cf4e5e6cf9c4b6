"""The stages of a read as text: selection, statement with one clause per line, values, PostgreSQL's plan."""

import re
from collections.abc import Sequence
from pprint import pformat

from api.db import ReadSession
from api.plan.prepared_statements import BoundStatement

# The spaces at which a statement is broken: before a clause, and before a nested select.
_CLAUSE = re.compile(r' (?=(?:from|where|order by|limit) )|(?<=\() ?(?=select "\$")|(?<=,) (?=array\(|\(select|\(with)')


def selection_text(roots: Sequence[object]) -> str:
    """Return root fields as Python writes them, long ones over several lines.

    Shapes: root fields -> text.
    """
    return "\n".join(pformat(root, width=118, compact=True) for root in roots)


def statement_text(text: str, values: Sequence[object]) -> str:
    """Return a statement with one clause per line, followed by its values as comments.

    Shapes: text, values -> text that ends with a line break.
    """
    lines = _CLAUSE.sub("\n", text)
    comments = (f"-- ${number}: {value!r}" for number, value in enumerate(values, start=1))
    return "\n".join((lines, *comments)) + "\n"


async def plan_text(session: ReadSession, statement: BoundStatement, *, is_run: bool) -> str:
    """Return PostgreSQL's plan of a statement.

    With `is_run` the statement is executed, and the plan has the actual times and numbers of rows.

    Shapes: statement -> text. Errors: those of PostgreSQL, for example at the time limit of a statement.
    """
    options = "analyze, buffers, settings" if is_run else "settings"
    return await _explained(session, options, statement.text, statement.values)


async def estimated_plan(session: ReadSession, text: str, values: Sequence[object]) -> str:
    """Return PostgreSQL's plan of a statement that ran before, with its estimates alone.

    Shapes: text and values -> text, which has the values. Errors: those of PostgreSQL, for example if the statement
            reads a temporary table of its transaction.
    """
    return await _explained(session, "verbose false", text, values)


async def _explained(session: ReadSession, options: str, text: str, values: Sequence[object]) -> str:
    rows = await session.connection.fetch(f"explain ({options}) {text}", *values)
    return "\n".join(str(row[0]) for row in rows)
