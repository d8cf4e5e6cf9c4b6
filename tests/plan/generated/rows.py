"""Generator of rows for every table, beside those of the small company, so that filters, orders and pages select some.

Many values are equal, many are missing, some rows are deleted, and links lead to all of them.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from api.db import Database, WriteSession
from api.sql import Sql, name
from schema.base import ColumnShape, TableShape
from schema.tables import SHAPES
from tests.support.accords import replace_document
from tests.support.graphql import put, uid
from tests.support.small_company import BEFORE, CREATED, NOW, VERSION, write_small_company

Row = dict[str, Any]
Rows = dict[str, list[Row]]

ROW_COUNTS = {
    "team": 2,
    "member": 4,
    "company": 10,
    "contact": 14,
    "campaign": 5,
    "campaign_cost": 6,
    "touchpoint": 40,
    "pipeline": 2,
    "pipeline_stage": 5,
    "product": 3,
    "exchange_rate": 8,
    "deal": 20,
    "deal_contact": 18,
    "handoff": 12,
    "reported_stage": 9,
}
WORDS = ["", "acme", "ACME", "Äpfel", "äpfel GmbH", "100%", "1000", "a_b", "axb", "back\\slash", 'q"uote']
INSTANTS = [
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 1, tzinfo=UTC),
    datetime(2026, 3, 29, 1, 0, 0, 500000, tzinfo=UTC),
]
DAYS = [date(2026, 2, 28), date(2026, 3, 1), date(2026, 4, 1)]
VALUES: dict[type, list[Any]] = {
    str: WORDS,
    int: [1, 2, 3],
    bool: [False, True],
    Decimal: [Decimal("0.00"), Decimal("1.00"), Decimal("0.25")],
    datetime: INSTANTS,
    date: DAYS,
}
MONEY = [Decimal("0.00"), Decimal("10.00"), Decimal("10.01"), Decimal("99999999999.99")]
VOIDING = ("voided_at", "void_reason")  # few facts are voided
STAGES = ["lead", "mql", "sql"]  # the small company's accord has no title for the last


async def write_generated_rows(session: WriteSession) -> None:
    """Insert the rows of the small company, and the generated rows."""
    await write_small_company(session)
    ids = {
        table: [row["id"] for row in await session.rows(Sql("select id from {} order by id", name(table)))]
        for table in ROW_COUNTS
        if _has_id(SHAPES[table])
    }
    generator = _RowGenerator(random.Random(11), ids)
    for table, count in ROW_COUNTS.items():
        await put(session, table, *generator.rows(SHAPES[table], count))
    await put(session, "stage_entry", *generator.entries())
    body = await session.value(Sql("select body from accord_version"))
    await replace_document(session, body | {"reporting": {"currency": "EUR"}})


async def all_rows(database: Database) -> Rows:
    """Return every row of every table, as Python values."""
    async with database.read() as session:
        return {
            table: [dict(row) for row in await session.rows(Sql("select * from {}", name(table)))] for table in SHAPES
        }


def _has_id(shape: TableShape) -> bool:
    return any(column.name == "id" for column in shape.columns)


class _RowGenerator:
    """Generates rows from the declarations of their tables, and keeps their ids for the links of later tables."""

    def __init__(self, choices: random.Random, ids: dict[str, list[Any]]) -> None:
        self.choices = choices
        self.ids = ids

    def rows(self, shape: TableShape, count: int) -> list[Row]:
        """Return at most so many rows of a table: rows that violate a unique constraint are dropped."""
        position = list(SHAPES).index(shape.name)
        found: dict[tuple[Any, ...], Row] = {}
        for number in range(count):
            row = {column.name: self._value(column) for column in shape.columns if column.name not in VOIDING}
            if _has_id(shape):
                row["id"] = uid(10_000 * (position + 1) + number)
                self.ids[shape.name].append(row["id"])
            if "deleted_at" in row:
                row["deleted_at"] = CREATED if number % 6 == 5 else None
            row |= self._corrections(shape.name, row, number)
            found.setdefault(_unique_key(shape.name, row), row)
        return list(found.values())

    def entries(self) -> Iterator[Row]:
        """Yield stage entries of the current and of the previous evaluation; sometimes several of them are open."""
        for contact in self.ids["contact"][4:]:
            open_in: set[Any] = set()  # the evaluations with an open entry of a higher stage
            for rank in range(self.choices.randint(0, len(STAGES)), 0, -1):
                evaluation = self.choices.choice([NOW, NOW, NOW, BEFORE])
                is_left = self.choices.random() < 0.5
                entered = self.choices.choice(INSTANTS[1:])
                yield {
                    "contact_id": contact,
                    "evaluation_id": evaluation,
                    "stage": STAGES[rank - 1],
                    "occurrence": self.choices.choice([1, 1, 2]),
                    "rank": rank,
                    "entered_at": entered,
                    "own_at": self.choices.choice([None, entered]),
                    "exited_at": entered + timedelta(days=1) if is_left else None,
                    "exit_kind": "ADVANCED" if is_left else None,
                    "accord_version_id": VERSION,
                    "is_implied": self.choices.choice([False, True]),
                    "present_at": None if evaluation in open_in else entered,
                }
                if not is_left:
                    open_in.add(evaluation)

    def _value(self, column: ColumnShape) -> Any:  # noqa: ANN401 - a column's value
        if column.is_nullable and self.choices.random() < 0.3:
            return None
        if column.link is not None:
            return self.choices.choice(self.ids.get(column.link.target, [VERSION]))
        if column.note.vocab is not None:
            return self.choices.choice([str(word) for word in column.note.vocab][:3])
        if column.python is Decimal and column.note.numeric is None:
            return self.choices.choice(MONEY)
        return self.choices.choice(VALUES.get(column.python, [None]))

    def _corrections(self, table: str, row: Row, number: int) -> Row:
        """Return values that satisfy the constraints of the table."""
        is_open = self.choices.random() < 0.4
        match table:
            case "team" | "pipeline" | "product" | "pipeline_stage":
                return {"name": f"{row['name']}{number}"}
            case "company" | "contact":
                merged = {"merged_into_id": None} if number % 4 else {}
                hidden = {"effective_at": None, "is_assumed": False}
                return hidden | merged
            case "deal":
                closed = (
                    {"outcome": "OPEN", "closed_at": None} if is_open else {"outcome": "LOST", "closed_at": CREATED}
                )
                hidden = {"effective_at": None, "is_assumed": False}
                return closed | hidden | ({"lost_reason": None} if is_open else {})
            case "handoff" if is_open:
                decision = dict.fromkeys(("decided_at", "reject_reason", "note"))
                return {"handed_at": CREATED, "status": "PROPOSED", **decision}
            case "handoff":
                return {"handed_at": INSTANTS[0], "status": "REJECTED", "decided_at": CREATED, "reject_reason": "no"}
            case "exchange_rate":
                # Direct and inverse rates to EUR, the reporting currency; none in both directions for the same day.
                pair = ("SEK", "EUR") if number % 2 else ("EUR", "USD")
                return {"currency": pair[0], "quote_currency": pair[1], "rate": Decimal("1.10") + number}
            case "touchpoint" | "deal_contact":
                return {"voided_at": CREATED if number % 6 == 5 else None}
            case "campaign_cost":
                # Days far apart, so that ranges of a campaign and source do not overlap.
                return {"before_on": row["from_on"] + timedelta(days=1)}
            case _:
                return {}


def _unique_key(table: str, row: Row) -> tuple[Any, ...]:
    match table:
        case "campaign_cost":
            return row["campaign_id"], row["source"], row["from_on"]
        case "exchange_rate":
            return row["currency"], row["quote_currency"], row["rate_on"]
        case "deal_contact":
            return row["contact_id"], row["deal_id"]
        case _:
            return (row["id"],)
