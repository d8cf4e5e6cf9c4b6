"""What a unit of work has called after its commit, and never after a rollback."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from api.db import Database, WriteSession
from api.sql import Sql

Open = Callable[[Database], AbstractAsyncContextManager[WriteSession]]
WAYS: tuple[Open, ...] = (Database.write, Database.snapshot, Database.unit_of_work)


@pytest.mark.parametrize("open_session", WAYS)
async def test_it_is_called_once_the_unit_of_work_is_committed(open_session: Open, database: Database) -> None:
    called: list[int] = []
    async with open_session(database) as session:
        session.after_commit(lambda: called.append(1))
        session.after_commit(lambda: called.append(2))
        assert await session.value(Sql("select 1")) == 1
        assert called == []
    assert called == [1, 2]


@pytest.mark.parametrize("open_session", WAYS)
async def test_it_is_not_called_after_a_rollback(open_session: Open, database: Database) -> None:
    called: list[int] = []

    async def fail() -> None:
        async with open_session(database) as session:
            session.after_commit(lambda: called.append(1))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()
    assert called == []
