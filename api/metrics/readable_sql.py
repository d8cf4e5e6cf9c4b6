"""Format a statement for reading and running by hand: one clause per line, with its bound values as literals."""

import re
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from uuid import UUID

from api.sql import Sql

_PARAMETER = re.compile(r"\$(\d+)")
_BREAK = re.compile(
    r"[()]|(?<!epoch)(?<!select)\s+(?=from\b)"
    r"|\s+(?=(?:where|group by|union all|left join|cross join|window|order by)\b)"
    r"|(?<=\)),? (?=(?:select|pace)\b)"
)
_SPACE = re.compile(r"\s+")


def readable(statement: Sql) -> str:
    """The text of a statement with its values as literals. Only for people: the server is always sent bound values."""
    text, values = statement.render()
    # Break lines before inserting values, so that no value is changed.
    broken = "".join(_broken(_SPACE.sub(" ", text).strip()))
    return _PARAMETER.sub(lambda parameter: literal(values[int(parameter[1]) - 1]), broken)


def _broken(text: str) -> Iterator[str]:
    """Start every clause on a new line, indented by the depth of its brackets."""
    depth, start = 0, 0
    for mark in _BREAK.finditer(text):
        yield text[start : mark.start()]
        start = mark.end()
        if mark[0] in "()":
            depth += 1 if mark[0] == "(" else -1
            yield mark[0]
        else:
            yield mark[0].rstrip() + "\n" + "  " * depth
    yield text[start:]


def literal(value: object) -> str:
    """A value as a PostgreSQL literal: for instants, days, ids, numbers, texts, lists of these, and null."""
    match value:
        case None:
            return "null"
        case int() | float() | Decimal():
            return str(value).lower()  # true and false are numbers, too
        case datetime():
            return f"timestamptz '{value.isoformat()}'"
        case date():
            return f"date '{value.isoformat()}'"
        case UUID():
            return f"uuid '{value}'"
        case [] | ():
            return "'{}'"
        case list() | tuple():
            return f"array[{', '.join(literal(item) for item in value)}]"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise TypeError(f"a {type(value).__name__} has no SQL literal here")
