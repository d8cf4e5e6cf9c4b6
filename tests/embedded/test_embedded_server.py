"""The private PostgreSQL: several processes share it, it survives `kill -9`, and failures have clear messages."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from api.embedded import connection_url, database_connection_url, postmaster, start, stop
from api.embedded.cluster import error_line
from api.embedded.os_account import server_account
from api.embedded.programs import installed, runnable_by
from api.embedded.server import cluster_dir
from api.errors import AccordError, ErrorCode
from api.settings import Settings

CLIENT = """
import sys, time
from pathlib import Path
from api.embedded import start
server = start(Path(sys.argv[1]))
print(server.dsn(), flush=True)
time.sleep(60)
"""


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("embedded") / ".accord"
    yield folder
    stop(folder)


def start_client(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """Start another process that uses the server; return it and its connection URL."""
    process = subprocess.Popen([sys.executable, "-c", CLIENT, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


async def value(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def is_running(data_dir: Path) -> bool:
    return postmaster.running_pid(cluster_dir(data_dir)) is not None


async def test_a_new_server_accepts_connections_by_socket_only(data_dir: Path) -> None:
    server = start(data_dir)
    try:
        assert await value(server.dsn(), "select current_database()") == "accord"
        assert await value(server.dsn(), "show listen_addresses") == ""
        assert await value(server.dsn(), "show jit") == "off"
        workers = int(str(await value(server.dsn(), "show max_parallel_workers_per_gather")))
        assert workers <= max(0, (os.cpu_count() or 1) - 2)
        assert cluster_dir(data_dir).stat().st_mode & 0o077 == 0
    finally:
        server.close()
    assert not is_running(data_dir)


async def test_a_second_process_attaches_and_the_last_one_to_close_stops_the_server(data_dir: Path) -> None:
    server = start(data_dir)
    first = postmaster.running_pid(cluster_dir(data_dir))
    other, dsn = start_client(data_dir)
    assert await value(dsn, "select 1") == 1
    assert postmaster.running_pid(cluster_dir(data_dir)) == first
    server.close()
    assert await value(dsn, "select 1") == 1
    last = start(data_dir)
    kill(other)
    last.close()
    assert not is_running(data_dir)


async def test_kill_9_of_the_client_loses_nothing_and_the_next_one_attaches(data_dir: Path) -> None:
    client, dsn = start_client(data_dir)
    await value(dsn, "create table kept as select 42 as answer")
    kill(client)
    assert is_running(data_dir)
    server = start(data_dir)
    assert await value(server.dsn(), "select answer from kept") == 42
    server.close()
    assert not is_running(data_dir)


async def test_kill_9_of_postgresql_itself_loses_nothing(data_dir: Path) -> None:
    server = start(data_dir)
    await value(server.dsn(), "create table crashed as select 7 as answer")
    pid = postmaster.running_pid(cluster_dir(data_dir))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again = start(data_dir)
    assert await value(again.dsn(), "select answer from crashed") == 7
    again.close()
    server.close()
    assert not is_running(data_dir)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM, signal.SIGINT])
async def test_a_process_that_serves_revives_a_killed_postgresql_and_not_a_stopped_one(
    data_dir: Path, monkeypatch: pytest.MonkeyPatch, end: signal.Signals
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(connection_url, "WATCH_SECONDS", 0.05)
    with database_connection_url(Settings.load(data_dir=data_dir), revives=True) as dsn:
        pid = postmaster.running_pid(cluster_dir(data_dir))
        assert pid is not None
        os.kill(pid, end)
        deadline = time.monotonic() + 60
        while postmaster.running_pid(cluster_dir(data_dir)) in (None, pid):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        start(data_dir).close()  # waits until the start is complete
        assert await value(dsn, "select 1") == 1
        assert stop(data_dir)
        time.sleep(0.5)
        assert not is_running(data_dir)


def test_a_pid_file_that_names_an_unrelated_process_is_ignored(data_dir: Path) -> None:
    cluster = cluster_dir(data_dir)
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n\n\nready\n")
    server = start(data_dir)
    assert is_running(data_dir)
    server.close()


def test_stop_ends_a_server_that_other_processes_use(data_dir: Path) -> None:
    client, _ = start_client(data_dir)
    assert stop(data_dir)
    assert not is_running(data_dir)
    assert not stop(data_dir)
    kill(client)


async def test_two_processes_that_start_at_once_share_one_server(tmp_path: Path) -> None:
    command = [sys.executable, "-c", CLIENT, str(tmp_path / "d")]
    clients = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    dsns = set()
    for process in clients:
        assert process.stdout is not None
        dsns.add(process.stdout.readline().strip())
    assert len(dsns) == 1
    assert await value(dsns.pop(), "select 1") == 1
    for process in clients:
        kill(process)
    assert stop(tmp_path / "d")


async def test_a_path_too_long_for_a_socket_address_works(tmp_path: Path) -> None:
    server = start(tmp_path / ("x" * 70) / ("y" * 70), is_durable=False)
    assert len(server.host) < 100
    assert await value(server.dsn(), "select 1") == 1
    link = Path(server.host)
    server.close()
    assert not link.exists()


async def test_a_path_with_odd_characters_works(tmp_path: Path) -> None:
    server = start(tmp_path / "a, b's & ü%20", is_durable=False)
    assert await value(server.dsn(), "select 1") == 1
    server.close()


def test_a_folder_of_another_major_version_is_rejected(data_dir: Path) -> None:
    marker = cluster_dir(data_dir) / "PG_VERSION"
    ours = marker.read_text()
    marker.write_text("15\n")
    try:
        with pytest.raises(AccordError, match="created by PostgreSQL 15; this Accord runs PostgreSQL 18") as rejected:
            start(data_dir)
    finally:
        marker.write_text(ours)
    assert rejected.value.code is ErrorCode.DATA_FOLDER
    assert not is_running(data_dir)


def test_a_folder_without_a_database_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "holiday.jpg").touch()
    with pytest.raises(AccordError, match="not a PostgreSQL data folder"):
        start(tmp_path)


@pytest.mark.parametrize("path", ["file/data", "/proc/accord"])
def test_a_folder_that_cannot_be_written_is_rejected(tmp_path: Path, path: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AccordError, match=r"cannot be used.*--data DIR"):
        start(tmp_path / path)


@pytest.mark.parametrize(
    ("output", "message"),
    [
        (
            """12:00:00.841 UTC [30482] FATAL:  could not write to file "base/4/1255_fsm": No space left on device
