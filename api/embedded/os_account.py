"""Which operating system account runs the server: ours, or for root one that is not root."""

import os
import pwd
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api.errors import AccordError, ErrorCode

ROOTS_ACCOUNT = "pgserver"
"""The wheel's own name for it, so that a machine has one such account and not two."""
_MAKE_ACCOUNT = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ROOTS_ACCOUNT]


@dataclass(frozen=True)
class OsAccount:
    """The account that owns the data and runs the server; `is_other` where that is not the one we run as."""

    uid: int
    gid: int
    is_other: bool

    @property
    def process_options(self) -> dict[str, Any]:
        """Arguments of `subprocess.run` that start a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}


def account_for(cluster: Path) -> OsAccount:
    """Return the account for a data folder: its owner if it exists, else us, else (as root) a made one."""
    if os.geteuid() != 0:
        return OsAccount(os.geteuid(), os.getegid(), is_other=False)
    if sys.platform != "linux":
        raise AccordError(
            ErrorCode.DATA_FOLDER,
            "PostgreSQL does not run as root.",
            "Start Accord as an ordinary user, or name a database with DATABASE_URL.",
        )
    if cluster.exists() and (owner := cluster.stat()).st_uid != 0:
        return OsAccount(owner.st_uid, owner.st_gid, is_other=True)
    entry = _roots_account()
    return OsAccount(entry.pw_uid, entry.pw_gid, is_other=True)


def _roots_account() -> pwd.struct_passwd:
    """Look the made account up, and make it the first time (another process may be making it just now)."""
    detail = ""
    for _ in range(20):
        with suppress(KeyError):
            return pwd.getpwnam(ROOTS_ACCOUNT)
        try:
            subprocess.run(_MAKE_ACCOUNT, check=True, capture_output=True, text=True)  # noqa: S603 - a constant
        except OSError as error:
            detail = f"{_MAKE_ACCOUNT[0]}: {error.strerror}"
            break
        except subprocess.CalledProcessError as error:
            detail = error.stderr.strip()
            time.sleep(0.1)
    raise AccordError(
        ErrorCode.DATA_FOLDER,
        f"PostgreSQL does not run as root, and the account {ROOTS_ACCOUNT!r} for it could not be made: {detail}",
        f"Make it (useradd {ROOTS_ACCOUNT}), start Accord as an ordinary user, or name a database with DATABASE_URL.",
    )
