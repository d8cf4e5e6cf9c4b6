"""The same number, seed and date give the same rows."""

import hashlib
import os
import subprocess
import sys
from datetime import date

import pytest

from api.sample.batches import TABLES, SampleGenerator, SampleRequest, account_batches
from tests.sample.conftest import UNTIL, Sample

GENERATED_IDS = {"evaluation_id", "accord_version_id"}  # differ between databases
PRINT_DIGEST = "from tests.sample.test_repeatable import digest; print(digest(300, 3))"


def encoded_rows(contacts: int, seed: int, until: date = UNTIL) -> dict[str, list[bytes]]:
    """Return all rows of a sample by table, except Meridian's own, as they are sent to PostgreSQL."""
    request = SampleRequest(contacts, seed, until)
    generator = SampleGenerator(request)
    rows: dict[str, list[bytes]] = {}
    for batch in account_batches(request):
        for buffer in generator.buffers(batch).filled():
            rows.setdefault(buffer.table, []).extend(buffer.rows)
    return rows


def digest(contacts: int, seed: int) -> str:
    return hashlib.sha256(repr(encoded_rows(contacts, seed)).encode()).hexdigest()


@pytest.mark.parametrize("table", TABLES)
async def test_two_databases_hold_the_same_rows(sample: Sample, twin: Sample, table: str) -> None:
    rows = await sample.texts(table)
    assert rows
    assert rows == await twin.texts(table)


async def test_two_databases_have_the_same_stage_entries(sample: Sample, twin: Sample) -> None:
    columns = [column for column in (await sample.rows("stage_entry"))[0] if column not in GENERATED_IDS]
    assert await sample.texts("stage_entry", *columns) == await twin.texts("stage_entry", *columns)


def test_the_order_of_hashes_has_no_effect() -> None:
    printed = subprocess.run(
        [sys.executable, "-c", PRINT_DIGEST],
        env={**os.environ, "PYTHONHASHSEED": "1"},  # that of this process is another one
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert printed == digest(300, 3) + "\n"


def test_another_seed_gives_other_rows() -> None:
    assert not set(encoded_rows(50, 1)["contact"]) & set(encoded_rows(50, 2)["contact"])


def test_a_person_is_the_same_however_many_are_generated() -> None:
    few, many = encoded_rows(200, 3), encoded_rows(400, 3)
    # The last company of the smaller sample may have fewer people, so fewer of them take part in its deals.
    assert set(few["contact"][:180]) <= set(many["contact"])
    assert few["contact"][:180] == many["contact"][:180]
    assert set(few["touchpoint"][:1500]) <= set(many["touchpoint"])
