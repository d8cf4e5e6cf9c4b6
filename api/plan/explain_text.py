"""The stages of a read as text: selection, statement with a line for each clause, values, PostgreSQL's plan."""

import re
from collections.abc import Sequence
from pprint import pformat

from api.db import ReadSession
from api.plan.prepared_statements import Ready

_CLAUSE = re.compile(r' (?=(?:from|where|order by|limit) )|(?<=\() ?(?=select "\$")|(?<=,) (?=array\(|\(select|\(with)')


def selection_text(roots: Sequence[object]) -> str:
    """Selections as they are, a part a line where they are long."""
    return "\n".join(pformat(each, width=118, compact=True) for each in roots)


def statement_text(text: str, values: Sequence[object]) -> str:
    """A statement with a line for each clause, and its values."""
    lines = _CLAUSE.sub("\n", text)
    return "\n".join((lines, *(f"-- ${place}: {value!r}" for place, value in enumerate(values, start=1)))) + "\n"


async def plan_text(session: ReadSession, asked: Ready, *, is_run: bool) -> str:
    """PostgreSQL's plan of a statement; with times and rows where it is run for that."""
    options = "analyze, buffers, settings" if is_run else "settings"
    rows = await session.connection.fetch(f"explain ({options}) {asked.text}", *asked.values)
    return "\n".join(str(row[0]) for row in rows)
