"""The private PostgreSQL: shared by processes, kept through `kill -9`, refused with a sentence where it cannot be."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from api.embedded import postmaster, start, stop
from api.embedded.cluster import reason
from api.embedded.os_account import account_for
from api.embedded.programs import installed, runnable_by
from api.embedded.server import cluster_of
from api.errors import AccordError, ErrorCode

HOLDER = """
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


def hold(data_dir: Path) -> tuple[subprocess.Popen[str], str]:
    """Start another process that holds the server; return it and the address it works with."""
    process = subprocess.Popen([sys.executable, "-c", HOLDER, str(data_dir)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def end(process: subprocess.Popen[str], how: signal.Signals) -> None:
    process.send_signal(how)
    process.wait(10)
    assert process.stdout is not None
    process.stdout.close()


async def value(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


def runs(data_dir: Path) -> bool:
    return postmaster.running_pid(cluster_of(data_dir)) is not None


async def test_a_new_folder_becomes_a_database_that_only_a_socket_reaches(data_dir: Path) -> None:
    server = start(data_dir)
    try:
        assert await value(server.dsn(), "select current_database()") == "accord"
        assert await value(server.dsn(), "show listen_addresses") == ""
        assert await value(server.dsn(), "show jit") == "off"
        assert cluster_of(data_dir).stat().st_mode & 0o077 == 0
    finally:
        server.close()
    assert not runs(data_dir)


async def test_a_second_process_attaches_and_the_last_one_to_leave_stops_it(data_dir: Path) -> None:
    server = start(data_dir)
    first = postmaster.running_pid(cluster_of(data_dir))
    other, dsn = hold(data_dir)
    assert await value(dsn, "select 1") == 1
    assert postmaster.running_pid(cluster_of(data_dir)) == first
    server.close()
    assert await value(dsn, "select 1") == 1
    last = start(data_dir)
    end(other, signal.SIGKILL)
    last.close()
    assert not runs(data_dir)


async def test_kill_9_of_the_holder_loses_nothing_and_the_next_one_attaches(data_dir: Path) -> None:
    holder, dsn = hold(data_dir)
    await value(dsn, "create table kept as select 42 as answer")
    end(holder, signal.SIGKILL)
    assert runs(data_dir)
    server = start(data_dir)
    assert await value(server.dsn(), "select answer from kept") == 42
    server.close()
    assert not runs(data_dir)


async def test_kill_9_of_postgresql_itself_loses_nothing(data_dir: Path) -> None:
    server = start(data_dir)
    await value(server.dsn(), "create table crashed as select 7 as answer")
    pid = postmaster.running_pid(cluster_of(data_dir))
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again = start(data_dir)
    assert await value(again.dsn(), "select answer from crashed") == 7
    again.close()
    server.close()
    assert not runs(data_dir)


def test_a_process_number_that_is_somebody_elses_now_does_not_hurt(data_dir: Path) -> None:
    cluster = cluster_of(data_dir)
    (cluster / "postmaster.pid").write_text(f"{os.getpid()}\n{cluster}\n1\n5432\n\n\n\nready\n")
    server = start(data_dir)
    assert runs(data_dir)
    server.close()


def test_stop_ends_a_server_that_others_hold(data_dir: Path) -> None:
    holder, _ = hold(data_dir)
    assert stop(data_dir)
    assert not runs(data_dir)
    assert not stop(data_dir)
    end(holder, signal.SIGKILL)


async def test_two_processes_that_start_at_once_make_one_database(tmp_path: Path) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "d")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    dsns = set()
    for process in both:
        assert process.stdout is not None
        dsns.add(process.stdout.readline().strip())
    assert len(dsns) == 1
    assert await value(dsns.pop(), "select 1") == 1
    for process in both:
        end(process, signal.SIGKILL)
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


def test_a_folder_of_another_major_version_is_refused_with_a_sentence(data_dir: Path) -> None:
    marker = cluster_of(data_dir) / "PG_VERSION"
    ours = marker.read_text()
    marker.write_text("15\n")
    try:
        with pytest.raises(AccordError, match="made by PostgreSQL 15; this Accord runs PostgreSQL 18") as refused:
            start(data_dir)
    finally:
        marker.write_text(ours)
    assert refused.value.code is ErrorCode.DATA_FOLDER
    assert not runs(data_dir)


def test_a_folder_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "postgres").mkdir()
    (tmp_path / "postgres" / "holiday.jpg").touch()
    with pytest.raises(AccordError, match="not a PostgreSQL data folder"):
        start(tmp_path)


@pytest.mark.parametrize("place", ["file/data", "/proc/accord"])
def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(AccordError, match=r"cannot be used.*--data DIR"):
        start(tmp_path / place)


@pytest.mark.parametrize(
    ("said", "told"),
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
def test_why_a_folder_could_not_be_made_is_told(said: str, told: str) -> None:
    assert reason(said) == told


def test_a_start_killed_half_way_is_begun_anew(tmp_path: Path) -> None:
    (tmp_path / "postgres.unfinished").mkdir()
    (tmp_path / "postgres.unfinished" / "PG_VERSION").write_text("18\n")
    start(tmp_path, is_durable=False).close()
    assert not (tmp_path / "postgres.unfinished").exists()


def test_a_closed_home_stays_closed(tmp_path: Path) -> None:
    """As root the server runs as another account, which must not need a right on any parent folder."""
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    before = [(parent, parent.stat().st_mode, parent.stat().st_uid) for parent in (home, *home.parents)]
    start(home / ".accord", is_durable=False).close()
    assert [(parent, parent.stat().st_mode, parent.stat().st_uid) for parent in (home, *home.parents)] == before


@pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the server as somebody else")
def test_programs_behind_a_closed_folder_are_copied_where_the_servers_account_can_run_them(tmp_path: Path) -> None:
    account = account_for(tmp_path / "none")
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    ours = installed()
    package = ours.folder.parents[1]
    subprocess.run(["cp", "-r", package, f"{package}.libs", closed], check=True)
    behind = type(ours)(ours.major, closed / ours.folder.relative_to(package.parent))
    copies = Path("/tmp") / f"accord-copies-{os.getpid()}"  # noqa: S108 - has to be open to all
    try:
        found = runnable_by(account, behind, copies)
        assert found.folder.is_relative_to(copies)
        assert runnable_by(account, behind, copies) == found
    finally:
        subprocess.run(["rm", "-rf", str(copies)], check=True)
    with pytest.raises(AccordError, match="cannot read its programs"):
        runnable_by(account, behind, tmp_path / "closed")


def test_attaching_is_quick(data_dir: Path) -> None:
    server = start(data_dir)
    began = time.perf_counter()
    start(data_dir).close()
    assert time.perf_counter() - began < 0.5
    server.close()
