"""Finds the files of a preset that recognises them by their headers, in a folder or as a single file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from api.errors import AccordError, ErrorCode
from api.importers.exports.date_order import ORDERS, with_date_order
from api.importers.exports.headings import adapt, missing_signs
from api.importers.layout.file_layout import WORKBOOK_SUFFIXES
from api.importers.layout.workbook import SheetCopies
from api.importers.mapping import FileMap
from api.importers.preset import Preset
from api.importers.source_file import detect_file

_SUFFIXES = (".csv", ".tsv", ".txt", *WORKBOOK_SUFFIXES)
_SHOWN = 12


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A file that may be one of the preset's; `reason` is why its header cannot be read."""

    path: Path
    header: tuple[str, ...]
    reason: str = ""


@dataclass(frozen=True, slots=True)
class FoundFiles:
    """A preset with only the files that were found in a folder, and the names of files there that it does not read.

    `roles` are the names that the preset gives to its files, by their names in the folder.
    """

    preset: Preset
    folder: Path
    roles: dict[str, str]
    ignored: tuple[str, ...] = ()


def recognise_files(preset: Preset, origin: str, path: Path, dates: str | None, copies: SheetCopies) -> FoundFiles:
    """Find the files of a preset by their columns, and adapt it to their names and headings.

    `path` is a folder or one file. `dates` states the order of day and month for files in which it may vary.
    Errors: BAD_FILE if there is none of the preset's files, or two of a kind; BAD_INPUT for a wrong order.
    """
    if dates is not None and (dates not in ORDERS or not any(file.orders for file in preset.files)):
        reason = f"'{dates}' is no order of dates." if dates not in ORDERS else f"{origin} reads dates in one order."
        raise AccordError(ErrorCode.BAD_INPUT, reason, f"Use --dates {' or --dates '.join(ORDERS)}, or leave it out.")
    found: dict[str, _Candidate] = {}
    candidates = _candidates(path, copies)
    for candidate in candidates:
        role = fits(preset, candidate.header)
        if role is None:
            continue
        if role.name in found:
            raise AccordError(
                ErrorCode.BAD_FILE,
                f"{found[role.name].path.name} and {candidate.path.name} in {path} are both {role.name} of {origin}.",
                "Import one file at a time, the older one first, or keep the one that counts in the folder.",
            )
        found[role.name] = candidate
    if not found:
        raise _none_found(preset, origin, path, candidates)
    files = tuple(_adapted(file, found[file.name], dates, copies) for file in preset.files if file.name in found)
    ignored = tuple(candidate.path.name for candidate in candidates if candidate not in found.values())
    folder = path.parent if path.is_file() else path
    roles = {candidate.path.name: role for role, candidate in found.items()}
    return FoundFiles(preset.model_copy(update={"files": files}), folder, roles, ignored)


def fits(preset: Preset, header: Sequence[str]) -> FileMap | None:
    """Return the file of the preset that a header is recognised as: of several, the one with the most signs."""
    roles = [file for file in preset.files if file.signs and not missing_signs(file, header)]
    return max(roles, key=lambda file: len(file.signs), default=None)


def _adapted(file: FileMap, candidate: _Candidate, dates: str | None, copies: SheetCopies) -> FileMap:
    adapted = adapt(file, candidate.path.name, candidate.header)
    source = detect_file(candidate.path.parent, candidate.path.name, adapted.key[:1], copies=copies)
    return with_date_order(adapted, source, dates)


def _candidates(path: Path, copies: SheetCopies) -> list[_Candidate]:
    if path.is_file():
        return [_Candidate(path, detect_file(path.parent, path.name, (), copies=copies).header)]
    if not path.is_dir():
        raise AccordError(ErrorCode.BAD_FILE, f"{path} does not exist.", "Name the file, or the folder with the files.")
    return [
        _read_header(file, copies)
        for file in sorted(path.iterdir())
        if file.is_file() and file.suffix.lower() in _SUFFIXES and not file.name.startswith((".", "~"))
    ]


def _read_header(file: Path, copies: SheetCopies) -> _Candidate:
    """The header of one of several files. One that cannot be read may be none of the preset's: keep the reason."""
    try:
        return _Candidate(file, detect_file(file.parent, file.name, (), copies=copies).header)
    except AccordError as error:
        return _Candidate(file, (), error.message)


def _none_found(preset: Preset, origin: str, path: Path, candidates: Sequence[_Candidate]) -> AccordError:
    reads = "; ".join(f"{file.name} (by {', '.join(file.signs)})" for file in preset.files)
    if path.is_file():
        there = f"its columns are {', '.join(candidates[0].header)}"
    else:
        names = [f"{one.path.name} ({one.reason})" if one.reason else one.path.name for one in candidates[:_SHOWN]]
        there = f"there is {', '.join(names) or 'no CSV file or workbook'}"
    return AccordError(
        ErrorCode.BAD_FILE,
        f"{path} is none of the files that {origin} reads by their columns: {reads}; {there}.",
        "Add the missing columns to the export, or use: accord import csv FILE --suggest.",
    )
