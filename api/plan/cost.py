"""What an answer may cost: the records it can hold, page sizes multiplied down the tree."""

from collections.abc import Iterable

from api.plan.selection import (
    Aggregate,
    Condition,
    Connection,
    Edges,
    Every,
    Field,
    Groups,
    KeyValues,
    Linked,
    Listed,
    ManyRecords,
    Nodes,
    OneRecord,
    Page,
    Root,
    Some,
    ToMany,
    ToOne,
    TotalCount,
    Typename,
    Without,
)

MOST_COST = 50_000
# Rows that are read and not shown, by a count or by a filter or an order through a link: ten, whatever their number.
COUNTED = 10


def cost(roots: Iterable[Root]) -> int:
    """The records that the answer to a document can hold at most."""
    return sum(_asked(root.asked) for root in roots)


def _asked(asked: OneRecord | ManyRecords | Connection | Typename) -> int:
    match asked:
        case Typename():
            return 0
        case OneRecord(fields=fields):
            return 1 + _fields(fields)
        case ManyRecords(ids=ids, fields=by_table):
            each = {table: 1 + _fields(fields) for table, fields in by_table}
            return sum(each[table] for table, _ in ids)
        case Connection():
            return _connection(asked)


def _fields(fields: Iterable[Field]) -> int:
    total = 0
    for each in fields:
        if isinstance(each, ToOne):
            total += 1 + _fields(each.fields)
        elif isinstance(each, ToMany):
            total += _connection(each.connection)
    return total


def _connection(asked: Connection) -> int:
    row, beside = 0, COUNTED * _links(asked.page)
    for part in asked.parts:
        if isinstance(part, Nodes):
            row += 1 + _fields(part.fields)
        elif isinstance(part, Edges):
            row += 1 + sum(_fields(each.fields) for each in part.parts if isinstance(each, Nodes))
        elif isinstance(part, TotalCount | Aggregate):
            beside += COUNTED
        elif isinstance(part, Groups):
            beside += COUNTED + part.size * (1 + _keys(part))
    return asked.page.size * row + beside


def _links(page: Page) -> int:
    """The links that filter and order of a list go through."""
    ways = {each.links[:steps] for each in page.order for steps in range(1, len(each.links) + 1)}
    return len(ways) + (0 if page.where is None else _tested(page.where))


def _tested(condition: Condition) -> int:
    match condition:
        case Every(parts) | Some(parts):
            return sum(map(_tested, parts))
        case Without(part):
            return _tested(part)
        case Linked(part=part) | Listed(part=part):
            return 1 + _tested(part)
        case _:
            return 0


def _keys(groups: Groups) -> int:
    """The records that one group shows."""
    keys = (each for part in groups.parts if isinstance(part, KeyValues) for each in part.parts)
    return _fields(each for each in keys if isinstance(each, ToOne))
