"""The current evaluation of the funnel: only its stage entries are visible to readers."""

from api.outbox.fact_events import NEWEST_FACT_RECORDED
from api.sql import Sql, name
from schema.accord_vocab import Reading


def is_current(alias: str, reading: Reading = Reading.IN_FORCE) -> Sql:
    """Return the condition that a row of `evaluation` is the current evaluation of a reading.

    Shapes: alias of the row, reading -> a condition that at most one row meets.
    Errors: ValueError if the alias is not a plain SQL name.
    """
    # The reading is part of the text and not a parameter: only then does PostgreSQL's planner match the partial index
    # on current evaluations.
    return Sql(f"{{}}.is_current and {{}}.reading = '{reading.value}'", name(alias), name(alias))


# An uncorrelated scalar subquery: PostgreSQL runs it once per statement, not once per row.
CURRENT_EVALUATION = Sql("(select v.id from evaluation v where {})", is_current("v"))


# When the newest fact was recorded that the entries of the current evaluation `e` follow from: one that the evaluation
# read, or one that a mutation wrote since.
DATA_WATERMARK = Sql("greatest(e.watermark, {})", NEWEST_FACT_RECORDED)
