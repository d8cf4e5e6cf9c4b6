"""A statement as an analyst can read and run it: the bound values written into their places."""

import re
from datetime import date, datetime, timedelta
from decimal import Decimal
from uuid import UUID

from api.sql import Sql

_PLACE = re.compile(r"\$(\d+)")
_CLAUSE = re.compile(r" (?=(?:from|where|group by|union all|left join|cross join|order by) )")


def readable(statement: Sql) -> str:
    """The text with its values as literals, a clause a line. Meant to be read and pasted; the server only ever gets bound values."""
    text, values = statement.render()
    # Lines are broken before values come in, so that no value is ever touched.
    broken = _CLAUSE.sub("\n", text)
    return _PLACE.sub(lambda place: literal(values[int(place[1]) - 1]), broken)


def literal(value: object) -> str:
    """A value as PostgreSQL writes it."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case int() | float() | Decimal():
            return str(value)
        case datetime():
            return f"timestamptz '{value.isoformat()}'"
        case date():
            return f"date '{value.isoformat()}'"
        case timedelta():
            return f"interval '{value.total_seconds()} seconds'"
        case UUID():
            return f"uuid '{value}'"
        case list() | tuple():
            return f"array[{', '.join(literal(each) for each in value)}]"
        case _:
            return "'" + str(value).replace("'", "''") + "'"
