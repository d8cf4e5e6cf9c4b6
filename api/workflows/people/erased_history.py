"""What stands in the place of a person's values, in the contact and in its history.

The stage entries of a person have to stay as they are, also in a later rebuild. A rule can ask whether a value is
known, whether it is another one than before, and for some columns whether it is one of those that the accord names. So
null stays null, different values of a history get different placeholders, and a value that a rule names stays: it is a
word of the accord, such as the job title CEO, and rules cannot name personal data.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from itertools import count
from uuid import UUID

from api.db import WriteSession
from api.sql import Sql, join, name
from api.workflows.people.erased_columns import erased_values, numbered_placeholder
from schema.accord_vocab import AccordStatus
from schema.tables import SHAPES

_TABLE = "contact"
Names = Mapping[str, frozenset[str]]


async def redact_contacts(session: WriteSession, people: Sequence[UUID]) -> None:
    """Replace the values of contacts that identify a person, in the contacts and their versions.

    Shapes: ids -> contact and contact_version with placeholders. The caller keeps the trigger from writing versions.
    """
    named = await _named_by_rules(session)
    columns = list(erased_values(_TABLE))
    rows = await session.rows(
        Sql(
            "select 'contact_version' as source, v.id::text, v.contact_id, coalesce(v.valid_from, v.recorded_at) as at,"
            " {} from contact_version v where v.contact_id = any({}::uuid[])"
            " union all select 'contact', c.id::text, c.id, 'infinity', {} from contact c where c.id = any({}::uuid[])"
            " order by at, id",
            *(_listed(columns, "v"), people, _listed(columns, "c"), people),
        )
    )
    written: defaultdict[str, list[dict[str, object]]] = defaultdict(list)
    placeholders = _Placeholders(named)
    for row in rows:
        values = {column: placeholders.of(row["contact_id"], column, row[column]) for column in columns}
        written[row["source"]].append({"id": row["id"], **values})
    for table, changed in written.items():
        assigned = join(", ", (Sql("{} = u.{}", name(column), name(column)) for column in columns))
        new = Sql("jsonb_populate_recordset(null::{}, {}::jsonb)", name(table), changed)
        await session.run(Sql("update {} t set {} from {} u where t.id = u.id", name(table), assigned, new))


class _Placeholders:
    """The placeholders of the values of contacts: equal values of a contact's column have the same."""

    def __init__(self, named: Names) -> None:
        self._named = named
        self._known: dict[tuple[UUID, str], dict[str, str]] = defaultdict(dict)

    def of(self, contact: UUID, column: str, value: str | None) -> str | None:
        """Return what stands in the place of a value."""
        words = self._named.get(column, frozenset())
        if value is None or value in words:
            return value
        known = self._known[contact, column]
        if value not in known:
            taken = {*known.values(), *words}
            numbered = (numbered_placeholder(SHAPES[_TABLE].column(column), number) for number in count(1))
            known[value] = next(text for text in numbered if text not in taken)
        return known[value]


async def _named_by_rules(session: WriteSession) -> Names:
    """Return the texts that rules compare columns of contacts with, of all versions that are or were in force."""
    rows = await session.rows(
        Sql(
            "select split_part(c ->> 'field', '.', 2) as column, array_agg(distinct v #>> '{{}}') as texts"
            " from accord_version a, jsonb_path_query(a.body, '$.** ? (@.field starts with \"contact.\")') c,"
            " jsonb_path_query(c, '$.value[*]') v"
            " where a.status = any({}::text[]) and jsonb_typeof(v) = 'string' group by 1",
            [AccordStatus.SUPERSEDED.value, AccordStatus.ACTIVE.value],
        )
    )
    return {row["column"]: frozenset(row["texts"]) for row in rows}


def _listed(columns: Sequence[str], alias: str) -> Sql:
    return join(", ", (Sql(f"{alias}.{{}}", name(column)) for column in columns))
