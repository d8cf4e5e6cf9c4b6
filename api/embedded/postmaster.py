"""The server process of a data folder: find, start and stop it."""

import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import psutil

from api.embedded.cluster import in_place
from api.embedded.os_account import OsAccount
from api.embedded.programs import ENVIRONMENT, PostgresPrograms, failure_of_program
from api.errors import AccordError, ErrorCode

START_SECONDS = 120
"""Enough time to replay the log after a crash during a large import."""
STOP_SECONDS = 8
"""How long a server may take to stop in order, which writes a checkpoint. The next start replays its log otherwise."""
KILL_SECONDS = 2
SOCKET = ".s.PGSQL.5432"
_STATUS_LINE = 7  # of postmaster.pid


def running_pid(cluster: Path) -> int | None:
    """Return the process id of the server that runs on this folder; None if none runs.

    The pid file alone is not enough: after a crash or in a new container another process may have the number. The
    process must be a postgres whose working folder is this one.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if _is_postgres_in(psutil.Process(pid), cluster) else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def end_smart_stop(cluster: Path) -> None:
    """End the sessions of a server that was told to stop once they end by themselves (SIGTERM), so that it stops."""
    pid = running_pid(cluster)
    if pid is None:
        return
    try:
        lines = (cluster / "postmaster.pid").read_text().split("\n")
    except FileNotFoundError:
        return
    if len(lines) > _STATUS_LINE and lines[_STATUS_LINE].strip() == "stopping":
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGINT)


def _is_postgres_in(process: psutil.Process, cluster: Path) -> bool:
    try:
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()).samefile(cluster)
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, PermissionError):
        return False


def _has_orphans(cluster: Path) -> bool:
    return any(_is_postgres_in(process, cluster) for process in psutil.process_iter())


def ensure_running(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Start the server unless it runs, and wait until it accepts connections. Errors: DATA_FOLDER with the reason."""
    deadline = time.monotonic() + START_SECONDS
    while (pid := running_pid(cluster)) is not None:
        # A server that another process started may still be starting or stopping, so test a connection.
        if _accepts_connections(cluster, programs):
            return
        if time.monotonic() > deadline:
            raise _did_not_start(cluster, f"process {pid} runs but accepts no connections")
        time.sleep(0.05)
    orphans_deadline = time.monotonic() + KILL_SECONDS
    while _has_orphans(cluster):
        # Sessions of a killed server end by themselves after a moment. A new server beside them would corrupt the data.
        if time.monotonic() > orphans_deadline:
            _kill_all(cluster)
        if time.monotonic() > deadline:
            raise _did_not_start(cluster, "sessions of a killed server still run on it")
        time.sleep(0.05)
    for leftover in ("postmaster.pid", SOCKET, f"{SOCKET}.lock"):
        # After a crash these files name a process that has ended, or an unrelated one with the same number.
        (cluster / leftover).unlink(missing_ok=True)
    if (output := _pg_ctl_start(cluster, account, programs)) is not None:
        raise _did_not_start(cluster, output)


def halt(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Stop the server within STOP_SECONDS, KILL_SECONDS more and as much again.

    Open transactions roll back; committed ones are on disk, so that even a server that hangs can be killed. Errors:
    DATA_FOLDER if it runs on.
    """
    for mode, seconds in (("fast", STOP_SECONDS), ("immediate", KILL_SECONDS)):
        if running_pid(cluster) is None:
            return
        _pg_ctl(cluster, account, programs, "stop", "-m", mode, "-t", str(seconds))
    if running_pid(cluster) is None:
        return
    _kill_all(cluster)
    if (pid := running_pid(cluster)) is not None:
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            f"PostgreSQL (process {pid}) on {cluster} does not stop.",
            f"Look at it with `ps -p {pid}`. It can be killed (`kill -9 {pid}`) without loss of committed data.",
        )


def _kill_all(cluster: Path) -> None:
    """Kill the server and its sessions, as when it was stopped halfway (SIGSTOP) or waits for a broken disk."""
    processes = [process for process in psutil.process_iter() if _is_postgres_in(process, cluster)]
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(processes, timeout=KILL_SECONDS)


def _accepts_connections(cluster: Path, programs: PostgresPrograms) -> bool:
    result = subprocess.run(  # noqa: S603 - a program of the wheel, run as our own account
        [programs.path("pg_isready"), "-q", "-h", in_place(cluster)], check=False, cwd=cluster, env=ENVIRONMENT
    )
    return result.returncode == 0


def _pg_ctl_start(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> str | None:
    """Start the server. Return None if it started, otherwise its output and the end of its log."""
    place = in_place(cluster)
    log = cluster.with_name("postgres-start.log")
    # An earlier start by root may have left a file that we cannot write. The folder is ours, so we can remove it.
    log.unlink(missing_ok=True)
    with log.open("wb") as output:
        options = f'-k "{place}"'
        started = subprocess.run(  # noqa: S603 - a program of the wheel
            [programs.path("pg_ctl"), "start", "-s", "-w", "-t", str(START_SECONDS), "-D", place, "-o", options],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            check=False,
            cwd=cluster,
            env=ENVIRONMENT,
            **account.process_options,
        )
    return None if started.returncode == 0 else log.read_text(errors="replace") + _latest_log(cluster)


def _latest_log(cluster: Path) -> str:
    logs = sorted((cluster / "log").glob("server-*.log"), key=lambda log: log.stat().st_mtime)
    return logs[-1].read_text(errors="replace")[-4000:] if logs else ""


def _pg_ctl(cluster: Path, account: OsAccount, programs: PostgresPrograms, *arguments: str) -> None:
    subprocess.run(  # noqa: S603 - a program of the wheel
        [programs.path("pg_ctl"), *arguments, "-s", "-w", "-D", in_place(cluster)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd=cluster,
        env=ENVIRONMENT,
        **account.process_options,
    )


def _did_not_start(cluster: Path, detail: str) -> AccordError:
    reasons = [line.strip() for line in detail.splitlines() if "FATAL" in line or "PANIC" in line or "ERROR" in line]
    # Who connects meanwhile is refused with such an error, too.
    reasons = [line for line in reasons if "the database system is" not in line] or reasons
    reason = (reasons or detail.strip().splitlines() or ["no reason given"])[-1]
    return failure_of_program(
        reason,
        f"PostgreSQL on {cluster} did not start: {reason}",
        f"Its log is in {cluster / 'log'}. Check free disk space, or name another data folder with --data DIR.",
    )
