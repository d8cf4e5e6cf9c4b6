"""The current evaluation: only its stage entries are visible to readers."""

from api.sql import Sql, name
from schema.vocab import Reading


def is_current(alias: str, reading: Reading = Reading.IN_FORCE) -> Sql:
    """The condition that a row of `evaluation`, known as `alias`, is the current one of a reading."""
    # The reading stands in the text, so that the planner can use the partial index on current evaluations.
    return Sql(f"{{}}.is_current and {{}}.reading = '{reading.value}'", name(alias), name(alias))


# A scalar subquery: PostgreSQL runs it once per statement.
CURRENT_EVALUATION = Sql("(select v.id from evaluation v where {})", is_current("v"))
