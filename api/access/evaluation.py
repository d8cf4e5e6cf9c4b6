"""The evaluation whose stage entries readers see: the current one, or that of the reading which a request names."""

from dataclasses import dataclass
from datetime import datetime

from api.outbox.fact_events import NEWEST_FACT_RECORDED
from api.sql import Sql, join, name
from schema.accord_vocab import Reading

# The text of PostgreSQL's error for a statement that reads a reading which is not evaluated.
NO_EVALUATION = "the reading is not evaluated"


@dataclass(frozen=True, slots=True)
class RequestedReading:
    """A reading as a request names it: `accord_version` is a number, of PINNED alone; `known_at` leaves out facts."""

    reading: Reading = Reading.IN_FORCE
    accord_version: int | None = None
    known_at: datetime | None = None

    @property
    def is_current(self) -> bool:
        """Whether it is the reading that follows every write, which nothing has to be evaluated for."""
        return self == CURRENT


CURRENT = RequestedReading()


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


def evaluation_of(requested: RequestedReading) -> Sql:
    """Return the id of the evaluation that has the entries of a reading, as an expression.

    RESTATED is kept as PINNED to the version in force. While only that version was ever in force, both equal IN_FORCE,
    also with the facts known at an instant.

    Shapes: a reading -> an uncorrelated subquery. It raises an error with the text `NO_EVALUATION` if there is none.
    """
    if requested.is_current:
        return CURRENT_EVALUATION
    number = requested.accord_version
    version = Sql("a.status = 'ACTIVE'") if number is None else Sql("a.number = {}::int", number)
    has_former = "exists (select from accord_version f where f.status = 'SUPERSEDED')"
    kept_as = "'PINNED'"
    if requested.reading is Reading.IN_FORCE:
        kept_as = f"case when {has_former} then 'IN_FORCE' else 'PINNED' end"
    kept = Sql(
        "(select v.id::text from accord_version a join evaluation v on v.accord_version_id = a.id"
        " and v.accord_hash = a.content_hash where {} and v.last_read_at is not null and v.finished_at is not null"
        f" and v.reading = {kept_as} and v.known_at is not distinct from {{}}::timestamptz)",
        version,
        requested.known_at,
    )
    found = [kept]
    if requested.known_at is None:
        is_active = Sql("exists (select from accord_version a where {} and a.status = 'ACTIVE')", version)
        only = Sql(f"case when {{}} and not {has_former} then {{}}::text end", is_active, CURRENT_EVALUATION)
        found = [only, kept]
    return Sql(f"(select coalesce({{}}, '{NO_EVALUATION}')::uuid)", join(", ", found))


# When the newest fact was recorded that the entries of the current evaluation `e` follow from: one that the evaluation
# read, or one that a mutation wrote since.
DATA_WATERMARK = Sql("greatest(e.watermark, {})", NEWEST_FACT_RECORDED)
