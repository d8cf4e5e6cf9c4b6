"""A database that opens no connection because its disk is full: what callers get, and that the outage ends."""

import asyncio

import asyncpg
import pytest

from api.db import expected_error
from api.db.outages import Outage
from api.embedded.programs import failure_of_program
from api.errors import ErrorCode


async def test_a_connection_that_a_full_disk_refuses_is_named_so() -> None:
    is_full = True

    async def connect() -> None:
        if is_full:
            raise asyncpg.DiskFullError("could not write init file: No space left on device")

    outage = Outage(connect)
    async with outage.watching():
        for _ in range(2):  # the first one begins the outage, the second meets it
            with pytest.raises(ConnectionError) as refused:
                await outage.opened(connect)
            shown = expected_error(refused.value)
            assert shown is not None
            assert shown.code is ErrorCode.DISK_FULL
            assert outage.is_of_full_disk
        is_full = False
        await asyncio.wait_for(outage.wait_until_over(), 10)
        assert not outage.is_of_full_disk
        await outage.opened(connect)


@pytest.mark.parametrize(
    ("output", "code"),
    [
        ("FATAL:  could not write init file: No space left on device", ErrorCode.DISK_FULL),
        ("FATAL:  could not open file: Permission denied", ErrorCode.DATA_FOLDER),
    ],
)
def test_a_program_that_met_a_full_disk_is_told_from_others(output: str, code: ErrorCode) -> None:
    assert failure_of_program(output, "It failed.", "Look at it.").code is code
