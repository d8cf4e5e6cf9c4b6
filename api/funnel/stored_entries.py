"""Stored stage entries beside derived ones: how they differ, and how the stored ones become the derived ones."""

from collections.abc import Iterable, Sequence
from uuid import UUID

from api.sql import Sql, join, name

# Contact, stage and occurrence identify an entry, and are what the two sides are joined by; the rest is compared.
KEY = ("contact_id", "stage", "occurrence")
COMPARED = (
    *("rank", "entered_at", "own_at", "exited_at", "exit_kind", "accord_version_id", "is_implied", "cause"),
    "present_at",
)
# What a reader of changes can see of an entry: not by which version of the accord it was judged.
VISIBLE = tuple(column for column in COMPARED if column != "accord_version_id")


def stored_whole(evaluation_id: UUID, derived: Sql) -> Sql:
    """Insert the derived entries of all contacts under an evaluation.

    They are sorted like the primary key begins: the index is filled from left to right, and a contact's rows share a
    page.
    """
    columns = ", ".join((*KEY, *COMPARED))
    return Sql(
        f"""insert into stage_entry (evaluation_id, {columns})
select {{}}::uuid, {columns} from ({{}}) derived order by contact_id, rank, occurrence""",
        evaluation_id,
        derived,
    )


def differing_entries(stored: Sql, derived: Sql, compared: Sequence[str] = COMPARED) -> Sql:
    """Select the entries that only one side has, or that have other values in the `compared` columns on the two sides.

    Shapes: two selects of entries -> one row per entry that differs: its key and the derived values, with
            `stored_rank` null for an entry that is not stored, `rank` null for one that is not derived, and
            `stored_exited_at`.
    """
    values = ", ".join(f"d.{column}" for column in COMPARED)
    # A full join: a row that only one side has is missing or extra.
    return Sql(
        f"""select {", ".join(KEY)}, {values}, s.rank as stored_rank, s.exited_at as stored_exited_at
from ({{}}) s full join ({{}}) d using ({", ".join(KEY)})
where ({", ".join(f"s.{column}" for column in compared)})
  is distinct from ({", ".join(f"d.{column}" for column in compared)})""",
        stored,
        derived,
    )


def writing_tables(evaluation_id: Sql, differing: str, among: Sql) -> tuple[tuple[str, Sql], ...]:
    """Return the common tables that write the entries of the table `differing` to an evaluation.

    `among` is the condition that an entry `e` is of one of the contacts.
    An entry that changes is deleted and inserted. The insert reads the count of the deleted rows, so that PostgreSQL
    deletes first: a person has one present entry at most, and the old one must be gone before the new one comes.
    """
    columns = ", ".join((*KEY, *COMPARED))
    return (
        (
            "removed",
            Sql(
                f"""delete from stage_entry e using {differing} f
where f.stored_rank is not null and e.contact_id = f.contact_id and e.evaluation_id = {{}} and e.stage = f.stage
  and e.occurrence = f.occurrence and {{}}
returning 1""",
                evaluation_id,
                among,
            ),
        ),
        (
            "added",
            Sql(
                f"""insert into stage_entry (evaluation_id, {columns})
select {{}}, {columns} from {differing} where rank is not null and (select count(*) from removed) >= 0
order by contact_id, rank, occurrence
returning 1""",
                evaluation_id,
            ),
        ),
    )


def entry_changes(differing: str) -> Sql:
    """Select what happens to the entries of the table `differing`: contact_id, stage, occurrence, kind."""
    return Sql(f"""select contact_id, stage, occurrence,
  case when rank is null then 'REMOVED' when stored_rank is null then 'ENTERED'
    when stored_exited_at is null and exited_at is not null then 'EXITED' else 'CHANGED' end as kind
from {differing} order by contact_id, coalesce(rank, stored_rank), occurrence""")


def with_tables(tables: Iterable[tuple[str, Sql]]) -> Sql:
    """Return the `with` clause of common tables; each is computed once."""
    return Sql(
        "with {}", join(",\n", (Sql("{} as materialized (\n{}\n)", name(table), rows) for table, rows in tables))
    )
