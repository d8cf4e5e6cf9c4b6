"""The operating system account that runs the server: our own, or another one if Accord runs as root."""

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

DEFAULT_ACCOUNT = "pgserver"
"""The account that the wheel would create as well, so that a machine has one such account and not two."""
_CREATE_ACCOUNT = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", DEFAULT_ACCOUNT]


@dataclass(frozen=True)
class OsAccount:
    """The account that owns the data and runs the server. `is_other` if it differs from the account of this process."""

    uid: int
    gid: int
    is_other: bool

    @property
    def process_options(self) -> dict[str, Any]:
        """Arguments for `subprocess.run` that start a program as this account."""
        return {"user": self.uid, "group": self.gid, "extra_groups": []} if self.is_other else {}


def server_account(cluster: Path) -> OsAccount:
    """Return the account for a data folder.

    That is the account of this process. For root, it is the owner of the folder or, for a new folder, an account that
    is created on first use.
    """
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
    entry = _default_account()
    return OsAccount(entry.pw_uid, entry.pw_gid, is_other=True)


def _default_account() -> pwd.struct_passwd:
    """Look up the default account, or create it. Retries, because another process may create it at the same time."""
    detail = ""
    for _ in range(20):
        with suppress(KeyError):
            return pwd.getpwnam(DEFAULT_ACCOUNT)
        try:
            subprocess.run(_CREATE_ACCOUNT, check=True, capture_output=True, text=True)  # noqa: S603 - a constant
        except OSError as error:
            detail = f"{_CREATE_ACCOUNT[0]}: {error.strerror}"
            break
        except subprocess.CalledProcessError as error:
            detail = error.stderr.strip()
            time.sleep(0.1)
    raise AccordError(
        ErrorCode.DATA_FOLDER,
        f"PostgreSQL does not run as root, and the account {DEFAULT_ACCOUNT!r} could not be created for it: {detail}",
        f"Create it (useradd {DEFAULT_ACCOUNT}), start Accord as an ordinary user, or name a database with "
        "DATABASE_URL.",
    )
