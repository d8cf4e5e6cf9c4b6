"""The facts of merged contacts, which lists read under the survivor.

A fact, such as a touchpoint, keeps the contact that it names. The lists of a survivor have the facts of all contacts
that were merged into it, directly or through others; those of a merged contact have its own alone.

Statements with such lists have two forms. The plain one holds while no contact is merged, and costs nothing more than
its guard. The other one (`ScopedTables.reads_merged`) always holds.
"""

from functools import cache

from api.access.scope import MERGED_INTO, can_be_merged
from api.sql import Sql
from schema.tables import SHAPES

# True while no contact is merged. Ordered, so that PostgreSQL reads one entry of the index even without statistics.
NO_CONTACT_IS_MERGED = Sql(
    "(select m.merged_into_id from contact m where m.merged_into_id is not null order by m.merged_into_id limit 1)"
    " is null"
)
_DERIVED = frozenset({"stage_entry", "journey", "handoff_journey"})  # the evaluator writes those of the survivor


@cache
def is_fact_of(table: str, column: str) -> bool:
    """Return whether rows of a table are facts about the contact that a column names.

    A company is no such record: what names it moves to the survivor.
    Errors: KeyError for an unknown table or column.
    """
    shape = SHAPES[table].column(column)
    return (
        shape.link is not None
        and not shape.is_nullable
        and can_be_merged(shape.link.target)
        and table not in _DERIVED
        and column != MERGED_INTO
    )


def has_merged(contact: Sql) -> Sql:
    """Return the condition that contacts were merged into the contact with an id, which is not merged itself."""
    return Sql(
        "exists (select from contact s join contact m on m.merged_into_id = s.id"
        " where s.id = {} and s.merged_into_id is null)",
        contact,
    )


def names_survivor_or_merged(fact: Sql, contact: Sql) -> Sql:
    """Return the condition that a fact names a contact or one that was merged into it.

    Cost: an index lookup for each contact. Only for survivors the chain of merges is followed.
    """
    return Sql(
        "{} = any(case when {} then {} else array[{}] end)", fact, has_merged(contact), _family(contact), contact
    )


def names_family(fact: Sql, contact: Sql) -> Sql:
    """Return the same condition for a contact of which `has_merged` holds."""
    return Sql("{} = any({})", fact, _family(contact))


def _family(contact: Sql) -> Sql:
    return Sql(
        "array(with recursive family (id) as (select {}::uuid union"
        " select m.id from family join contact m on m.merged_into_id = family.id) select id from family)",
        contact,
    )
