"""The file of a backup: a tar archive of PostgreSQL's dump and a manifest, written whole or not at all.

The manifest comes last, because it has the checksum of the dump. So a file that was cut off has none. In an emergency,
`tar xf FILE` unpacks what `pg_restore` reads.
"""

import errno
import hashlib
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from pydantic import BaseModel, ConfigDict, ValidationError

from api.errors import AccordError, ErrorCode

FORMAT = 1
CHUNK_BYTES = 2**20
_DUMP = "accord.dump"
_MANIFEST = "manifest.json"
_LARGEST_MANIFEST_BYTES = 2**16


class BackupSource(BaseModel):
    """What a backup was taken of: the database's revision, schema and PostgreSQL, and the version of pg_dump."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    accord: str
    revision: str
    database_schema: str
    postgresql: int
    pg_dump: int
    taken_at: datetime


class BackupManifest(BackupSource):
    """What the file says about itself: the source, and the size and checksum of the dump."""

    format: int
    dump_bytes: int
    sha256: str


class BackupWriter:
    """Writes the dump into an archive, then the manifest."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._hash = hashlib.sha256()
        self._bytes = 0
        file.write(_header(_DUMP, 0))  # the size is known when the dump ends

    def write(self, chunk: bytes) -> None:
        """Append a part of the dump."""
        self._hash.update(chunk)
        self._bytes += len(chunk)
        self._file.write(chunk)

    def finish(self, source: BackupSource) -> BackupManifest:
        """Complete the archive: the size of the dump, the manifest, the end."""
        manifest = BackupManifest(
            **source.model_dump(), format=FORMAT, dump_bytes=self._bytes, sha256=self._hash.hexdigest()
        )
        text = manifest.model_dump_json(indent=2).encode() + b"\n"
        self._file.write(_padding(self._bytes) + _header(_MANIFEST, len(text)) + text + _padding(len(text)))
        self._file.write(bytes(2 * tarfile.BLOCKSIZE))
        self._file.seek(0)
        self._file.write(_header(_DUMP, self._bytes))
        return manifest


@contextmanager
def new_backup_file(path: Path) -> Iterator[BackupWriter]:
    """Write a backup under a temporary name. It gets its own name when the block ends without an error.

    Errors: BAD_FILE if it cannot be written; DISK_FULL.
    """
    incomplete = path.with_name(f".{path.name}.{os.getpid()}.incomplete")
    try:
        descriptor = os.open(incomplete, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        try:
            with os.fdopen(descriptor, "w+b") as file:
                yield BackupWriter(file)
                file.flush()
                os.fsync(file.fileno())
            incomplete.replace(path)
        finally:
            incomplete.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as error:
        raise _unwritable(path, error) from error


def read_manifest(path: Path) -> BackupManifest:
    """Return the manifest of a backup, after comparing the dump with its checksum.

    Errors: BAD_FILE if the file cannot be read; DAMAGED_BACKUP if it is no backup, cut off, or changed.
    """
    try:
        with tarfile.open(path, "r:") as archive:
            names = archive.getnames()
            if names != [_DUMP, _MANIFEST]:
                raise _damaged(path, "it does not consist of a dump and a manifest")
            stated = archive.getmember(_MANIFEST)
            text = archive.extractfile(stated) if stated.size <= _LARGEST_MANIFEST_BYTES else None
            if text is None:
                raise _damaged(path, "its manifest is too large")
            manifest = BackupManifest.model_validate_json(text.read())
    except tarfile.TarError as error:
        raise _damaged(path, f"it is not a complete tar archive ({error})") from error
    except ValidationError as error:
        raise _damaged(path, "its manifest is malformed, or of a newer Accord") from error
    except OSError as error:
        raise AccordError(
            ErrorCode.BAD_FILE, f"{path} cannot be read: {error.strerror or error}.", "Pass a file of `accord backup`."
        ) from error
    if manifest.format != FORMAT:
        raise _damaged(path, f"its format is {manifest.format}, and this Accord reads {FORMAT}")
    _require_checksum(path, manifest)
    return manifest


def dump_chunks(path: Path) -> Iterator[bytes]:
    """Yield the dump of a backup."""
    with tarfile.open(path, "r:") as archive:
        dump = archive.extractfile(_DUMP)
        if dump is None:
            raise _damaged(path, "it has no dump")
        while chunk := dump.read(CHUNK_BYTES):
            yield chunk


def _require_checksum(path: Path, manifest: BackupManifest) -> None:
    found = hashlib.sha256()
    size = 0
    for chunk in dump_chunks(path):
        found.update(chunk)
        size += len(chunk)
    if (size, found.hexdigest()) != (manifest.dump_bytes, manifest.sha256):
        raise _damaged(path, "the dump does not have the checksum that the manifest states")


def _header(name: str, size: int) -> bytes:
    member = tarfile.TarInfo(name)
    member.size = size
    member.mode = 0o600
    return member.tobuf(tarfile.GNU_FORMAT)  # one block, also for more than 8 GiB


def _padding(size: int) -> bytes:
    return bytes(-size % tarfile.BLOCKSIZE)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _damaged(path: Path, reason: str) -> AccordError:
    return AccordError(
        ErrorCode.DAMAGED_BACKUP,
        f"{path} is not an intact backup: {reason}. Nothing was restored.",
        "Use another copy of the file, or an older backup.",
    )


def _unwritable(path: Path, error: OSError) -> AccordError:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AccordError(
            ErrorCode.DISK_FULL,
            f"The disk is full: the backup {path} was not written.",
            "Free some space, or write it to another disk.",
        )
    return AccordError(
        ErrorCode.BAD_FILE,
        f"The backup {path} cannot be written: {error.strerror or error}.",
        "Name a file in a folder that you may write.",
    )
