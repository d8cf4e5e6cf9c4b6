"""PostgreSQL's data folder: atomic creation, version check and settings."""

import os
import shutil
import subprocess
from pathlib import Path

import psutil

from api.embedded.os_account import OsAccount
from api.embedded.programs import ENVIRONMENT, PostgresPrograms, failure_of_program
from api.errors import AccordError, ErrorCode

SUPERUSER = "postgres"
_ERROR_PREFIXES = ("PANIC:  ", "FATAL:  ", "ERROR:  ", "initdb: error: ")
_SETTINGS_FILE = "accord.conf"


def require_version(cluster: Path, programs: PostgresPrograms) -> None:
    """Check that the folder was written by this major version. Errors: DATA_FOLDER if not, as it cannot be read."""
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
        f"The data folder {cluster} was created by PostgreSQL {major}; this Accord runs PostgreSQL {programs.major}.",
        f"Dump it with PostgreSQL {major}'s pg_dump and restore into a new folder (--data DIR), "
        "or run it with a server of that version and set DATABASE_URL to that server.",
    )


def create(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Create a data folder under a temporary name and rename it when it is complete.

    If the process is killed before that, the next start removes the incomplete folder.
    """
    incomplete = cluster.with_name(cluster.name + ".unfinished")
    shutil.rmtree(incomplete, ignore_errors=True)
    incomplete.mkdir(mode=0o700)
    if account.is_other:
        os.chown(incomplete, account.uid, account.gid)
    # PostgreSQL's own C.UTF-8: the system's locales sort and lower-case differently from machine to machine.
    locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    if programs.major < 17:  # which have none; the tests create such folders
        locale = ["--locale=C.UTF-8"]
    result = subprocess.run(  # noqa: S603 - a program of the wheel
        [
            programs.path("initdb"),
            *("-D", in_place(incomplete)),
            *("-U", SUPERUSER),
            "--auth=trust",
            "--encoding=UTF8",
            *locale,
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=incomplete,
        env=ENVIRONMENT,
        **account.process_options,
    )
    if result.returncode != 0:
        shutil.rmtree(incomplete, ignore_errors=True)
        raise failure_of_program(
            result.stderr,
            f"PostgreSQL could not create its data folder {cluster}: {error_line(result.stderr)}",
            "Check the disk's free space and the folder's rights, or name another one with --data DIR.",
        )
    with (incomplete / "postgresql.conf").open("a") as settings:
        settings.write("\nlisten_addresses = ''\n")
        settings.write(f"include_if_exists = '{_SETTINGS_FILE}'  # rewritten by Accord at every start\n")
    incomplete.rename(cluster)


def error_line(output: str) -> str:
    """Return the error message in initdb's output. It is not the last line: initdb reports its cleanup after it."""
    lines = output.strip().splitlines() or ["no reason given"]
    errors = (line.partition(prefix)[2] for prefix in _ERROR_PREFIXES for line in lines if prefix in line)
    return next(errors, lines[-1])


def write_settings(cluster: Path, *, is_durable: bool) -> None:
    """Write the settings of a private server on this machine. Settings made with ALTER SYSTEM override them."""
    text = "".join(f"{name} = '{value}'\n" for name, value in _settings(is_durable=is_durable).items())
    # Written outside and renamed: root must not follow a symbolic link that the server's account may have placed.
    new = cluster.with_name(_SETTINGS_FILE + ".new")
    new.unlink(missing_ok=True)
    new.write_text("# Written by Accord at every start. For your own settings use ALTER SYSTEM SET …\n" + text)
    new.chmod(0o644)
    new.replace(cluster / _SETTINGS_FILE)


def in_place(cluster: Path) -> str:
    """Return the path by which a program whose working folder is the cluster refers to it.

    On Linux a process can refer to its working folder without access to the parent folders. So a server that root
    starts can run as another account inside a private home, without changed permissions of any parent folder.
    """
    return "/proc/self/cwd" if Path("/proc/self/cwd").exists() else str(cluster)


def _settings(*, is_durable: bool) -> dict[str, str | int]:
    """Return settings that fit memory and processors of this machine and a single application on it."""
    memory = psutil.virtual_memory().total // 2**20
    return {
        "listen_addresses": "",
        "unix_socket_permissions": "0700",
        "max_connections": 200,  # servers with the pools of their default settings, and some commands
        "shared_buffers": f"{max(64, min(512, memory // 16))}MB",
        "effective_cache_size": f"{max(256, memory // 3)}MB",
        "work_mem": "32MB",
        "maintenance_work_mem": f"{max(64, min(256, memory // 32))}MB",
        "random_page_cost": "1.1",
        # On two processors, one statement with the usual two workers would leave nothing to the server and to others.
        "max_parallel_workers_per_gather": max(0, min(2, (os.cpu_count() or 1) - 2)),
        "jit": "off",
        # Containers often have 64 MB of /dev/shm, too little for a parallel hash join.
        "dynamic_shared_memory_type": "posix" if _shared_memory() >= 256 * 2**20 else "mmap",
        # No standby and no archive, so that a bulk load into a new table is not logged.
        "wal_level": "minimal",
        "max_wal_senders": 0,
        "wal_compression": "on",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "timezone": "UTC",
        "lc_messages": "C",
        # One file per weekday, overwritten a week later. No statement text, which may contain personal data.
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
        status = os.statvfs("/dev/shm")  # noqa: S108 - read for its size only
    except OSError:
        return 0
    return status.f_frsize * status.f_blocks
