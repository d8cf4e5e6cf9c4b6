"""The systems that external keys come from: a source is named once, and known again by the columns of its files.

Keys are kept under the name of their source. Under another name the same keys are new records, so a name is never
guessed where it could double a record: next month's export of a system has another file name, and the same people.
The presets that ship name their own sources (hubspot, salesforce, olist, maven); a second account of such a system
gets a name of its own with `--source`.
"""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from api.db import Database, ReadSession
from api.errors import AccordError, ErrorCode
from api.sql import Sql
from schema.formats import SOURCE_NAME

Columns = frozenset[str]
"""The columns of one file, without their order: exporters change it."""


@dataclass(frozen=True, slots=True)
class RememberedSources:
    """The sources that were imported, by name, each with the columns of every file that was read of it."""

    files: Mapping[str, frozenset[Columns]]

    def with_columns(self, files: Collection[Columns]) -> tuple[str, ...]:
        """Return the names of the sources of which a file with these columns was read, for every one of the files."""
        return tuple(source for source, known in self.files.items() if set(files) <= known)


async def remembered_sources(session: ReadSession) -> RememberedSources:
    """Read the sources of all imports. Shapes: import_job -> one RememberedSources, in the order of the names."""
    files: dict[str, set[Columns]] = {}
    for row in await session.rows(
        Sql("select source, columns from import_job where source is not null order by source")
    ):
        known = files.setdefault(row["source"], set())
        known.update(frozenset(columns) for columns in (row["columns"] or {}).values())
    return RememberedSources({source: frozenset(known) for source, known in files.items()})


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


def require_source_name(stated: str | None) -> None:
    """Raise BAD_INPUT for a stated source that is no name."""
    if stated is not None and not re.fullmatch(SOURCE_NAME, stated):
        raise AccordError(
            ErrorCode.BAD_INPUT,
            f"'{stated}' is not the name of a source.",
            "Use small letters, digits and underscores, at most 40, and a letter first, such as our_crm.",
        )


async def choose_source(
    database: Database, stated: str | None, files: Mapping[str, Columns], *, may_ask: bool = False
) -> SourceName:
    """Return the source of files: the stated one, or the only one of which files with these columns were imported.

    `files` are their columns by the name of the file.
    The first source of a database may be named after its first file: there is nothing yet that it could double. If the
    caller `may_ask`, it has to.
    Errors: UnnamedSourceError.
    """
    if stated is not None:
        return SourceName(stated, SourceOrigin.STATED)
    async with database.read() as session:
        remembered = await remembered_sources(session)
    proposed = _named_after(next(iter(files)))
    if not remembered.files and not may_ask:
        return SourceName(proposed, SourceOrigin.FILE)
    found = remembered.with_columns(files.values())
    if len(found) == 1:
        return SourceName(found[0], SourceOrigin.REMEMBERED)
    why = f"several sources have such files: {', '.join(found)}" if found else "no source had files with these columns"
    raise UnnamedSourceError(
        f"Nothing says which system {', '.join(files)} is from: {why}.", tuple(remembered.files), proposed
    )


def _named_after(file: str) -> str:
    slug = re.sub(r"[^a-z0-9]+", "_", file.rsplit(".", 1)[0].casefold()).strip("_")
    return (slug if slug[:1].isalpha() else f"csv_{slug}")[:40].strip("_")
