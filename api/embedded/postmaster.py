"""The running server of a data folder: found, started, stopped."""

import subprocess
import time
from pathlib import Path

import psutil

from api.embedded.cluster import in_place
from api.embedded.os_account import OsAccount
from api.embedded.programs import ENVIRONMENT, PostgresPrograms
from api.errors import AccordError, ErrorCode

START_SECONDS = 120
"""Long enough to replay the log after a crash in the middle of a large import."""
STOP_SECONDS = 60
SOCKET = ".s.PGSQL.5432"


def running_pid(cluster: Path) -> int | None:
    """Return the process id of the server that runs on this folder, or None.

    The file alone proves nothing: after a crash or in a new container the number may be anybody's. The process has to
    be a postgres that works in this very folder.
    """
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        return pid if _works_in(psutil.Process(pid), cluster) else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None


def _works_in(process: psutil.Process, cluster: Path) -> bool:
    try:
        return (
            process.name().startswith("postgres")
            and process.status() != psutil.STATUS_ZOMBIE
            and Path(process.cwd()).samefile(cluster)
        )
    except (psutil.NoSuchProcess, psutil.AccessDenied, FileNotFoundError, PermissionError):
        return False


def _has_orphans(cluster: Path) -> bool:
    return any(_works_in(process, cluster) for process in psutil.process_iter())


def ensure_running(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Start the server unless it runs, and return when it takes connections."""
    deadline = time.monotonic() + START_SECONDS
    while (pid := running_pid(cluster)) is not None:
        # Another process's server may still be coming up, or be going down: what its file says is not enough.
        if _answers(cluster, programs):
            return
        if time.monotonic() > deadline:
            raise _did_not_start(cluster, f"process {pid} is there but takes no connections")
        time.sleep(0.05)
    while _has_orphans(cluster):
        # Sessions of a killed server end by themselves once they notice; two generations at once would ruin the data.
        if time.monotonic() > deadline:
            raise _did_not_start(cluster, "sessions of a server that was killed still run on it")
        time.sleep(0.05)
    for leftover in ("postmaster.pid", SOCKET, f"{SOCKET}.lock"):
        # What a crash left names a process that is gone, or its number is somebody else's now.
        (cluster / leftover).unlink(missing_ok=True)
    if (said := _pg_ctl_start(cluster, account, programs)) is not None:
        raise _did_not_start(cluster, said)


def halt(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> None:
    """Stop the server: open transactions roll back, committed ones are on disk."""
    for mode in ("fast", "immediate"):
        if running_pid(cluster) is None:
            return
        _pg_ctl(cluster, account, programs, "stop", "-m", mode, "-t", str(STOP_SECONDS))
    if (pid := running_pid(cluster)) is not None:
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            f"PostgreSQL (process {pid}) on {cluster} does not stop.",
            f"See why with `ps -p {pid}`; ending it by force loses nothing that was committed.",
        )


def _answers(cluster: Path, programs: PostgresPrograms) -> bool:
    asked = subprocess.run(  # noqa: S603 - a program of the wheel, run as ourselves
        [programs.path("pg_isready"), "-q", "-h", in_place(cluster)], check=False, cwd=cluster, env=ENVIRONMENT
    )
    return asked.returncode == 0


def _pg_ctl_start(cluster: Path, account: OsAccount, programs: PostgresPrograms) -> str | None:
    """Start the server and return None, or what it said when it did not."""
    place = in_place(cluster)
    said = cluster.with_name("postgres-start.log")
    # Not ours when root was here before; the folder is.
    said.unlink(missing_ok=True)
    with said.open("wb") as output:
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
    return None if started.returncode == 0 else said.read_text(errors="replace") + _latest_log(cluster)


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
    said = (reasons or detail.strip().splitlines() or ["no reason given"])[-1]
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"PostgreSQL on {cluster} did not start: {said}",
        f"Its log is in {cluster / 'log'}. Check free disk space, or name another data folder with --data DIR.",
    )
