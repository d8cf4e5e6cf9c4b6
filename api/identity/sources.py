"""The systems that external keys come from: a source is named once, and known again by the columns of its files."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from api.db import ReadSession
from api.sql import Sql

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
