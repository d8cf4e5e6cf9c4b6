"""PostgreSQL is frozen, ended and replaced under a running server: true answers in time, and few lines in the log."""

import asyncio
import os
import re
import signal
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from api.embedded import EmbeddedServer, start, stop
from tests.faults.processes import Installation, frozen
from tests.support.served import TIMEOUT_SECONDS

pytestmark = pytest.mark.faults

QUERY = {"query": "{ contacts { totalCount } }"}
MEDIA_TYPES = ("application/json", "application/graphql-response+json")
READY_SECONDS = 2.0
ANSWER_SECONDS = 15.0
STOP_SECONDS = 35.0  # the default grace period, and 25 seconds
REVIVED_SECONDS = 10.0


@pytest.fixture
def private(tmp_path: Path) -> Iterator[Installation]:
    """A server on its private PostgreSQL, which no other process uses."""
    installation = Installation(tmp_path)
    yield from running(installation)
    stop(installation.data)


@pytest.fixture
def external(tmp_path: Path) -> Iterator[Installation]:
    """A server on a PostgreSQL of others, by DATABASE_URL."""
    postgres: EmbeddedServer = start(tmp_path / "data")
    installation = Installation(tmp_path, postgres.dsn())
    yield from running(installation)
    postgres.close()


def running(installation: Installation) -> Iterator[Installation]:
    installation.run("migrate")
    installation.run("init", "--timezone", "UTC", "--currency", "EUR")
    installation.start_server()
    try:
        yield installation
    finally:
        if installation.server is not None and installation.server.poll() is None:
            installation.server.kill()
            installation.server.wait(30)


def query(installation: Installation, media_type: str = MEDIA_TYPES[0]) -> httpx.Response:
    return httpx.post(f"{installation.address}/graphql", json=QUERY, headers={"accept": media_type}, timeout=120)


def ready(installation: Installation) -> httpx.Response:
    began = time.monotonic()
    response = httpx.get(f"{installation.address}/readyz", timeout=120)
    assert time.monotonic() - began < READY_SECONDS
    return response


def warnings(installation: Installation) -> list[str]:
    """The warnings and errors that the server logged after its greeting, without those of single requests."""
    after = installation.log().rpartition("Ctrl-C stops it.\n")[2]
    found = re.findall(r"^\S+ (?:WARNING|ERROR|CRITICAL) +(\S+): (.*)$", after, re.MULTILINE)
    return [message for logger, message in found if logger != "accord.request"]


def until_answered(installation: Installation, seconds: float) -> float:
    """Wait until a query is answered. Return how long that took."""
    began = time.monotonic()
    while not query(installation).is_success:
        assert time.monotonic() - began < seconds, installation.log()[-4000:]
        time.sleep(0.05)
    return time.monotonic() - began


@pytest.mark.parametrize("where", ["private", "external"])
def test_a_frozen_database_hangs_nobody(where: str, request: pytest.FixtureRequest) -> None:
    installation: Installation = request.getfixturevalue(where)
    with frozen(installation.postmaster()):
        assert ready(installation).status_code == 503
        for media_type in MEDIA_TYPES * 3:
            began = time.monotonic()
            response = query(installation, media_type)
            assert time.monotonic() - began < ANSWER_SECONDS
            assert (response.status_code, response.headers["retry-after"]) == (503, "1")
            assert response.headers["content-type"].startswith(media_type)
            assert response.json()["errors"][0]["extensions"]["code"] == "DATABASE_UNREACHABLE"
            assert "data" not in response.json()
            assert ready(installation).status_code == 503
        assert httpx.get(f"{installation.address}/healthz").status_code == 200
    print(f"  answers again {until_answered(installation, 2):.2f} s after PostgreSQL goes on")
    assert ready(installation).status_code == 200
    lines = warnings(installation)
    assert [line.partition(":")[0].partition(",")[0] for line in lines] == [
        "The database cannot be reached",
        "The database can be reached again",
    ]


@pytest.mark.parametrize("where", ["private", "external"])
def test_a_stop_ends_in_time_although_the_database_is_frozen(where: str, request: pytest.FixtureRequest) -> None:
    installation: Installation = request.getfixturevalue(where)
    assert installation.server is not None
    with frozen(installation.postmaster()):
        began = time.monotonic()
        installation.server.terminate()
        assert installation.server.wait(120) == 128 + signal.SIGTERM
        print(f"  stopped after {time.monotonic() - began:.1f} s")
        assert time.monotonic() - began < STOP_SECONDS


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT], ids=lambda it: it.name)
def test_the_private_postgresql_is_started_again_however_it_ends(private: Installation, end: signal.Signals) -> None:
    main = private.postmaster()
    main.send_signal(end)
    psutil.wait_procs([main], timeout=30)
    seconds = until_answered(private, REVIVED_SECONDS)
    print(f"  answers again {seconds:.1f} s after {end.name}")
    assert private.postmaster().pid != main.pid
    assert ready(private).status_code == 200
    assert "Traceback" not in private.log()


