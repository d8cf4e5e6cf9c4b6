"""What is redacted of an erased person: columns of the contact and of facts, by what their declarations say."""

from collections.abc import Iterator, Mapping

from api.access.merged_facts import is_fact_of
from schema.base import ColumnShape, TableShape
from schema.formats import Format
from schema.tables import SHAPES

# Words of the trade that identify a person together with others: of the contact, and of facts.
_IDENTIFYING = {"contact": ("job_title", "source_detail"), "handoff": ("why",)}

_PLACEHOLDERS: Mapping[Format | None, str] = {Format.EMAIL: "erased@erased.invalid", Format.PHONE: "0"}
_TEXT = "erased"


def erased_values(table: str) -> dict[str, str]:
    """Return what stands in the place of a table's values, by column. What is null stays null.

    A placeholder, not null: rules that ask whether an address is known give the same as before, so that what was
    counted stays counted.
    """
    return {column.name: placeholder(column) for column in _erased(SHAPES[table])}


def placeholder(column: ColumnShape) -> str:
    """Return what stands in the place of a value of a column."""
    return _PLACEHOLDERS.get(column.note.format, _TEXT)


def numbered_placeholder(column: ColumnShape, number: int) -> str:
    """Return what stands in the place of the first, second … of the different values that a column had."""
    text = placeholder(column)
    if number == 1:
        return text
    local, at, domain = text.partition("@")
    return f"{local}{number}{at}{domain}"


def fact_tables() -> Iterator[TableShape]:
    """Yield the tables of facts about contacts."""
    for shape in SHAPES.values():
        if any(column.name == "contact_id" and is_fact_of(shape.name, column.name) for column in shape.columns):
            yield shape


def _erased(shape: TableShape) -> Iterator[ColumnShape]:
    more = _IDENTIFYING.get(shape.name, ())
    for column in shape.columns:
        if column.note.personal or column.name in more:
            yield column
