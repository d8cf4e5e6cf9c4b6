"""The data folder of the server: made whole or not at all, its version, its settings."""

import os
import shutil
import subprocess
from pathlib import Path

import psutil

from api.embedded.os_account import OsAccount
from api.embedded.programs import ENVIRONMENT, PostgresPrograms
from api.errors import AccordError, ErrorCode

SUPERUSER = "postgres"
_ERRORS = ("PANIC:  ", "FATAL:  ", "ERROR:  ", "initdb: error: ")
_SETTINGS_FILE = "accord.conf"


def require_version(cluster: Path, programs: PostgresPrograms) -> None:
    """Refuse a folder that another major version wrote: PostgreSQL cannot read it."""
    marker = cluster / "PG_VERSION"
    if not marker.exists():
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            f"{cluster} is not a PostgreSQL data folder (it has no PG_VERSION).",
            "Move it away, or name another data folder with --data DIR.",
        )
    major = marker.read_text().strip()
    if major == str(programs.major):
        return
    raise AccordError(
        ErrorCode.DATA_FOLDER,
        f"The data folder {cluster} was made by PostgreSQL {major}; this Accord runs PostgreSQL {programs.major}.",
        f"Dump it with PostgreSQL {major}'s pg_dump and restore into a new folder (--data DIR), "
        "or let a server of that version run it and name that with DATABASE_URL.",
    )


def create(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Make a new data folder beside its place and move it there when it is complete.

    Killed in the middle, the half-made folder is thrown away by the next start.
    """
    half = cluster.with_name(cluster.name + ".unfinished")
    shutil.rmtree(half, ignore_errors=True)
    half.mkdir(mode=0o700)
    if account.is_other:
        os.chown(half, account.uid, account.gid)
    locale = ["--locale=C"]
    if programs.major >= 17:
        # The same order and the same lower() on every machine: PostgreSQL's own C.UTF-8, not the system's.
        locale += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    made = subprocess.run(  # noqa: S603 - a program of the wheel
        [
            programs.path("initdb"),
            *("-D", in_place(half)),
            *("-U", SUPERUSER),
            "--auth=trust",
            "--encoding=UTF8",
            *locale,
            *("-c", "listen_addresses="),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=half,
        env=ENVIRONMENT,
        **account.process_options,
    )
    if made.returncode != 0:
        shutil.rmtree(half, ignore_errors=True)
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            f"PostgreSQL could not make its data folder {cluster}: {reason(made.stderr)}",
            "Check the disk's free space and the folder's rights, or name another one with --data DIR.",
        )
    with (half / "postgresql.conf").open("a") as settings:
        settings.write(f"\ninclude_if_exists = '{_SETTINGS_FILE}'  # rewritten by Accord at every start\n")
    half.rename(cluster)


def reason(said: str) -> str:
    """The line of initdb's that says what went wrong; after it come what was tried, and what is removed again."""
    lines = said.strip().splitlines() or ["no reason given"]
    return next((line.partition(each)[2] for each in _ERRORS for line in lines if each in line), lines[-1])


def write_settings(cluster: Path, *, is_durable: bool) -> None:
    """Write the settings for one private server on this machine; ALTER SYSTEM still wins over them."""
    text = "".join(f"{name} = '{value}'\n" for name, value in _settings(is_durable=is_durable).items())
    # Written outside and moved in: as root we must not follow a link that the server's account may have planted.
    new = cluster.with_name(_SETTINGS_FILE + ".new")
    new.unlink(missing_ok=True)
    new.write_text("# Written by Accord at every start. Your own settings: ALTER SYSTEM SET …\n" + text)
    new.chmod(0o644)
    new.replace(cluster / _SETTINGS_FILE)


def in_place(cluster: Path) -> str:
    """Return how a program that runs in the folder names it.

    On Linux a process may name its working folder without the right to walk there from the root. That is how a server
    started by root runs as another account inside a closed home, with no right of any parent folder changed.
    """
    return "/proc/self/cwd" if Path("/proc/self/cwd").exists() else str(cluster)


def _settings(*, is_durable: bool) -> dict[str, str | int]:
    memory = psutil.virtual_memory().total // 2**20
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": 60,
        "shared_buffers": f"{max(64, min(512, memory // 16))}MB",
        "effective_cache_size": f"{max(256, memory // 3)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{max(64, min(256, memory // 32))}MB",
        "random_page_cost": "1.1",
        "jit": "off",
        # Containers often have 64 MB of /dev/shm, too little for a parallel hash join.
        "dynamic_shared_memory_type": "posix" if _shared_memory() >= 256 * 2**20 else "mmap",
        # No standby and no archive: a bulk load into a new table need not be logged.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "lc_messages": "C",
        # Seven files, one per weekday, each overwritten a week later. No statement text: it may hold personal data.
        "logging_collector": "on",
        "log_directory": "log",
        "log_filename": "server-%u.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_rotation_size": 0,
        "log_timezone": "UTC",
        "log_checkpoints": "off",
        "log_error_verbosity": "terse",
        "log_min_error_statement": "panic",
        "fsync": "on" if is_durable else "off",
        "synchronous_commit": "on" if is_durable else "off",
        "full_page_writes": "on" if is_durable else "off",
    }


def _shared_memory() -> int:
    try:
        room = os.statvfs("/dev/shm")  # noqa: S108 - asked for its size only
    except OSError:
        return 0
    return room.f_frsize * room.f_blocks
