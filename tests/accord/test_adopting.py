"""Adopting an accord: the first becomes version 1, in force for all of time and provisional; a second is rejected."""

import pytest

from api.accord.documents import read_accord
from api.accord.in_force import accord_in_force
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.workflows.adopt_accord import adopt_accord


async def test_the_first_accord_is_in_force_for_all_of_time(database: Database) -> None:
    standard = read_accord("standard")
    async with database.write() as session:
        adopted = await adopt_accord(session, standard)
    async with database.read() as reading:
        found = await accord_in_force(reading)
    assert found == adopted
    assert (found.number, found.is_signed, found.starts_at) == (1, False, None)
    assert found.accord == standard
    assert found.content_hash == standard.content_hash()


async def test_a_second_accord_is_rejected(database: Database) -> None:
    async with database.write() as session:
        await adopt_accord(session, read_accord("standard"))
    with pytest.raises(AccordError, match="has an accord already: version 1, 'The standard accord'"):
        async with database.write() as session:
            await adopt_accord(session, read_accord("olist"))


async def test_without_an_accord_the_error_names_the_command_that_adopts_one(database: Database) -> None:
    async with database.read() as session:
        with pytest.raises(AccordError, match="accord init") as caught:
            await accord_in_force(session)
    assert caught.value.code is ErrorCode.NO_ACCORD
