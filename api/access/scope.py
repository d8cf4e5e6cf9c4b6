"""The rows of a table that may be shown at all. The planner ANDs this into every visit of the table."""

from api.sql import Sql, name
from schema.tables import SHAPES

# Entries are derived: only those of the evaluation that answers are true. A scalar sub-select: found once a statement.
_CURRENT = Sql("(select id from evaluation where is_current and reading = 'IN_FORCE')")


def scope(table: str, alias: str) -> tuple[Sql, ...]:
    """Conditions on the rows of `table`, known as `alias` in the statement; none where every row may be shown."""
    row = name(alias)
    found: list[Sql] = []
    if any(column.name == "deleted_at" for column in SHAPES[table].columns):
        found.append(Sql("{}.deleted_at is null", row))
    if table == "stage_entry":
        found.append(Sql("{}.evaluation_id = {}", row, _CURRENT))
    return tuple(found)
