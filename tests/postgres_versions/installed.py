"""The PostgreSQL servers that the suite can run on instead of Accord's own: `POSTGRES_VERSION=15 make test`."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from api.embedded import cluster as clusters
from api.embedded import postmaster
from api.embedded.os_account import OsAccount, server_account
from api.embedded.programs import PostgresPrograms, can_run

PACKAGES = Path(__file__).parent / "node_modules"
FOLDERS = {
    15: Path("/usr/lib/postgresql/15"),  # Debian's postgresql-15
    16: PACKAGES / "postgresql-16/native",
    17: PACKAGES / "postgresql-17/native",
}


@contextmanager
def running(major: int, folder: Path) -> Iterator[str]:
    """Run a server of a major version on a new data folder. Yield the address of its maintenance database."""
    folder.chmod(0o711)  # programs of PostgreSQL 15 leave their working folder for a moment, and enter it by its path
    cluster = folder / "postgres"
    account = server_account(cluster)
    programs = _programs(major, folder, account)
    clusters.create(cluster, account, programs)
    clusters.write_settings(cluster, is_durable=False)
    postmaster.ensure_running(cluster, account, programs)
    try:
        yield f"postgresql://{clusters.SUPERUSER}@/postgres?host={quote(str(cluster))}"
    finally:
        postmaster.halt(cluster, account, programs)


def _programs(major: int, folder: Path, account: OsAccount) -> PostgresPrograms:
    """Return the programs of a version, copied beside the data if the account cannot enter the folder of this tree."""
    installed = FOLDERS[major]
    assert (installed / "bin/postgres").exists(), f"PostgreSQL {major} is not in {installed}"
    if account.is_other and not can_run(account, PostgresPrograms(major, installed / "bin")):
        copy = folder / "programs"
        shutil.copytree(installed, copy, symlinks=True)
        for path in (folder, copy, *copy.rglob("*")):
            if not path.is_symlink():
                path.chmod(
                    path.stat().st_mode | (0o055 if path.is_dir() else 0o044 | (path.stat().st_mode & 0o100) // 8)
                )
        installed = copy
    return PostgresPrograms(major, installed / "bin")


def requested_version() -> int | None:
    """Return the version that the environment names; None for Accord's own."""
    stated = os.environ.get("POSTGRES_VERSION")
    return int(stated) if stated else None
