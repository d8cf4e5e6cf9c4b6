"""The files of rejected rows that imports leave: what they hold of a person, and how it is erased there."""

import csv
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from api.csv_text import CsvWriter, original_text
from api.db import Session
from api.settings import Settings
from api.sql import Sql
from api.workflows.records.record_input import ExternalKeyValue

_ERASED = "(erased)"
_SHORTEST = 3  # a shorter text may be anything


@dataclass(frozen=True, slots=True)
class Identifiers:
    """By what a person is known: e-mail addresses, external keys, and other texts, now and in the past."""

    emails: frozenset[str]
    keys: frozenset[ExternalKeyValue]
    texts: frozenset[str]

    def are_in(self, cell: str) -> bool:
        """Return whether a cell is one of the texts, or contains one of the addresses."""
        plain = cell.strip().casefold()
        return plain in self.texts or any(email in plain for email in self.emails)


async def identifiers_of(session: Session, people: Sequence[UUID]) -> Identifiers:
    """Return by what a person is known. Shapes: contacts, their versions and keys -> one Identifiers."""
    rows = await session.rows(
        Sql(
            "select distinct email, phone, last_name, concat_ws(' ', first_name, last_name) as full_name"
            " from (select email, phone, first_name, last_name from contact where id = any({}::uuid[]) union"
            " select email, phone, first_name, last_name from contact_version v where contact_id = any({}::uuid[])) k",
            people,
            people,
        )
    )
    keyed = await session.rows(
        Sql(
            "select source, external_id from external_key where entity = 'contact' and record_id = any({}::uuid[])",
            people,
        )
    )
    texts = {row[column] for row in rows for column in ("email", "phone", "last_name", "full_name")}
    texts |= {row["external_id"] for row in keyed}
    return Identifiers(
        frozenset(row["email"].casefold() for row in rows if row["email"]),
        frozenset(ExternalKeyValue(row["source"], row["external_id"]) for row in keyed),
        frozenset(text.casefold() for text in texts if text and len(text) >= _SHORTEST),
    )


async def reject_folders(session: Session) -> tuple[Path, ...]:
    """Return the folders of this machine in which imports left files of rejected rows."""
    rows = await session.rows(Sql("select distinct rejects_folder from import_job where rejects_folder is not null"))
    folders = {Path(row["rejects_folder"]) for row in rows} | {Settings.load().data_dir}
    return tuple(sorted(folder for folder in folders if folder.is_dir()))


def erase_in_files(folders: Iterable[Path], identifiers: Identifiers) -> int:
    """Replace the cells of files of rejected rows that hold something of a person. Return how many files changed.

    Errors: OSError if a file cannot be read or written.
    """
    files = [path for folder in folders for path in sorted(folder.glob("rejected-*.csv"))]
    return sum(_erase_in_file(path, identifiers) for path in files)


def _erase_in_file(path: Path, identifiers: Identifiers) -> bool:
    unfinished = path.with_name(f"{path.name}.erased")
    is_changed = False
    with path.open(encoding="utf-8", newline="") as old:
        unfinished.touch(mode=0o600)
        with unfinished.open("w", encoding="utf-8", newline="") as new:
            writer = CsvWriter(new)
            for cells in csv.reader(old):
                kept = [_ERASED if identifiers.are_in(cell) else cell for cell in map(original_text, cells)]
                is_changed = is_changed or _ERASED in kept
                writer.row(kept)
            new.flush()
            os.fsync(new.fileno())
    if is_changed:
        unfinished.replace(path)
    else:
        unfinished.unlink()
    return is_changed
