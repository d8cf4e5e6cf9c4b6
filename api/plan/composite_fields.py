"""Fields of a row that are objects but not records: money, the present stage of a contact."""

from collections.abc import Iterable, Mapping

from api.access.scoped_tables import ScopedTables, qualified
from api.plan.json_objects import NO_ROWS, Columns, select_objects
from api.plan.json_values import instant_as_json
from api.plan.selection import Amount, ObjectMember, PresentStage, Typename
from api.sql import Sql
from schema.tables import SHAPES


def typename(part: Typename) -> Sql:
    """Return the name of a type as a constant.

    Shapes: selected field -> a text expression.
    """
    # Typed: in an object that is built by an aggregate, PostgreSQL could not infer the type of a plain literal.
    return Sql(f"text '{part.name}'")


def selected_members(parts: Iterable[ObjectMember | Typename], members: Mapping[str, Sql]) -> Columns:
    """Return the selected members of an object, given the expressions of all its members by name.

    Errors: KeyError for a member that the object does not have.
    """
    return [(part.key, typename(part) if isinstance(part, Typename) else members[part.name]) for part in parts]


def amount(table: str, alias: str, selection: Amount) -> Sql:
    """Return a money column with its currency as an object; null if the amount is null.

    Errors: KeyError for an unknown table, column or member.
    """
    column = SHAPES[table].column(selection.column)
    members = {"amount": Sql("{}::text", qualified(alias, column.name))}
    if column.note.currency:
        members["currency"] = qualified(alias, column.note.currency)
    money = select_objects(selected_members(selection.parts, members), NO_ROWS)
    return Sql("case when {} is not null then ({}) end", qualified(alias, column.name), money)


def present_stage(tables: ScopedTables, contact: str, selection: PresentStage) -> Sql:
    """Return the open stage entry of highest rank of a contact as an object; null without an open entry.

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
    open_entries = tables.from_clause(
        "stage_entry",
        entry,
        Sql("{} = {}", qualified(entry, "contact_id"), qualified(contact, "id")),
        Sql("{} is null", qualified(entry, "exited_at")),
    )
    highest = Sql(" order by {} desc limit 1", qualified(entry, "rank"))
    return Sql("({})", select_objects(selected_members(selection.parts, members), open_entries + highest))
