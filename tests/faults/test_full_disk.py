"""The disk of the private PostgreSQL is full: every command says so, nothing is half-written, and it mends itself."""

import ctypes
import os
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import asyncpg
import httpx
import pytest

from api.embedded import start, stop
from tests.faults.processes import Installation
from tests.support.served import TIMEOUT_SECONDS, accord
from tests.support.small_export import write_small_export

pytestmark = pytest.mark.faults

DISK_BYTES = 192 * 1024 * 1024
LEFT_BYTES = 1024 * 1024
PEOPLE = 6_000
QUERY = {"query": "{ contacts { totalCount } companies { totalCount } }"}
MUTATION = {"query": 'mutation { createCompany(input: {name: "Acme"}) { company { id } userErrors { code } } }'}


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk, mounted at the data folder of an installation."""
    folder = tmp_path / "data"
    folder.mkdir()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(b"tmpfs", os.fsencode(folder), b"tmpfs", 0, f"size={DISK_BYTES},mode=700".encode()) != 0:
        pytest.skip(f"mounting a small disk needs the rights of root: {os.strerror(ctypes.get_errno())}")
    try:
        yield folder
    finally:
        stop(folder)
        libc.umount2(os.fsencode(folder), 2)  # MNT_DETACH


@pytest.fixture
def installation(disk: Path) -> Iterator[Installation]:
    """A server on that disk, with people."""
    made = Installation(disk.parent)
    made.run("migrate")
    made.run("init", "--timezone", "UTC", "--currency", "EUR")
    made.run(*export(made, "first"))
    made.start_server()
    try:
        yield made
    finally:
        made.stop()


def export(installation: Installation, prefix: str) -> tuple[str, ...]:
    """Write files of people. Return the command that imports them."""
    folder = installation.folder / prefix
    folder.mkdir()
    people = [f"{prefix}-{number}" for number in range(PEOPLE)]
    preset = write_small_export(
        folder,
        people=(f"{key},{key}@crm.example,,,2026-01-01" for key in people),
        forms=(f"f{key},{key},2026-01-02" for key in people),
    )
    return "import", preset, str(folder)


def fill(disk: Path, *, leave: int = LEFT_BYTES) -> Path:
    """Fill the disk with a new file."""
    ballast = disk / f"ballast-{leave}"
    free = os.statvfs(disk)
    with ballast.open("wb") as file:
        if size := max(free.f_bavail * free.f_frsize - leave, 0):
            os.posix_fallocate(file.fileno(), 0, size)
    return ballast


def refused(installation: Installation, *arguments: str) -> str:
    """Run a command that must find the disk full. Return what it says."""
    done = subprocess.run(
        accord(*arguments),
        env=installation.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert done.returncode == 2, (arguments, done.stdout, done.stderr)
    assert re.search("(disk.* is full|No space left on device)(.|\n)*(Make room|Free some space)", done.stderr), (
        done.stderr
    )
    return done.stderr


def post(installation: Installation, document: dict[str, str]) -> httpx.Response:
    return httpx.post(f"{installation.address}/graphql", json=document, timeout=60)


async def test_every_command_and_request_names_the_full_disk_and_goes_on_once_there_is_room(
    installation: Installation, disk: Path
) -> None:
    before = post(installation, QUERY).json()["data"]
    second = export(installation, "second")
    fill(disk)
    assert "Nothing was imported" in refused(installation, *second)
    await let_nobody_connect(disk)
    for command in (("evaluate",), ("migrate",), ("backup", str(disk / "accord.backup")), second):
        refused(installation, *command)
    for _ in range(3):
        response = post(installation, MUTATION)
        assert (response.status_code, response.headers["retry-after"]) == (503, "1")
        assert response.json()["errors"][0]["extensions"]["code"] == "DISK_FULL"
    ready = httpx.get(f"{installation.address}/readyz", timeout=10)
    assert (ready.status_code, ready.json()["problem"]) == (
        503,
        "The disk of the database is full, so that it opens no connection.",
    )
    assert list(disk.glob("*.backup*")) == []
    for ballast in disk.glob("ballast-*"):
        ballast.unlink()
    until_ready(installation)
    assert post(installation, QUERY).json()["data"] == before
    assert post(installation, MUTATION).json()["data"]["createCompany"]["company"]
    installation.run("backup", str(disk.parent / "accord.backup"))
    installation.run("check")


async def let_nobody_connect(disk: Path) -> None:
    """Fill the disk wholly, and end all sessions: PostgreSQL then has to write a file before it opens a connection."""
    with closing(start(disk)) as server:
        connection = await asyncpg.connect(server.dsn())
        for cache in (disk / "postgres").rglob("pg_internal.init"):
            cache.unlink()
        fill(disk, leave=0)
        await connection.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"
            " and backend_type = 'client backend'"
        )
        connection.terminate()


def until_ready(installation: Installation) -> None:
    began = time.monotonic()
    while not httpx.get(f"{installation.address}/readyz", timeout=10).is_success:
        assert time.monotonic() - began < 20, installation.log()[-4000:]
        time.sleep(0.1)
    print(f"  ready {time.monotonic() - began:.2f} s after there is room")


def test_a_backup_to_a_full_disk_leaves_no_file(installation: Installation, tmp_path: Path) -> None:
    small = tmp_path / "backups"
    small.mkdir()
    libc = ctypes.CDLL(None)
    assert libc.mount(b"tmpfs", os.fsencode(small), b"tmpfs", 0, b"size=64k") == 0
    try:
        refused(installation, "backup", str(small / "accord.backup"))
        assert list(small.iterdir()) == []
    finally:
        libc.umount2(os.fsencode(small), 2)


def test_migrating_a_new_database_on_a_full_disk_can_be_repeated(disk: Path) -> None:
    installation = Installation(disk.parent)
    start(disk).close()
    ballast = fill(disk)
    refused(installation, "migrate")
    ballast.unlink()
    installation.run("migrate")
    installation.run("init", "--timezone", "UTC", "--currency", "EUR")


def test_a_new_data_folder_on_a_full_disk_can_be_made_later(disk: Path) -> None:
    installation = Installation(disk.parent)
    ballast = fill(disk, leave=4 * LEFT_BYTES)
    refused(installation, "migrate")
    ballast.unlink()
    installation.run("migrate")
