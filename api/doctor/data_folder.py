"""Checks of the folder of the private database, logs and reports, and of its disk."""

import shutil
import stat
import tempfile
from pathlib import Path

from api.doctor.diagnoses import Diagnosis, Examined, fine, warning, wrong

LEAST_FREE_BYTES = 256 * 2**20
"""With less, the next import or checkpoint may fail."""
FEW_FREE_BYTES = 2 * 2**30


async def data_folder(examined: Examined) -> Diagnosis:
    """Whether the data folder can be written, and by no other user."""
    folder = examined.settings.data_dir
    if not folder.exists():
        where = _existing_parent(folder)
        if _is_writable(where):
            return fine(f"{folder} does not exist yet; it will be made when it is needed.")
        return _unwritable(examined, folder, f"{folder} does not exist, and cannot be made in {where}")
    if not folder.is_dir():
        return _unwritable(examined, folder, f"{folder} is not a folder")
    if not _is_writable(folder):
        return _unwritable(examined, folder, f"{folder} cannot be written")
    mode = stat.S_IMODE(folder.stat().st_mode)
    if examined.is_private and mode & 0o022:
        return warning(
            f"Other users of this machine can write into {folder} (mode {mode:o}).", f"Run `chmod 700 {folder}`."
        )
    return fine(f"{folder} can be written.")


async def disk(examined: Examined) -> Diagnosis:
    """Whether the disk of the data folder has room."""
    where = _existing_parent(examined.settings.data_dir)
    usage = shutil.disk_usage(where)
    found = f"The disk of {where} has {usage.free / 2**30:,.1f} GiB free of {usage.total / 2**30:,.1f} GiB."
    remedy = "Make room: an import needs 25 to 35 times the size of its files while it runs."
    if usage.free < LEAST_FREE_BYTES:
        # An external database is elsewhere; this disk has rejected rows only.
        return wrong(found, remedy) if examined.is_private else warning(found, remedy)
    return warning(found, remedy) if examined.is_private and usage.free < FEW_FREE_BYTES else fine(found)


def _unwritable(examined: Examined, folder: Path, found: str) -> Diagnosis:
    if examined.is_private:
        return wrong(f"{found}: the private database needs it.", "Name another folder with ACCORD_DATA_DIR or --data.")
    return warning(
        f"{found}: imports cannot store rejected rows there.",
        f"Make {folder} writable, or name another folder with ACCORD_DATA_DIR.",
    )


def _existing_parent(folder: Path) -> Path:
    """Return the folder, or the nearest folder above it that exists."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.exists())


def _is_writable(folder: Path) -> bool:
    """Whether this process can make a file there: permissions alone say nothing to root, or of a read-only disk."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False
