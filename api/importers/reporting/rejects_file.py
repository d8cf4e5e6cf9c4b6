"""The file of rejected rows: the place and content of a row, and the reason for its rejection; the reasons, counted.

A text that a spreadsheet would run as a formula has an apostrophe before it; `api.csv_text.original_text` removes it.
"""

import errno
import os
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, TextIO

from api.csv_text import CsvWriter
from api.errors import AccordError, ErrorCode
from api.intake.staged import RejectedRow

HEADER = ("file", "line", "column", "value", "reason")
_LONGEST_VALUE = 500
_MOST_REASONS = 500  # of one import; a reason is as long as a sentence, and a preset has a bounded number of them
_SHORTEST_VALUE = 3  # a shorter text than this may stand in a reason without being the cell
OTHER_REASONS = "other reasons; see the file of refused rows"
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class RejectsFile:
    """Writes rejected rows to a file while the block runs. There is no file without rows, or if the block fails.

    Call `publish` before the commit of the accepted rows: it gives the file its name, complete and on disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = 0
        self._unfinished = path.with_name(f"{path.name}.part")
        self._file: TextIO | None = None
        self._writer: CsvWriter | None = None

    def __enter__(self) -> Self:
        return self

    def add(self, row: RejectedRow) -> None:
        """Write one reason for which a row was rejected. Errors: DATA_FOLDER if the file cannot be written."""
        try:
            if self._writer is None:
                self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                # Rejected rows may hold personal data: only the file's owner may read them.
                self._unfinished.touch(mode=0o600)
                self._file = self._unfinished.open("w", encoding="utf-8", newline="")
                self._writer = CsvWriter(self._file)
                self._writer.row(HEADER)
            shown = row.value if len(row.value) <= _LONGEST_VALUE else f"{row.value[:_LONGEST_VALUE]}…"
            self._writer.row((row.source, row.line, row.column, shown.replace("\0", "\\0"), row.reason))
            self.count += 1
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def publish(self) -> None:
        """Flush the file to disk and rename it to its path. Errors: DATA_FOLDER."""
        if self._file is None:
            return
        try:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._unfinished.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        if self._file is None:
            return
        # Closing flushes once more and fails as `add` or `publish` did, which have raised the error.
        with suppress(OSError):
            self._file.close()
        for path in (self._unfinished, *((self.path,) if kind else ())):
            with suppress(OSError):
                path.unlink(missing_ok=True)


@dataclass(frozen=True, slots=True)
class CountedReason:
    """A reason without any cell: the file and the column that it is about, and whether only the value was left out."""

    source: str
    column: str
    reason: str
    is_left_out: bool


@dataclass(slots=True)
class RejectLog:
    """Writes rejected rows to the rejects file and counts their reasons."""

    file: RejectsFile
    reasons: Counter[CountedReason] = field(default_factory=Counter)

    def add(self, row: RejectedRow) -> None:
        """Write one reason, and count it. Errors: DATA_FOLDER if the file cannot be written."""
        self.file.add(row)
        reason = row.summary or row.reason
        value = row.value.strip()
        if len(value) >= _SHORTEST_VALUE and value in reason:
            reason = reason.replace(value, "…")
        counted = CountedReason(row.source, row.column, reason, row.is_left_out)
        if counted not in self.reasons and len(self.reasons) >= _MOST_REASONS:
            counted = CountedReason(row.source, "", OTHER_REASONS, row.is_left_out)
        self.reasons[counted] += 1


def _unwritable(path: Path, error: OSError) -> AccordError:
    verb = "Make room" if error.errno in _NO_ROOM else "Give yourself the right to write"
    return AccordError(
        ErrorCode.DATA_FOLDER,
        f"The file of rejected rows {path} cannot be written: {error.strerror}. Nothing was imported.",
        f"{verb} there, or name another data folder with --data DIR.",
    )
