"""The ids of the GraphQL API: opaque to clients, unique across all tables.

A record has the id `<table>_<uuid>`. The record as of an earlier instant has other values, so it has an id of its own,
`<table>_<uuid>@<instant>`: a client that caches by id keeps both apart. An instant has one spelling, in UTC.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

# The driver's own UUID class: it parses ten times as fast as Python's.
from asyncpg.pgproto.pgproto import UUID as PgUUID  # noqa: N811

from api.errors import AccordError, ErrorCode
from schema.tables import SHAPES

# The prefixes of the ids of answers: what they name is computed from their request, which the id holds.
KPI_ANSWER, FUNNEL_ANSWER = "kpi_answer_", "funnel_answer_"
_INSTANT = re.compile(r"@(\d{8}T\d{6})(?:\.(\d{0,5}[1-9]))?Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class RecordKey:
    """What an id names: a record, or with an instant the record as of that instant."""

    table: str
    id: UUID
    as_of: datetime | None = None


def is_answer_id(text: str) -> bool:
    """Return whether a text may be the id of a KPI's or funnel's answer."""
    return text.startswith((KPI_ANSWER, FUNNEL_ANSWER))


def instant_suffix(instant: datetime) -> str:
    """Return the end of the ids of records that are read as of an instant, such as `@20260131T120000Z`.

    Shapes: an aware datetime -> text; the same instant in another zone gives the same text.
    """
    moment = instant.astimezone(UTC)
    fraction = f".{moment.microsecond:06d}".rstrip("0") if moment.microsecond else ""
    # Not strftime("%Y"): it writes years before 1000 with fewer than four digits on some systems.
    return f"@{moment.year:04d}{moment:%m%dT%H%M%S}{fraction}Z"


def parse_id(table: str, text: str) -> UUID:
    """Return the primary key that the id of a record of `table` names.

    Errors: BAD_INPUT if the text is not an id, is an id of another table, or names a record as of an instant.
    """
    if "@" not in text and text.startswith(f"{table}_"):
        return _primary_key(text, text[len(table) + 1 :])
    key = parse_record_id(text, table)
    message = f"'{_shortened(text)}' is the id of a record as of an instant; here the record itself is needed."
    raise AccordError(ErrorCode.BAD_INPUT, message, f"Use its `recordId`: {key.table}_{key.id}.")


def parse_record_id(text: str, table: str | None = None) -> RecordKey:
    """Return what an id names: a record of `table`, or of any table, perhaps as of an instant.

    Errors: BAD_INPUT if the text is not an id, or is an id of another table.
    """
    plain, at, _ = text.partition("@")
    named, _, rest = plain.rpartition("_")
    shape = SHAPES.get(named)
    if shape is None or shape.is_hidden or not shape.has_id:
        raise _not_an_id(text)
    key = _primary_key(text, rest)
    if table not in (None, named):
        message = f"'{_shortened(text)}' is not an id of a {SHAPES[table].type_name}."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ids of this type begin with {table}_; take one from `id`.")
    return RecordKey(named, key, _instant(text, text[len(plain) :]) if at else None)


def _instant(text: str, suffix: str) -> datetime:
    match = _INSTANT.fullmatch(suffix)
    try:
        if match is not None:
            second = datetime.strptime(match[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC)
            return second.replace(microsecond=int((match[2] or "").ljust(6, "0")))
    except ValueError:
        pass  # raised below, like every other text that is not an id
    raise _not_an_id(text)


def _primary_key(text: str, rest: str) -> UUID:
    try:
        # The length excludes the other spellings that the parser accepts (braces, no hyphens): an id has one form.
        if len(rest) == 36:
            return PgUUID(rest)
    except ValueError:
        pass  # raised below, like every other text that is not an id
    raise _not_an_id(text)


def _not_an_id(text: str) -> AccordError:
    message = f"'{_shortened(text)}' is not an id."
    return AccordError(ErrorCode.BAD_INPUT, message, "Take ids from the field `id`, and pass them unchanged.")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
