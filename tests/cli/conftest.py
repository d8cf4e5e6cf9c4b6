"""Data folders with a migrated private database, and an empty database of the tests' server."""

import subprocess
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.support.commands import run_command
from tests.support.databases import new_database


@pytest.fixture(scope="session")
def migrated_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder, migrated once, that others are copied from."""
    folder = tmp_path_factory.mktemp("migrated") / ".accord"
    assert run_command("migrate", data=folder).returncode == 0
    return folder


@pytest.fixture(scope="module")
def data_dir(migrated_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A migrated data folder of this test module."""
    folder = tmp_path_factory.mktemp("installation") / ".accord"
    # PostgreSQL's files may belong to another account, which `cp -a` keeps.
    subprocess.run(["cp", "-a", migrated_folder, folder], check=True)
    yield folder
    run_command("stop", data=folder)


@pytest.fixture
async def empty_dsn(server: str) -> AsyncIterator[str]:
    """The address of a database without tables."""
    async with new_database(server) as dsn:
        yield dsn