12:00:00.841 UTC [30482] STATEMENT:  CREATE DATABASE template0;
child process exited with exit code 1
initdb: removing data directory "d"
""",
            'could not write to file "base/4/1255_fsm": No space left on device',
        ),
        (
            """initdb: error: could not create directory "d/base": No space left on device
initdb: removing contents of data directory "d"
""",
            'could not create directory "d/base": No space left on device',
        ),
        ("killed\n", "killed"),
        ("", "no reason given"),
    ],
)
def test_the_error_of_initdb_is_reported(output: str, message: str) -> None:
    assert error_line(output) == message


def test_an_incomplete_folder_of_a_killed_start_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "postgres.unfinished").mkdir()
    (tmp_path / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    start(tmp_path, is_durable=False).close()
    assert not (tmp_path / "postgres.unfinished").exists()


def test_a_private_home_folder_stays_private(tmp_path: Path) -> None:
    """Started by root, the server runs as another account, which needs no access to any parent folder."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    before = [(parent, parent.stat().st_mode, parent.stat().st_uid) for parent in (home, *home.parents)]
    start(home / ".accord", is_durable=False).close()
    assert [(parent, parent.stat().st_mode, parent.stat().st_uid) for parent in (home, *home.parents)] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as another account")
def test_programs_in_a_private_folder_are_copied_for_the_servers_account(tmp_path: Path) -> None:
    account = server_account(tmp_path / "none")
    private = tmp_path / "closed"
    private.mkdir(mode=0o700)
    ours = installed()
    package = ours.folder.parents[1]
    subprocess.run(["cp", "-r", package, f"{package}.libs", private], check=True)
    unreadable = type(ours)(ours.major, private / ours.folder.relative_to(package.parent))
    copies = Path("/tmp") / f"accord-copies-{os.getpid()}"  # noqa: S108 - other accounts must be able to read it
    try:
        found = runnable_by(account, unreadable, copies)
        assert found.folder.is_relative_to(copies)
        assert runnable_by(account, unreadable, copies) == found
    finally:
        subprocess.run(["rm", "-rf", str(copies)], check=True)
    with pytest.raises(AccordError, match="cannot read its programs"):
        runnable_by(account, unreadable, tmp_path / "closed")


def test_attaching_takes_less_than_half_a_second(data_dir: Path) -> None:
    server = start(data_dir)
    began = time.perf_counter()
    start(data_dir).close()
    assert time.perf_counter() - began < 0.5
    server.close()
