"""The present stage of a contact: its open stage entry of highest rank.

Title and group come from the version of the accord that the entry was judged by, which may not be the present one. They
are looked up in the version's JSON body: one index lookup, and a scan of a dozen stages.
"""

from functools import partial

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.composite_fields import selected_members
from api.plan.json_objects import NO_ROWS, select_objects
from api.plan.json_values import instant_as_json
from api.plan.selection import PresentStage
from api.sql import Sql

_STAGES = "from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step"
GROUP = Sql("(step.value ->> 'group')")  # of a stage in `is_entry_of`


def present_entry(tables: ScopedTables, contact: str, entry: str, *conditions: Sql) -> Sql:
    """Return the ` from` clause of the present stage entry of a contact, if it meets the conditions.

    Shapes: alias of a `contact` row, alias of the entry, conditions on it -> a clause of one row at most.
    """
    own = Sql("{} = {}", qualified(entry, "contact_id"), qualified(contact, "id"))
    return tables.from_clause("stage_entry", entry, own, *conditions, stored=partial(_is_present, tables.instant))


def _is_present(instant: Sql | None, row: str) -> tuple[Sql, Sql]:
    """Return the conditions that an entry is the present one: the evaluator notes since when it is the highest open."""
    exited, present = qualified(row, "exited_at"), qualified(row, "present_at")
    if instant is None:
        return Sql("{} is null", exited), Sql("{} is not null", present)
    # On the stored values: comparing those that were known at the instant would take PostgreSQL longer.
    return Sql("{} <= {}", present, instant), Sql("({} is null or {} > {})", exited, exited, instant)


def is_entry_of(entry: str, condition: Sql) -> Sql:
    """Return the condition that the stage of an entry meets a condition on its declaration, `step.value`."""
    # Not one lookup per row: PostgreSQL hashes the few stages of all versions that meet the condition.
    return Sql(
        f"(({{}}, {{}}) in (select agreed.id, step.value ->> 'key' {_STAGES} where {{}}))",
        qualified(entry, "accord_version_id"),
        qualified(entry, "stage"),
        condition,
    )


def present_stage(tables: ScopedTables, contact: str, selection: PresentStage) -> Sql:
    """Return the present stage of a contact as an object; null if the contact is in no stage.

    Shapes: alias of a `contact` row -> one subquery. Errors: KeyError for an unknown member.
    """
    entry = tables.new_alias()
    version, stage = qualified(entry, "accord_version_id"), qualified(entry, "stage")
    declared = (
        f"(select step.value ->> '{{0}}' {_STAGES} where agreed.id = {{{{}}}} and step.value ->> 'key' = {{{{}}}})"
    )
    members = {
        "key": stage,
        "title": Sql(declared.format("title"), version, stage),
        "since": instant_as_json(qualified(entry, "entered_at")),
        "rank": qualified(entry, "rank"),
        "group": Sql(declared.format("group"), version, stage),
        "occurrence": qualified(entry, "occurrence"),
    }
    row = present_entry(tables, contact, entry)
    return Sql("({})", select_objects(selected_members(selection.parts, members), row))


def stage_of_group(selection: PresentStage, stage: Sql, rank: Sql) -> Sql:
    """Return the stage that the contacts of a group share as an object; null for contacts without a stage.

    Title and group are those of the newest version in force that has the stage: the entries of a group may have been
    judged by several versions.

    Shapes: key and rank of the stage -> one expression. Errors: KeyError for an unknown member.
    """
    newest = (
        f"(select step.value ->> '{{0}}' {_STAGES} where agreed.status in ('ACTIVE', 'SUPERSEDED')"
        " and step.value ->> 'key' = {{}} order by agreed.number desc limit 1)"
    )
    members = {
        "key": stage,
        "title": Sql(newest.format("title"), stage),
        "rank": rank,
        "group": Sql(newest.format("group"), stage),
    }
    shared = select_objects(selected_members(selection.parts, members), NO_ROWS)
    return Sql("case when {} is not null then ({}) end", stage, shared)
