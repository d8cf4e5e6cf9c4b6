"""Stored journeys beside derived ones: how the stored ones become the derived ones, as `stored_entries` does it."""

from collections.abc import Callable
from uuid import UUID

from api.funnel.journeys.journey_tables import DEALS, ENTRIES, HANDOFFS, SPANS, JourneyTable
from api.sql import Sql, name

_ORDER = {
    ENTRIES: "stage, counted_at",
    HANDOFFS: "counted_at",
    DEALS: "event, counted_at",
    SPANS: "ends_at",
}


def all_journeys(table: JourneyTable, evaluation_id: UUID, derived: Sql) -> Sql:
    """Insert the journeys of everybody under an evaluation.

    They are sorted by stage and instant: a KPI reads those of a period from pages that lie together.
    """
    return Sql(
        f"""insert into {table.name} (evaluation_id, {table.columns})
select {{}}::uuid, {table.columns} from ({{}}) derived order by {_ORDER[table]}""",
        evaluation_id,
        derived,
    )


def differing_journeys(table: JourneyTable, stored: Sql, derived: Sql) -> Sql:
    """Select the journeys that only one side has, or that have other values on the two sides.

    Shapes: two selects of journeys -> one row per journey that differs: its key and the derived values, with
            `is_stored`, `is_derived`, and the stored time as `former_start` and `former_end`.
    """
    key = ", ".join(table.key)
    former = f"s.{table.start} as former_start, s.{table.end} as former_end"
    own, other = (", ".join(f"{row}.{column}" for column in table.values) for row in ("d", "s"))
    return Sql(
        f"""select {key}, {own}, s.is_stored is not null as is_stored, d.is_derived is not null as is_derived,
  {former}
from (select *, true as is_stored from ({{}}) s) s
full join (select *, true as is_derived from ({{}}) d) d using ({key})
where ({other}) is distinct from ({own})""",
        stored,
        derived,
    )


def journey_tables(
    table: JourneyTable, evaluation_id: Sql, derived: Sql, among: Callable[[str], Sql]
) -> tuple[tuple[str, Sql], ...]:
    """Return the common tables that write the journeys of some contacts where they differ from the derived ones.

    `among` returns the condition that a column has the id of one of the contacts, or of one of the deals.
    As with entries, a journey that changes is deleted before it is inserted.
    """
    record = table.key[0]
    stored = Sql("select * from {} where evaluation_id = {} and {}", name(table.name), evaluation_id, among(record))
    differing, removed = f"differing_{table.name}", f"removed_{table.name}"
    same_key = " and ".join(f"j.{column} = f.{column}" for column in table.key)
    return (
        (differing, differing_journeys(table, stored, derived)),
        (
            removed,
            Sql(
                f"""delete from {table.name} j using {differing} f
where f.is_stored and j.evaluation_id = {{}} and {same_key} and {{}}
returning 1""",
                evaluation_id,
                among(f"j.{record}"),
            ),
        ),
        (
            f"added_{table.name}",
            Sql(
                f"""insert into {table.name} (evaluation_id, {table.columns})
select {{}}, {table.columns} from {differing}
where is_derived and (select count(*) from {removed}) >= 0
returning 1""",
                evaluation_id,
            ),
        ),
        (f"changed_{table.name}", _changes(table, evaluation_id, differing, derived)),
    )


def _changes(table: JourneyTable, evaluation_id: Sql, differing: str, derived: Sql) -> Sql:
    """Insert the times whose sums the differing journeys outdate: all those of their records.

    A sum of one day may count what another journey of the record says, such as that the person converted later. Times
    are those of whole hours, so that an import has few of them.
    """
    record = table.key[0]
    return Sql(
        f"""insert into journey_change (evaluation_id, source, part, starts_at, ends_at)
select distinct {{}}, '{table.name}', c.part, date_trunc('hour', c.starts_at),
  date_trunc('hour', c.ends_at) + interval '59 minutes 59.999999 seconds' from (
  select {table.part} as part, {table.start} as starts_at, {table.end} as ends_at from ({{}}) d
  where {record} in (select {record} from {differing})
  union all
  select {table.part}, former_start, former_end from {differing} where is_stored
) c
returning 1""",
        evaluation_id,
        derived,
    )


def one_of(ids: Sql) -> Callable[[str], Sql]:
    """Return a function that returns the condition that a column has one of the ids of an array."""
    return lambda column: Sql(f"{column} = any({{}})", ids)
