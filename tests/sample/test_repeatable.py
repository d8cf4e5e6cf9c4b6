"""The same number, seed and date give the same company."""

import hashlib
import os
import subprocess
import sys
from datetime import date

import pytest

from api.sample.batches import TABLES, Order, Teller, stretches
from tests.sample.conftest import UNTIL, Company

ONES_OWN = {"evaluation_id", "accord_version_id"}  # of the making, not of the company
PRINT_DIGEST = "from tests.sample.test_repeatable import digest; print(digest(300, 3))"


def told(contacts: int, seed: int, until: date = UNTIL) -> dict[str, list[bytes]]:
    """Every row of a story as it is sent to PostgreSQL, by table."""
    order = Order(contacts, seed, until)
    teller = Teller(order)
    found: dict[str, list[bytes]] = {}
    for stretch in stretches(order):
        for rows in teller.batch(stretch).filled():
            found.setdefault(rows.table, []).extend(rows.records)
    return found


def digest(contacts: int, seed: int) -> str:
    return hashlib.sha256(repr(told(contacts, seed)).encode()).hexdigest()


@pytest.mark.parametrize("table", TABLES)
async def test_two_databases_hold_the_same_rows(company: Company, twin: Company, table: str) -> None:
    rows = await company.texts(table)
    assert rows
    assert rows == await twin.texts(table)


async def test_two_databases_are_judged_alike(company: Company, twin: Company) -> None:
    columns = [each for each in (await company.rows("stage_entry"))[0] if each not in ONES_OWN]
    assert await company.texts("stage_entry", *columns) == await twin.texts("stage_entry", *columns)


def test_the_order_of_hashes_plays_no_part() -> None:
    digests = {
        subprocess.run(
            [sys.executable, "-c", PRINT_DIGEST],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert digests == {digest(300, 3) + "\n"}


def test_another_seed_tells_another_story() -> None:
    assert not set(told(50, 1)["contact"]) & set(told(50, 2)["contact"])


def test_a_person_is_the_same_however_many_are_made() -> None:
    few, many = told(200, 3), told(400, 3)
    # The last company may have been cut: its people are fewer, and its deals have fewer of them.
    assert set(few["contact"][:180]) <= set(many["contact"])
    assert few["contact"][:180] == many["contact"][:180]
    assert set(few["touchpoint"][:1500]) <= set(many["touchpoint"])
