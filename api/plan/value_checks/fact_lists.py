"""Whether a selection reads lists of facts, which have to hold those of merged contacts, too."""

from dataclasses import fields, is_dataclass

from api.access.merged_facts import is_fact_of
from api.plan.list_arguments import ListAggregate, ToManyCondition
from api.plan.selection import ToMany


def reads_fact_lists(node: object) -> bool:
    """Return whether a selection has, filters by, or sorts by lists of facts about contacts.

    Shapes: a selection, or any part of one. Errors: none.
    """
    match node:
        case tuple():
            return any(map(reads_fact_lists, node))
        case ToMany(column=column, connection=connection) if is_fact_of(connection.table, column):
            return True
        case ToManyCondition(table=table, column=column) | ListAggregate(table=table, column=column) if is_fact_of(
            table, column
        ):
            return True
        case _:
            return is_dataclass(node) and any(reads_fact_lists(getattr(node, field.name)) for field in fields(node))
