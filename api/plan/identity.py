"""The ids that GraphQL shows: `<table>_<uuid>`, opaque to the caller, and what names one row of a table."""

from uuid import UUID

from api.errors import AccordError, ErrorCode
from schema.base import TableShape
from schema.tables import SHAPES


def has_id(shape: TableShape) -> bool:
    """Whether rows of the table have an identity of their own; the others are known by the records they join."""
    return any(column.name == "id" for column in shape.columns)


def read_id(text: str, table: str) -> UUID:
    """The row that an id of `table` names; BAD_INPUT if it is none."""
    found, uuid = split_id(text)
    if found != table:
        message = f"'{_shortened(text)}' is no id of a {SHAPES[table].type_name}."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Ids of this type begin with {table}_; take one from `id`.")
    return uuid


def split_id(text: str) -> tuple[str, UUID]:
    """The table and the row that an id names; BAD_INPUT if it names none."""
    table, _, rest = text.rpartition("_")
    shape = SHAPES.get(table)
    if shape is not None and not shape.is_hidden and has_id(shape) and len(rest) == 36:
        try:
            return table, UUID(rest)
        except ValueError:
            pass  # told below, with the other ways to be no id
    message = f"'{_shortened(text)}' is no id."
    raise AccordError(ErrorCode.BAD_INPUT, message, "Take ids as they come in the field `id`, unchanged.")


def _shortened(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:60]}…"
