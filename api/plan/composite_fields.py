"""The parts of a row that are objects of their own without being records: money, the present stage."""

from collections.abc import Iterable, Mapping

from api.access.scoped_tables import ScopedTables, of
from api.plan.json_objects import NO_SOURCE, Columns, each_row
from api.plan.json_values import instant_as_json
from api.plan.selection import Amount, Member, PresentStage, Typename
from api.sql import Sql
from schema.tables import SHAPES


def typename(part: Typename) -> Sql:
    """The name of a type, the same for each row."""
    return Sql(f"text '{part.name}'")


def chosen(parts: Iterable[Member | Typename], members: Mapping[str, Sql]) -> Columns:
    """The asked parts of an object whose every member is known."""
    return [(part.key, typename(part) if isinstance(part, Typename) else members[part.name]) for part in parts]


def amount(table: str, alias: str, asked: Amount) -> Sql:
    """A money column with its currency; null where the amount is unknown."""
    column = SHAPES[table].column(asked.column)
    members = {"amount": Sql("{}::text", of(alias, column.name))}
    if column.note.currency:
        members["currency"] = of(alias, column.note.currency)
    money = each_row(chosen(asked.parts, members), NO_SOURCE)
    return Sql("case when {} is not null then ({}) end", of(alias, column.name), money)


def present_stage(visits: ScopedTables, contact: str, asked: PresentStage) -> Sql:
    """The open entry of highest rank. Its title is that of the accord's version that judged it."""
    entry = visits.alias()
    title = Sql(
        "(select step.value ->> 'title' from accord_version agreed, jsonb_array_elements(agreed.body -> 'stages') step"
        " where agreed.id = {} and step.value ->> 'key' = {})",
        of(entry, "accord_version_id"),
        of(entry, "stage"),
    )
    members = {
        "key": of(entry, "stage"),
        "title": title,
        "since": instant_as_json(of(entry, "entered_at")),
        "occurrence": of(entry, "occurrence"),
    }
    open_entries = visits.source(
        "stage_entry",
        entry,
        Sql("{} = {}", of(entry, "contact_id"), of(contact, "id")),
        Sql("{} is null", of(entry, "exited_at")),
    )
    highest = Sql(" order by {} desc limit 1", of(entry, "rank"))
    return Sql("({})", each_row(chosen(asked.parts, members), open_entries + highest))
