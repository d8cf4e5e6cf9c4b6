"""What is kept of credentials: forgotten at every change of access, and not trusted while changes cannot be heard."""

import asyncio
from collections.abc import Callable
from time import monotonic

import asyncpg
import pytest

from api.access.credentials import access_cache
from api.access.credentials.access_cache import AccessCache, announce_access_change
from api.db import Database
from api.sql import Sql


class LookUps:
    """Counts look-ups."""

    def __init__(self) -> None:
        self.number = 0

    async def __call__(self) -> int:
        self.number += 1
        return self.number


async def eventually(is_so: Callable[[], bool]) -> None:
    began = monotonic()
    while not is_so():
        assert monotonic() - began < 10
        await asyncio.sleep(0.01)


async def announce(database: Database) -> None:
    async with database.write() as session:
        await announce_access_change(session)


async def announce_and_fail(database: Database) -> None:
    async with database.write() as session:
        await announce_access_change(session)
        raise RuntimeError


async def test_without_a_listener_every_request_looks_up() -> None:
    cache, look_up = AccessCache(), LookUps()
    assert [await cache.get("k", look_up) for _ in range(3)] == [1, 2, 3]


async def test_what_is_found_is_kept_until_a_change_is_announced(database: Database) -> None:
    cache, look_up = AccessCache(), LookUps()
    async with cache.listening(database):
        await eventually(lambda: cache.is_listening)
        assert [await cache.get("k", look_up) for _ in range(3)] == [1, 1, 1]
        assert await cache.get("other", look_up) == 2
        await announce(database)
        await eventually(lambda: not len(cache._kept))
        assert [await cache.get("k", look_up) for _ in range(2)] == [3, 3]
    assert not cache.is_listening
    assert await cache.get("k", look_up) == 4


async def test_a_change_that_is_rolled_back_is_not_announced(database: Database) -> None:
    cache, look_up = AccessCache(), LookUps()
    async with cache.listening(database):
        await eventually(lambda: cache.is_listening)
        await cache.get("k", look_up)
        with pytest.raises(RuntimeError):
            await announce_and_fail(database)
        await asyncio.sleep(0.1)
        assert await cache.get("k", look_up) == 1


async def test_what_is_not_found_is_not_kept(module_database: Database) -> None:
    cache, asked = AccessCache(), 0

    async def find_nothing() -> str | None:
        nonlocal asked
        asked += 1
        return None

    async with cache.listening(module_database):
        await eventually(lambda: cache.is_listening)
        for _ in range(3):
            assert await cache.get("forged", find_nothing) is None
        assert asked == 3
        assert not len(cache._kept)


async def test_a_change_during_a_look_up_keeps_it_from_being_kept(module_database: Database) -> None:
    cache = AccessCache()

    async def interrupted() -> str:
        cache.forget()  # as a notification does that comes after the snapshot of the look-up
        return "as it was"

    async def again() -> str:
        return "as it is"

    async with cache.listening(module_database):
        await eventually(lambda: cache.is_listening)
        assert await cache.get("k", interrupted) == "as it was"
        assert await cache.get("k", again) == "as it is"


async def test_a_cut_connection_ends_trust_at_once_and_is_replaced(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(access_cache, "PING_SECONDS", 0.05)
    cache, look_up = AccessCache(), LookUps()
    async with cache.listening(database):
        await eventually(lambda: cache.is_listening)
        await cache.get("k", look_up)
        async with database.write() as session:
            await session.run(
                Sql(
                    "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database()"
                    " and pid <> pg_backend_pid() and query like 'select 1%'"
                )
            )
        await eventually(lambda: not cache.is_listening)
        assert [await cache.get("k", look_up) for _ in range(2)] == [2, 3]
        await eventually(lambda: cache.is_listening)
        assert [await cache.get("k", look_up) for _ in range(2)] == [4, 4]
    assert caplog.text == "", "a single lost connection is no outage"


async def test_a_connection_that_hears_nothing_is_not_trusted(
    module_database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As behind a pooler that passes statements on, but no notifications."""
    monkeypatch.setattr(access_cache, "PING_SECONDS", 0.05)
    monkeypatch.setattr(asyncpg.Connection, "add_listener", _do_nothing)
    cache, look_up = AccessCache(), LookUps()
    async with cache.listening(module_database):
        await asyncio.sleep(0.5)
        assert not cache.is_listening
        assert [await cache.get("k", look_up) for _ in range(2)] == [1, 2]
    assert caplog.text.count("each request looks its key up") == 1


async def _do_nothing(*_: object) -> None:
    return


async def test_nothing_is_trusted_for_long_without_a_successful_try(
    module_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, look_up, seconds = AccessCache(), LookUps(), 0.0
    monkeypatch.setattr(access_cache, "monotonic", lambda: monotonic() + seconds)
    async with cache.listening(module_database):
        await eventually(lambda: cache.is_listening)
        await cache.get("k", look_up)
        seconds = access_cache.TRUSTED_SECONDS
        assert not cache.is_listening
        assert await cache.get("k", look_up) == 2
