"""Generator of companies and deals with histories, and their state as of an instant."""

import random
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from schema.history import kept_columns
from schema.tables import TABLES
from tests.plan.oracle.shapes import Row, Rows
from tests.support.graphql import uid

WORDS = [None, "", "acme", "ACME", "Äpfel", "äpfel GmbH", "100%", "1000", "a_b", "axb", "back\\slash", "'"]
AMOUNTS = [None, Decimal("0.00"), Decimal("10.00"), Decimal("10.01"), Decimal("99999999999.99")]
SPRING = [None, *(datetime(2026, 3, 29, 1, 0, tzinfo=UTC) + timedelta(microseconds=step) for step in (0, 1, 500000))]
MEMBERS = [uid(number) for number in (1, 2, 3)]
COMPANIES = [uid(20 + number) for number in range(8)]
DAYS = [datetime(2026, 3, 28, tzinfo=UTC) + timedelta(days=day) for day in range(8)]
INSTANTS = [*DAYS, *(day + timedelta(hours=12) for day in DAYS), datetime(1900, 1, 1, tzinfo=UTC)]
KEPT = {str(table.__tablename__): kept_columns(table) for table in TABLES if table.__has_history__}
REQUIRED: dict[str, Row] = {"company": {}, "deal": {"outcome": "OPEN"}}


def current_rows() -> dict[str, list[Row]]:
    """Return the current rows, with many equal and many missing values."""
    choices = random.Random(4)
    return {
        "member": [
            {"id": MEMBERS[0], "name": "Anna", "manager_id": None},
            {"id": MEMBERS[1], "name": "Ben", "manager_id": MEMBERS[0]},
            {"id": MEMBERS[2], "name": "Cleo", "manager_id": MEMBERS[1]},
        ],
        "company": [
            {
                "id": own,
                "name": choices.choice(["", "acme", "ACME", "Äpfel"]),
                "employees": choices.choice([None, 1, 2]),
                "parent_id": choices.choice([None, *COMPANIES[:place]]),
                "owner_id": choices.choice([None, *MEMBERS]),
                "deleted_at": datetime(2026, 4, 1, tzinfo=UTC) if place in (1, 4) else None,
            }
            for place, own in enumerate(COMPANIES)
        ],
        "deal": [
            {
                "id": uid(100 + number),
                "name": choices.choice(WORDS),
                "amount": choices.choice(AMOUNTS),
                "currency": choices.choice([None, "EUR", "USD"]),
                "opened_at": choices.choice(SPRING),
                "created_at": choices.choice(SPRING[1:]),
                "close_date": choices.choice([None, date(2026, 2, 28), date(2026, 3, 1)]),
                "owner_id": choices.choice([None, *MEMBERS]),
                "company_id": choices.choice([None, *COMPANIES]),
                "deleted_at": datetime(2026, 4, 1, tzinfo=UTC) if number % 20 == 7 else None,
            }
            for number in range(60)
        ],
    }


def generate_versions(table: str, choices: random.Random) -> Iterator[Row]:
    """Yield the versions of every record; the last has the current values.

    Some versions have an unknown start, and some end at the instant at which they start.
    """
    others = current_rows()[table]
    for row in current_rows()[table]:
        ends = sorted(choices.choice(DAYS) for _ in range(choices.randint(0, 3)))
        starts = (
            [choices.choice([None, DAYS[0], *DAYS[:3]]), *ends]
            if not ends
            else [choices.choice([None, DAYS[0]]), *ends]
        )
        for start, end in zip(starts, [*ends, None], strict=True):
            values = row if end is None else choices.choice(others)
            kept = {column: value for column, value in values.items() if column in KEPT[table]}
            dates = {"valid_from": start, "valid_to": end, "recorded_at": choices.choice(DAYS[:4])}
            yield REQUIRED[table] | kept | dates | {f"{table}_id": row["id"], "is_assumed": choices.random() < 0.4}


VERSIONS = {table: list(generate_versions(table, random.Random(7))) for table in REQUIRED}


def state_at(instant: datetime, rows: Rows) -> Mapping[str, list[Row]]:
    """Return the rows as of an instant, given the current rows. Who is deleted today was never there."""
    found = {table: list(table_rows) for table, table_rows in rows.items()}
    for table, versions in VERSIONS.items():
        found[table] = [
            row
            | {key: version[key] for key in KEPT[table] if key in version}
            | {"is_assumed": version["is_assumed"] and version["recorded_at"] > instant}
            for row in rows[table]
            if row["deleted_at"] is None
            for version in versions
            if version[f"{table}_id"] == row["id"] and _is_in_force(version, instant)
        ]
    return found


def _is_in_force(version: Row, instant: datetime) -> bool:
    start = version["valid_from"] or version["recorded_at"]
    return bool(start <= instant) and (version["valid_to"] is None or version["valid_to"] > instant)
