"""Stored journeys beside derived ones: how the stored ones become the derived ones, as `stored_entries` does it."""

from collections.abc import Callable, Iterator
from uuid import UUID

from api.funnel.journeys.journey_tables import DEALS, ENTRIES, HANDOFFS, SPANS, JourneyTable
from api.sql import Sql, join, name

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
            `is_stored`, `is_derived`, and the stored time as `former_start` and `former_end`. `is_refreshed` says that
            only `refreshed` columns of it differ.
    """
    key = ", ".join(table.key)
    former = f"s.{table.start} as former_start, s.{table.end} as former_end"
    own, other = (", ".join(f"{row}.{column}" for column in table.values) for row in ("d", "s"))
    kept = [column for column in table.values if column not in table.refreshed]
    own_kept, other_kept = (", ".join(f"{row}.{column}" for column in kept) for row in ("d", "s"))
    is_refreshed = "false"
    if table.refreshed:
        is_refreshed = (
            f"s.is_stored is not null and d.is_derived is not null and ({other_kept}) is not distinct from ({own_kept})"
        )
    return Sql(
        f"""select {key}, {own}, s.is_stored is not null as is_stored, d.is_derived is not null as is_derived,
  {former}, {is_refreshed} as is_refreshed
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

    `among` returns the condition that a column has the id of one of the contacts, or of one of the deals. As with
    entries, a journey that changes is deleted before it is inserted. One that is only refreshed is updated in place: if
    its page has room for the new row, no index changes. The statement must also write `outdated_sums`.
    """
    record = table.key[0]
    stored = Sql("select * from {} where evaluation_id = {} and {}", name(table.name), evaluation_id, among(record))
    differing, removed = f"differing_{table.name}", f"removed_{table.name}"
    same = Sql(
        "j.evaluation_id = {} and {} and {}",
        *(evaluation_id, Sql(" and ".join(f"j.{column} = f.{column}" for column in table.key)), among(f"j.{record}")),
    )
    refreshed = Sql(
        f"update {table.name} j set {', '.join(f'{column} = f.{column}' for column in table.refreshed)}"
        f" from {differing} f where f.is_refreshed and {{}} returning 1",
        same,
    )
    return (
        (differing, differing_journeys(table, stored, derived)),
        *(((f"refreshed_{table.name}", refreshed),) if table.refreshed else ()),
        (
            removed,
            Sql(
                f"delete from {table.name} j using {differing} f where f.is_stored and not f.is_refreshed and {{}}"
                " returning 1",
                same,
            ),
        ),
        (
            f"added_{table.name}",
            Sql(
                f"""insert into {table.name} (evaluation_id, {table.columns})
select {{}}, {table.columns} from {differing}
where is_derived and not is_refreshed and (select count(*) from {removed}) >= 0
returning 1""",
                evaluation_id,
            ),
        ),
    )


def contact_tables(evaluation_id: Sql, journeys: str, among: Callable[[str], Sql]) -> Iterator[tuple[str, Sql]]:
    """Return the common tables that write the journeys of both kinds of some contacts, from the table `journeys`."""
    derived = {table: Sql(f"select * from {journeys} where {table.of_contact}") for table in (ENTRIES, HANDOFFS)}
    for table, rows in derived.items():
        yield from journey_tables(table, evaluation_id, rows, among)
        yield outdated_sums(f"changed_{table.name}", evaluation_id, changed_times(table, rows))


def changed_times(table: JourneyTable, derived: Sql) -> Sql:
    """Select the times whose sums the differing journeys outdate, all those of their records: source, part, starts_at,
    ends_at. It reads the common tables of `journey_tables`.

    A sum of one day may count what another journey of the record says, such as that the person converted later. Times
    are those of whole hours, so that an import has few of them. Times that follow one another are one.
    """
    record, differing = table.key[0], f"differing_{table.name}"
    times = Sql(
        f"""select {record}, {table.part} as part, {table.start} as starts_at, {table.end} as ends_at from ({{}}) d
  where {record} in (select {record} from {differing})
  union all
  select {record}, {table.part}, former_start, former_end from {differing} where is_stored""",
        derived,
    )
    if table.is_continuous:
        times = Sql(
            f"select {record}, part, min(starts_at) as starts_at, max(ends_at) as ends_at from ({{}}) t group by 1, 2",
            times,
        )
    return Sql(
        f"""select distinct '{table.name}' as source, c.part, date_trunc('hour', c.starts_at) as starts_at,
  date_trunc('hour', c.ends_at) + interval '59 minutes 59.999999 seconds' as ends_at from ({{}}) c""",
        times,
    )


def outdated_sums(written: str, evaluation_id: Sql, *times: Sql) -> tuple[str, Sql]:
    """Return the common table `written` that inserts the times of several selects, see `changed_times`."""
    return (
        written,
        Sql(
            """insert into journey_change (evaluation_id, source, part, starts_at, ends_at)
select {}, t.* from ({}) t
returning 1""",
            evaluation_id,
            join("\nunion all\n", times),
        ),
    )


def one_of(ids: Sql) -> Callable[[str], Sql]:
    """Return a function that returns the condition that a column has one of the ids of an array."""
    return lambda column: Sql(f"{column} = any({{}})", ids)
