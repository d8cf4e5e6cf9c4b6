"""The ids that GraphQL shows: `<table>_<uuid>`, opaque to the caller, and what names one row of a table."""

from uuid import UUID

from asyncpg.pgproto.pgproto import UUID as PgUUID  # noqa: N811 - the driver's own, ten times as quick to read

from api.errors import AccordError, ErrorCode
from schema.tables import SHAPES


def read_id(table: str, text: str) -> UUID:
    """The row that an id of `table` names; BAD_INPUT if it is none."""
    if text.startswith(f"{table}_"):
        return _row(text, text[len(table) + 1 :])
    split_id(text)  # what is no id at all is told so
    message = f"'{_shortened(text)}' is no id of a {SHAPES[table].type_name}."
    raise AccordError(ErrorCode.BAD_INPUT, message, f"Ids of this type begin with {table}_; take one from `id`.")


def split_id(text: str) -> tuple[str, UUID]:
    """The table and the row that an id names; BAD_INPUT if it names none."""
    table, _, rest = text.rpartition("_")
    shape = SHAPES.get(table)
    if shape is not None and not shape.is_hidden and shape.has_id:
        return table, _row(text, rest)
    raise _no_id(text)


def _row(text: str, rest: str) -> UUID:
    try:
        if len(rest) == 36:
            return PgUUID(rest)
    except ValueError:
        pass  # told with the other ways to be no id
    raise _no_id(text)


def _no_id(text: str) -> AccordError:
    message = f"'{_shortened(text)}' is no id."
    return AccordError(ErrorCode.BAD_INPUT, message, "Take ids as they come in the field `id`, unchanged.")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
