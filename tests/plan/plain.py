"""Filters and orders by the words of the contract, over rows in plain Python: no SQL, no planner."""

import functools
import random
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from tests.graph.asking import uid

Row = dict[str, Any]

WORDS = [None, "", "acme", "ACME", "Äpfel", "äpfel GmbH", "100%", "1000", "a_b", "axb", "back\\slash", "'"]
AMOUNTS = [None, Decimal("0.00"), Decimal("10.00"), Decimal("10.01"), Decimal("99999999999.99")]
INSTANTS = [None, *(datetime(2026, 3, 29, 1, 0, tzinfo=UTC) + timedelta(microseconds=step) for step in (0, 1, 500000))]
DAYS = [None, date(2026, 2, 28), date(2026, 3, 1)]
CURRENCIES = [None, "EUR", "USD"]
MEMBERS = [uid(number) for number in (1, 2, 3)]
COMPANIES = [uid(20 + number) for number in range(8)]


def made_rows() -> dict[str, list[Row]]:
    """People, companies (of a group, some deleted) and deals, with many equal and many missing values."""
    source = random.Random(4)
    return {
        "member": [
            {"id": MEMBERS[0], "name": "Anna", "manager_id": None},
            {"id": MEMBERS[1], "name": "Ben", "manager_id": MEMBERS[0]},
            {"id": MEMBERS[2], "name": "Cleo", "manager_id": MEMBERS[1]},
        ],
        "company": [
            {
                "id": own,
                "name": source.choice(["", "acme", "ACME", "Äpfel"]),
                "employees": source.choice([None, 1, 2]),
                "parent_id": source.choice([None, *COMPANIES[:place]]),
                "owner_id": source.choice([None, *MEMBERS]),
                "deleted_at": datetime(2026, 4, 1, tzinfo=UTC) if place in (1, 4) else None,
            }
            for place, own in enumerate(COMPANIES)
        ],
        "deal": [
            {
                "id": uid(100 + number),
                "name": source.choice(WORDS),
                "amount": source.choice(AMOUNTS),
                "currency": source.choice(CURRENCIES),
                "opened_at": source.choice(INSTANTS),
                "created_at": source.choice(INSTANTS[1:]),
                "close_date": source.choice(DAYS),
                "owner_id": source.choice([None, *MEMBERS]),
                "company_id": source.choice([None, *COMPANIES]),
                "deleted_at": datetime(2026, 4, 1, tzinfo=UTC) if number % 20 == 7 else None,
            }
            for number in range(60)
        ],
    }


ROWS = made_rows()
TEXTS = ("eq", "in", "lt", "lte", "gt", "gte", "startsWith", "contains", "isNull")
ORDERED = ("eq", "in", "lt", "lte", "gt", "gte", "isNull")
PLAIN = ("eq", "in", "isNull")
# By table and GraphQL name: the column, some of its values, the operators.
COLUMNS: dict[str, dict[str, tuple[str, list[Any], tuple[str, ...]]]] = {
    "member": {
        "name": ("name", ["Anna", "Ben", "Cleo", "a", "BE"], TEXTS),
        "managerId": ("manager_id", MEMBERS, PLAIN),
    },
    "company": {
        "name": ("name", WORDS, TEXTS),
        "employees": ("employees", [0, 1, 2], ORDERED),
        "parentId": ("parent_id", COMPANIES, PLAIN),
    },
    "deal": {
        "name": ("name", WORDS, TEXTS),
        "amount": ("amount", AMOUNTS, ORDERED),
        "currency": ("currency", CURRENCIES, PLAIN),
        "openedAt": ("opened_at", INSTANTS, ORDERED),
        "createdAt": ("created_at", INSTANTS, ORDERED),
        "closeDate": ("close_date", DAYS, ORDERED),
        "ownerId": ("owner_id", MEMBERS, PLAIN),
        "companyId": ("company_id", COMPANIES, PLAIN),
    },
}
# By table and GraphQL name: the column and the table it names.
LINKS: dict[str, dict[str, tuple[str, str]]] = {
    "member": {"manager": ("manager_id", "member")},
    "company": {"parent": ("parent_id", "company"), "owner": ("owner_id", "member")},
    "deal": {"company": ("company_id", "company"), "owner": ("owner_id", "member")},
}
# By table and GraphQL name: the table whose rows name this one, and by which column.
LISTS: dict[str, dict[str, tuple[str, str]]] = {
    "member": {"reports": ("member", "manager_id"), "ownedDeals": ("deal", "owner_id")},
    "company": {"subsidiaries": ("company", "parent_id"), "deals": ("deal", "company_id")},
    "deal": {},
}
TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "eq": lambda value, wanted: value == wanted,
    "in": lambda value, wanted: value in wanted,
    "lt": lambda value, wanted: value < wanted,
    "lte": lambda value, wanted: value <= wanted,
    "gt": lambda value, wanted: value > wanted,
    "gte": lambda value, wanted: value >= wanted,
    "startsWith": lambda value, wanted: value.lower().startswith(wanted.lower()),
    "contains": lambda value, wanted: wanted.lower() in value.lower(),
}


