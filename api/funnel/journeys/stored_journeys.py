"""Stored journeys beside derived ones: how the stored ones become the derived ones, as `stored_entries` does it."""

from uuid import UUID

from api.funnel.journeys.journey_rows import KEY, VALUES
from api.sql import Sql

JOURNEY_COLUMNS = ", ".join((*KEY, *VALUES))


def all_journeys(evaluation_id: UUID, derived: Sql) -> Sql:
    """Insert the journeys of everybody under an evaluation.

    They are sorted by stage and instant: a KPI reads those of a period from pages that lie together.
    """
    return Sql(
        f"""insert into journey (evaluation_id, {JOURNEY_COLUMNS})
select {{}}::uuid, {JOURNEY_COLUMNS} from ({{}}) derived order by stage, at""",
        evaluation_id,
        derived,
    )


def differing_journeys(stored: Sql, derived: Sql) -> Sql:
    """Select the journeys that only one side has, or that have other values on the two sides.

    Shapes: two selects of journeys -> one row per journey that differs: its key and the derived values, with
            `is_stored`, and `is_derived`.
    """
    values = ", ".join(f"d.{column}" for column in VALUES)
    return Sql(
        f"""select {", ".join(KEY)}, {values}, s.rank is not null as is_stored, d.rank is not null as is_derived
from ({{}}) s full join ({{}}) d using ({", ".join(KEY)})
where ({", ".join(f"s.{column}" for column in VALUES)})
  is distinct from ({", ".join(f"d.{column}" for column in VALUES)})""",
        stored,
        derived,
    )


def journey_tables(evaluation_id: Sql, derived: Sql, among: Sql) -> tuple[tuple[str, Sql], ...]:
    """Return the common tables that write the journeys of some contacts where they differ from the derived ones.

    `among` is the condition that a row is of one of the contacts, by its column `contact_id`.
    As with entries, a journey that changes is deleted before it is inserted.
    """
    stored = Sql("select * from journey where evaluation_id = {} and {}", evaluation_id, among)
    return (
        ("differing_journey", differing_journeys(stored, derived)),
        (
            "removed_journey",
            Sql(
                """delete from journey j using differing_journey f
where f.is_stored and j.contact_id = f.contact_id and j.evaluation_id = {} and j.stage = f.stage and j.at = f.at
returning 1""",
                evaluation_id,
            ),
        ),
        (
            "added_journey",
            Sql(
                f"""insert into journey (evaluation_id, {JOURNEY_COLUMNS})
select {{}}, {JOURNEY_COLUMNS} from differing_journey
where is_derived and (select count(*) from removed_journey) >= 0
returning 1""",
                evaluation_id,
            ),
        ),
    )