def test_an_outage_under_load_is_logged_once_and_answered_with_503(external: Installation) -> None:
    async def ask(client: httpx.AsyncClient, answers: Counter[object], is_over: asyncio.Event) -> None:
        while not is_over.is_set():
            response = await client.post("/graphql", json=QUERY)
            errors = response.json().get("errors", [])
            codes = {error["extensions"]["code"] for error in errors}
            assert codes <= {"DATABASE_UNREACHABLE"}, response.text
            assert (response.status_code == 503) == bool(codes)
            assert (response.headers.get("retry-after") == "1") == bool(codes)
            answers[response.status_code] += 1
            await asyncio.sleep(0.01)

    async def load() -> Counter[object]:
        answers: Counter[object] = Counter()
        is_over = asyncio.Event()
        async with httpx.AsyncClient(base_url=external.address, timeout=60) as client:
            asking = [asyncio.create_task(ask(client, answers, is_over)) for _ in range(20)]
            await asyncio.sleep(1)
            assert await asyncio.to_thread(stop, external.data)
            await asyncio.sleep(3)
            restarted = await asyncio.to_thread(start, external.data)
            try:
                await asyncio.to_thread(until_answered, external, 2)
                await asyncio.sleep(1)
                is_over.set()
                await asyncio.gather(*asking)
            finally:
                restarted.close()
        return answers

    answers = asyncio.run(load())
    print(f"  {dict(answers)}")
    assert answers[200] > 0
    assert answers[503] > 0
    lines = warnings(external)
    assert sum("cannot be reached" in line for line in lines) == 1, lines
    assert sum("can be reached again" in line for line in lines) == 1, lines
    assert len(lines) <= 4, lines


def test_a_new_server_takes_the_port_over_under_load(external: Installation) -> None:
    assert external.server is not None
    external.server.terminate()
    external.server.wait(TIMEOUT_SECONDS)
    external.settings["ACCORD_REUSE_PORT"] = "true"
    external.start_server()

    async def ask(answers: Counter[object], is_over: asyncio.Event, *, keeps: bool) -> None:
        async with httpx.AsyncClient(base_url=external.address, timeout=60) as client:
            while not is_over.is_set():
                headers = {} if keeps else {"connection": "close"}
                try:
                    response = await client.post("/graphql", json=QUERY, headers=headers)
                    answers[response.status_code] += 1
                except httpx.TransportError as error:
                    answers[type(error).__name__] += 1
                await asyncio.sleep(0.005)

    async def load() -> Counter[object]:
        answers: Counter[object] = Counter()
        is_over = asyncio.Event()
        asking = [asyncio.create_task(ask(answers, is_over, keeps=number % 2 == 0)) for number in range(8)]
        for _ in range(3):
            old = external.server
            assert old is not None
            greetings = external.log().count("Ctrl-C stops it.")
            await asyncio.to_thread(external.start_server)  # `/readyz` may be that of the old one
            async with asyncio.timeout(TIMEOUT_SECONDS):
                while external.log().count("Ctrl-C stops it.") == greetings:  # noqa: ASYNC110 - another process writes it
                    await asyncio.sleep(0.1)
            old.terminate()
            assert await asyncio.to_thread(old.wait, 60) == 128 + signal.SIGTERM
            await asyncio.sleep(0.5)
        is_over.set()
        await asyncio.gather(*asking)
        return answers

    answers = asyncio.run(load())
    print(f"  {dict(answers)}")
    assert set(answers) == {200}


def test_a_server_with_a_database_url_serves_from_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    postgres = start(tmp_path / "data")
    try:
        installation = Installation(tmp_path, postgres.dsn())
        installation.run("migrate")
        installation.run("init", "--timezone", "UTC", "--currency", "EUR")
        (tmp_path / "file").touch()
        installation.settings["ACCORD_DATA_DIR"] = str(tmp_path / "file" / "data")
        installation.start_server()
        assert query(installation).status_code == 200
        assert installation.server is not None
        installation.server.terminate()
        assert installation.server.wait(60) == 128 + signal.SIGTERM
        assert len(re.findall(r"cannot be written", installation.log())) == 1
        assert os.listdir(tmp_path / "data")  # noqa: PTH208 - the folder of PostgreSQL, which is there
    finally:
        postgres.close()
