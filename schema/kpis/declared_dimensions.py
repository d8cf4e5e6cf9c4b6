"""The dimensions that tables declare: columns of contacts, companies and deals with `dimension=True`.

A contact or deal has the value that its history has at the counted instant; of a company, that of the company then.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES

DIMENSION_TABLES = ("contact", "company", "deal")  # of which counted rows have at most one version each
_TYPES = (str, bool, int, date)


@dataclass(frozen=True, slots=True)
class DeclaredDimension:
    """A column that is a dimension, and its table."""

    table: str
    column: ColumnShape

    @property
    def word(self) -> str:
        """The word of the dimension: `DEAL_LOST_REASON` of the column `lost_reason` of deals."""
        return f"{self.table}_{self.column.name}".upper()

    @property
    def is_text(self) -> bool:
        """Whether the values are texts that people or source systems write, of which there is no list."""
        return self.column.python is str and self.column.note.vocab is None


def declared_dimensions(shapes: Iterable[TableShape]) -> dict[str, DeclaredDimension]:
    """Return the declared dimensions of tables, by their words.

    Errors: ValueError for a column that cannot be a dimension.
    """
    found = {}
    for shape in shapes:
        for column in shape.columns:
            if column.note.dimension:
                _require_possible(shape.name, column)
                declared = DeclaredDimension(shape.name, column)
                found[declared.word] = declared
    return found


def _require_possible(table: str, column: ColumnShape) -> None:
    name = f"{table}.{column.name}"
    if table not in DIMENSION_TABLES:
        raise ValueError(f"{name} cannot be a dimension: only columns of {', '.join(DIMENSION_TABLES)} can.")
    if column.note.hidden or column.note.personal:
        raise ValueError(f"{name} cannot be a dimension: everyone who reads KPIs would read it.")
    if column.note.vocab is None and column.python not in _TYPES:
        raise ValueError(f"{name} cannot be a dimension: only texts, true or false, whole numbers and days can.")


DECLARED_DIMENSIONS = declared_dimensions(SHAPES.values())
