"""Ids of what belongs to versions of the accord: `<table>_<uuid>`, as those of records."""

from uuid import UUID


def opaque_id(table: str, id_: UUID) -> str:
    """Return the id as the GraphQL API writes it."""
    return f"{table}_{id_}"


def read_opaque_id(table: str, text: str) -> UUID | None:
    """Return the id that a text names; None if it names nothing of the table."""
    try:
        return UUID(text.removeprefix(f"{table}_"))
    except ValueError:
        return None
