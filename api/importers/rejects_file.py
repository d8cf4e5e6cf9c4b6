"""The file of refused rows: where each stands, what it says, and why it was refused. Made only if there are any."""

import csv
import errno
import os
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from api.errors import AccordError, ErrorCode

HEADER = ("file", "line", "column", "value", "reason")
_LONGEST_VALUE = 500
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Rejects:
    """Refused rows go to a file while the block runs; if the block fails, there is none.

    `settle` gives the file its name, whole and on disk: call it before the commit of what was not refused.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._writing = path.with_name(f"{path.name}.part")
        self._file: TextIO | None = None
        self._writer: Any = None

    def __enter__(self) -> Self:
        return self

    def add(self, file: str, line: int, column: str, value: str, reason: str) -> None:
        """Write down why a row was refused: one line for each thing that is wrong with it."""
        try:
            if self._writer is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Refused rows may hold personal data: only their owner reads them.
                self._writing.touch(mode=0o600)
                self._file = self._writing.open("w", encoding="utf-8", newline="")
                self._writer = csv.writer(self._file)
                self._writer.writerow(HEADER)
            shown = value if len(value) <= _LONGEST_VALUE else f"{value[:_LONGEST_VALUE]}…"
            self._writer.writerow((file, line, column, shown.replace("\0", "\\0"), reason))
            self.count += 1
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def settle(self) -> None:
        """Bring the file to disk under its name."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._writing.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        # What could not be written was said by `add` or `settle`; closing tries once more, and fails the same way.
        with suppress(OSError):
            self._file.close()
        for each in (self._writing, *((self.path,) if kind else ())):
            with suppress(OSError):
                each.unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> AccordError:
    verb = "Make room" if error.errno in _NO_ROOM else "Give yourself the right to write"
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"The file of refused rows {path} cannot be written: {error.strerror}. Nothing was imported.",
        f"{verb} there, or name another data folder with --data DIR.",
    )
