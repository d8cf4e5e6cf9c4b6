"""The present stage of a contact: its open stage entry of highest rank."""

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.composite_fields import selected_members
from api.plan.json_objects import select_objects
from api.plan.json_values import instant_as_json
from api.plan.selection import PresentStage
from api.sql import Sql


def present_entry(tables: ScopedTables, contact: str, entry: str) -> Sql:
    """Return the ` from` clause of the present stage entry of a contact.

    Shapes: alias of a `contact` row, alias of the entry -> a clause of one row at most.
    """
    open_entries = tables.from_clause(
        "stage_entry",
        entry,
        Sql("{} = {}", qualified(entry, "contact_id"), qualified(contact, "id")),
        Sql("{} is null", qualified(entry, "exited_at")),
    )
    return open_entries + Sql(" order by {} desc limit 1", qualified(entry, "rank"))


def present_stage(tables: ScopedTables, contact: str, selection: PresentStage) -> Sql:
    """Return the present stage of a contact as an object; null if the contact is in no stage.

    Shapes: alias of a `contact` row -> one subquery. Errors: KeyError for an unknown member.
    """
    entry = tables.new_alias()
    # The title comes from the version of the accord that the entry was judged by, which may not be the present one. It
    # is looked up in the version's JSON body: one index lookup, and a scan of a dozen stages.
    title = Sql(
        "(select step.value ->> 'title' from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step"
        " where agreed.id = {} and step.value ->> 'key' = {})",
        qualified(entry, "accord_version_id"),
        qualified(entry, "stage"),
    )
    members = {
        "key": qualified(entry, "stage"),
        "title": title,
        "since": instant_as_json(qualified(entry, "entered_at")),
        "occurrence": qualified(entry, "occurrence"),
    }
    row = present_entry(tables, contact, entry)
    return Sql("({})", select_objects(selected_members(selection.parts, members), row))
