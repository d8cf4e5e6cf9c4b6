"""Which system the keys of an import are from: stated once, then known by the columns of its files.

Keys are kept under the name of their source. Under another name the same keys are new records, so a name is never
guessed where it could double a record: next month's export of a system has another file name, and the same people.
The presets that ship name their own sources (hubspot, salesforce, olist, maven); a second account of such a system
gets a name of its own with `--source`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from api.db import Database
from api.errors import AccordError, ErrorCode
from api.identity.sources import remembered_sources
from api.importers.preset import SOURCE_NAME, Preset
from api.importers.source_file import SourceFile


class SourceOrigin(Enum):
    """Where the name of an import's source is from."""

    STATED = auto()  # by the preset or the command
    REMEMBERED = auto()  # by the columns of the files
    FILE = auto()  # the first import of a database


@dataclass(frozen=True, slots=True)
class SourceName:
    """The name of an import's source, and where it is from."""

    name: str
    origin: SourceOrigin


class UnnamedSourceError(AccordError):
    """Neither the preset nor the command names the source, and the columns of the files do not decide it.

    `known` are the names of the sources that were imported before; `proposed` is a name after the first file.
    """

    def __init__(self, message: str, known: Sequence[str], proposed: str) -> None:
        same = f": the same name as before if it is the same system ({', '.join(known)}), else a new one"
        advice = f'State it with --source NAME, or source = "NAME" in the preset{same if known else ""}.'
        super().__init__(ErrorCode.BAD_INPUT, message, advice)
        self.known, self.proposed = tuple(known), proposed


def stated_source(preset: Preset, stated: str | None) -> str | None:
    """Return the source that the command states, or else the preset. Errors: BAD_INPUT if it is no name."""
    if stated is not None and not re.fullmatch(SOURCE_NAME, stated):
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"'{stated}' is not the name of a source.",
            "Use small letters, digits and underscores, at most 40, and a letter first, such as our_crm.",
        )
    return stated or preset.source


async def choose_source(
    database: Database, stated: str | None, files: Sequence[SourceFile], *, may_ask: bool = False
) -> SourceName:
    """Return the source of the files: the stated one, or the only one of which files with these columns were imported.

    The first source of a database may be named after its first file: there is nothing yet that it could double. If the
    caller `may_ask`, it has to.
    Errors: UnnamedSourceError.
    """
    if stated is not None:
        return SourceName(stated, SourceOrigin.STATED)
    columns = [frozenset(file.columns) for file in files]
    async with database.read() as session:
        remembered = await remembered_sources(session)
    proposed = _named_after(files[0].name)
    if not remembered.files and not may_ask:
        return SourceName(proposed, SourceOrigin.FILE)
    found = remembered.with_columns(columns)
    if len(found) == 1:
        return SourceName(found[0], SourceOrigin.REMEMBERED)
    names = ", ".join(file.name for file in files)
    why = f"several sources have such files: {', '.join(found)}" if found else "no source had files with these columns"
    raise UnnamedSourceError(f"Nothing says which system {names} is from: {why}.", tuple(remembered.files), proposed)


def _named_after(file: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", file.rsplit(".", 1)[0].casefold()).strip("_")
    return (slug if slug[:1].isalpha() else f"csv_{slug}")[:40].strip("_")