def visible(table: str) -> list[Row]:
    """The rows that may be seen."""
    return [row for row in ROWS[table] if row.get("deleted_at") is None]


def linked(table: str, row: Row, link: str) -> Row | None:
    """The record that a link leads to, if it may be seen."""
    column, target = LINKS[table][link]
    return next((each for each in visible(target) if each["id"] == row[column]), None)


def matches(table: str, row: Row, where: Row) -> bool:
    """Whether a row is in a filter."""
    return all(_holds(table, row, key, value) for key, value in where.items())


def _holds(table: str, row: Row, key: str, value: Any) -> bool:  # noqa: ANN401 - a filter of any shape
    match key:
        case "and":
            return all(matches(table, row, each) for each in value)
        case "or":
            return any(matches(table, row, each) for each in value)
        case "not":
            return not matches(table, row, value)
    if key in LINKS[table]:
        other = linked(table, row, key)
        return other is not None and matches(LINKS[table][key][1], other, value)
    if key in LISTS[table]:
        return all(_of_list(table, row, key, quantifier, where) for quantifier, where in value.items())
    own = seen(table, row, COLUMNS[table][key][0])
    return all(
        (own is None) == wanted if operator == "isNull" else own is not None and TESTS[operator](own, wanted)
        for operator, wanted in value.items()
    )


def _of_list(table: str, row: Row, key: str, quantifier: str, where: Row) -> bool:
    other, column = LISTS[table][key]
    found = [matches(other, each, where) for each in visible(other) if each[column] == row["id"]]
    return {"some": any(found), "none": not any(found), "every": all(found)}[quantifier]


def seen(table: str, row: Row, column: str) -> Any:  # noqa: ANN401 - a column's value
    """A value as a filter sees it: the id of a record that may not be seen is none."""
    for link, (own, _) in LINKS[table].items():
        if own == column and linked(table, row, link) is None:
            return None
    return row[column]


def in_order(table: str, rows: list[Row], order: list[Row]) -> list[Row]:
    """The rows sorted: empty values last unless they are to be first, what is equal by id in the last term's way."""
    terms = [list(_flat(term)) for term in order]
    ways = [(tuple(path), str(way)) for *path, way in terms]
    ways.append((("id",), "DESC" if ways and ways[-1][1].startswith("DESC") else "ASC"))

    def compare(one: Row, other: Row) -> int:
        for path, way in ways:
            left, right = reach(table, one, path), reach(table, other, path)
            if left == right:
                continue
            if left is None or right is None:
                return (1 if left is None else -1) * (-1 if way.endswith("NULLS_FIRST") else 1)
            return (-1 if left < right else 1) * (-1 if way.startswith("DESC") else 1)
        return 0

    return sorted(rows, key=functools.cmp_to_key(compare))


def reach(table: str, row: Row | None, path: tuple[str, ...]) -> Any:  # noqa: ANN401 - a column's value
    """The value at the end of a way of links."""
    *links, last = path
    for link in links:
        if row is None:
            return None
        row, table = linked(table, row, link), LINKS[table][link][1]
    return None if row is None else row["id" if last == "id" else COLUMNS[table][last][0]]


def _flat(term: Row) -> Iterator[str]:
    for key, value in term.items():
        yield key
        if isinstance(value, dict):
            yield from _flat(value)
        else:
            yield value
