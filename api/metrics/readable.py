"""A statement as an analyst can read and run it: a clause a line, and the bound values written into their places."""

import re
from collections.abc import Iterator
from datetime import datetime
from uuid import UUID

from api.sql import Sql

_PLACE = re.compile(r"\$(\d+)")
_MARK = re.compile(
    r"[()]|(?<!epoch)(?<!select)\s+(?=from\b)"
    r"|\s+(?=(?:where|group by|union all|left join|cross join|window|order by)\b)"
    r"|(?<=\)),? (?=(?:select|pace)\b)"
)
_SPACE = re.compile(r"\s+")


def readable(statement: Sql) -> str:
    """The text with its values as literals. It is for reading and pasting; the server only ever gets bound values."""
    text, values = statement.render()
    # Lines are broken before values come in, so that no value is ever touched.
    broken = "".join(_broken(_SPACE.sub(" ", text).strip()))
    return _PLACE.sub(lambda place: literal(values[int(place[1]) - 1]), broken)


def _broken(text: str) -> Iterator[str]:
    """Begin each clause on a line of its own, indented by the brackets it stands in."""
    depth, start = 0, 0
    for mark in _MARK.finditer(text):
        yield text[start : mark.start()]
        start = mark.end()
        if mark[0] in "()":
            depth += 1 if mark[0] == "(" else -1
            yield mark[0]
        else:
            yield mark[0].rstrip() + "\n" + "  " * depth
    yield text[start:]


def literal(value: object) -> str:
    """A value as PostgreSQL writes it. These statements bind instants, ids, numbers, texts and lists of them."""
    match value:
        case int() | float():
            return str(value)
        case datetime():
            return f"timestamptz '{value.isoformat()}'"
        case UUID():
            return f"uuid '{value}'"
        case list():
            return f"array[{', '.join(literal(each) for each in value)}]"
        case str():
            return "'" + value.replace("'", "''") + "'"
        case _:
            raise TypeError(f"no statement binds a {type(value).__name__}")
