"""A sample needs an empty database and valid numbers. A rejected request leaves the database unchanged."""

from datetime import date, timedelta

import pytest

from api.accord.documents import read_accord
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.sample.random_source import SeededRandom
from api.sample.row_buffers import RowBuffer
from api.sql import Sql
from api.workflows.adopt_accord import adopt_accord
from api.workflows.make_sample import has_records
from schema.base import new_id, now
from tests.sample.conftest import make


async def rejection(
    database: Database, contacts: int = 5, seed: int = 1, until: date = date(2026, 3, 1)
) -> AccordError:
    with pytest.raises(AccordError) as caught:
        await make(database, contacts=contacts, seed=seed, until=until)
    return caught.value


@pytest.mark.parametrize("contacts", [0, -1, 5_000_001])
async def test_a_number_of_contacts_out_of_range_is_rejected(database: Database, contacts: int) -> None:
    assert f"{contacts}" in (await rejection(database, contacts=contacts)).message


@pytest.mark.parametrize("seed", [-1, 2**63])
async def test_a_seed_out_of_range_is_rejected(database: Database, seed: int) -> None:
    assert (await rejection(database, seed=seed)).code == ErrorCode.BAD_INPUT


@pytest.mark.parametrize("days_ahead", [None, 1])
async def test_a_date_out_of_range_is_rejected(database: Database, days_ahead: int | None) -> None:
    # Tomorrow is reckoned when the test runs: the suite may run past midnight.
    until = date(1999, 12, 31) if days_ahead is None else now().date() + timedelta(days=days_ahead)
    assert f"{until}" in (await rejection(database, until=until)).message


async def test_a_second_sample_is_rejected_and_the_first_stays(database: Database) -> None:
    await make(database, contacts=5)
    error = await rejection(database)
    assert error.code == ErrorCode.SAMPLE_PRESENT
    assert "5 contacts, seed 3, until 2026-03-01" in error.message
    assert "--data DIR" in error.remedy
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from contact")) == 5


async def test_a_database_with_records_is_rejected(database: Database) -> None:
    async with database.write() as session:
        await session.copy("contact", ["id", "last_name"], [(new_id(), "Weiss")])
    error = await rejection(database)
    assert error.code == ErrorCode.BAD_INPUT
    assert "contact" in error.message
    assert "--data DIR" in error.remedy
    async with database.read() as session:
        assert await session.value(Sql("select count(*) from accord_version")) == 0


async def test_a_database_with_another_accord_is_rejected(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("olist"))
    assert "Olist" in (await rejection(database)).message


async def test_a_database_with_only_the_standard_accord_is_accepted(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
    async with database.read() as looking:
        assert await has_records(looking)
    await make(database, contacts=5)


async def test_the_smallest_sample_has_one_contact_and_an_import_job(database: Database) -> None:
    sample = await make(database, contacts=1)
    (job,) = await sample.rows("import_job")
    assert (job["preset"], job["origin"]) == ("sample", "1 contacts, seed 3, until 2026-03-01")
    assert job["counts"] == {"kept": sample.made.rows}


async def test_a_sample_can_end_on_a_leap_day(database: Database) -> None:
    await make(database, contacts=5, until=date(2024, 2, 29))


def test_a_row_with_an_unknown_column_is_an_error() -> None:
    with pytest.raises(TypeError, match="team has no column colour"):
        RowBuffer("team").add(
            id=SeededRandom(1).uuid7(1), created_at=1, updated_at=1, name="Sales", kind="SALES", colour="red"
        )


def test_a_row_without_a_required_column_is_an_error() -> None:
    with pytest.raises(TypeError, match="team needs created_at, kind, updated_at"):
        RowBuffer("team").add(id=SeededRandom(1).uuid7(1), name="Sales")
