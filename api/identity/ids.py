"""The ids of the GraphQL API, `<table>_<uuid>`: opaque to clients, unique across all tables."""

from uuid import UUID

# The driver's own UUID class: it parses ten times as fast as Python's.
from asyncpg.pgproto.pgproto import UUID as PgUUID  # noqa: N811

from api.errors import AccordError, ErrorCode
from schema.tables import SHAPES


def parse_id(table: str, text: str) -> UUID:
    """Return the primary key that an id of `table` names.

    Errors: BAD_INPUT if the text is not an id, or is an id of another table.
    """
    if text.startswith(f"{table}_"):
        return _primary_key(text, text[len(table) + 1 :])
    parse_node_id(text)  # raises if the text is not an id of any table
    message = f"'{_shortened(text)}' is not an id of a {SHAPES[table].type_name}."
    raise AccordError(ErrorCode.BAD_INPUT, message, f"Ids of this type begin with {table}_; take one from `id`.")


def parse_node_id(text: str) -> tuple[str, UUID]:
    """Return the table and the primary key that an id names. Errors: BAD_INPUT if the text is not an id."""
    table, _, rest = text.rpartition("_")
    shape = SHAPES.get(table)
    if shape is not None and not shape.is_hidden and shape.has_id:
        return table, _primary_key(text, rest)
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
