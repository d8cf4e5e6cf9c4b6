"""Columns and files that say which records were merged, and that the preset does not read.

Who is merged counts once; if nobody reads the merge, they count as several without a word.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from api.importers.csv_rows import UnreadableLine, read_csv
from api.importers.plan import StagedFile
from api.importers.source_file import SourceFile

# Headers of CRMs, without case, blanks and punctuation: hs_merged_object_ids, "Merged record IDs", MasterRecordId,
# "Zusammengeführte Objekt-IDs". A date or a flag of a merge does not say with whom, so an id is needed.
_MERGED = re.compile(
    r"(merged|mergedinto|tomerge|zusammengef(ü|ue)hrte?n?|fusionn[ée]e?s?|fusionad[oa]s?|mesclad[oa]s?)"
    r".*(v?ids?|into|in|with|contacts?|records?|objects?)$|^(vid|id|ids)[a-z]*(tomerge|merged|fusion|mesclad)"
    r"|master(contact|record|lead)id$"
)
_NO_LETTER = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class UnreadMerges:
    """A column of merges that no record of the preset reads, and in how many rows it is filled; no column: a file."""

    file: str
    column: str | None
    rows: int


def says_merges(column: str) -> bool:
    """Whether a column is named as CRMs name those that say which records were merged."""
    return _MERGED.search(_NO_LETTER.sub("", column.casefold())) is not None


def find_unread_merges(
    files: Sequence[StagedFile], sources: Sequence[SourceFile], folder: Path | None, known: Collection[str]
) -> tuple[UnreadMerges, ...]:
    """Find what says merges and is not read: columns of the read files, and other files of `folder`.

    `known` are the files that the preset has. Cost: one more pass over a file that has such a column.
    """
    found = [unread for file, source in zip(files, sources, strict=True) for unread in _columns(file, source)]
    if folder is not None:
        others = sorted(path.name for path in folder.glob("*.csv") if path.name not in known)
        found += [UnreadMerges(name, None, 0) for name in others if re.search(r"merge(d|s|_|\b)", name.casefold())]
    return tuple(found)


def _columns(file: StagedFile, source: SourceFile) -> Iterator[UnreadMerges]:
    read = {*file.file.columns, *(name for column in file.columns for name in (column.column, *column.others))}
    places = {name: place for place, name in enumerate(source.header) if name not in read and says_merges(name)}
    if not places:
        return
    filled = dict.fromkeys(places, 0)
    for _, row in read_csv(source):
        if isinstance(row, UnreadableLine) or len(row) != len(source.header):
            continue
        for name, place in places.items():
            filled[name] += bool(row[place].strip())
    for name, rows in filled.items():
        if rows:
            yield UnreadMerges(source.name, name, rows)
