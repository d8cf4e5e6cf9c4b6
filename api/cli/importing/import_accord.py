"""`accord import --accord`: the accord to adopt, or to propose where another one is in force."""

from dataclasses import dataclass
from pathlib import Path

import typer

from api.accord.documents import read_accord
from api.accord.stored_versions import version_page
from api.cli.accord.version_commands import ProposedVersion, print_proposed, propose_document
from api.db import Database
from api.importers.reporting.import_report import ImportReport
from schema.accord_vocab import AccordStatus

_OPEN = (AccordStatus.DRAFT, AccordStatus.IN_REVIEW, AccordStatus.CHANGES_REQUESTED, AccordStatus.SIGNED)
_MOST = 1_000


@dataclass(frozen=True, slots=True)
class ImportedAccord:
    """What became of the stated accord: proposed just now, or as the open version with the number, or neither."""

    title: str
    proposed: ProposedVersion | None = None
    open_version: int | None = None


async def propose_stated_accord(database: Database, accord: str, report: ImportReport) -> ImportedAccord:
    """Propose the accord that an import stated, unless it is in force, or proposed already.

    Shapes: the name of an accord -> ImportedAccord. Writes what `propose_accord` does; nothing after a dry run.
    """
    document = read_accord(accord)
    if report.is_presets_accord or report.is_rolled_back:
        return ImportedAccord(document.title)
    async with database.read() as session:
        page = await version_page(session, size=_MOST, status=_OPEN)
    digest = document.content_hash()
    for version in page.versions:
        if version.content_hash == digest:
            return ImportedAccord(document.title, open_version=version.number)
    return ImportedAccord(document.title, proposed=await propose_document(database, document))


def print_stated_accord(found: ImportedAccord, report: ImportReport, data: Path | None) -> None:
    """Print what became of the stated accord; nothing if the import adopted it, or if it was in force."""
    if found.proposed is not None:
        print_proposed(found.proposed, data)
    elif found.open_version is not None:
        typer.echo(f"Version {found.open_version} of the accord has the content of '{found.title}' already.")
    elif report.is_dry_run and not report.is_presets_accord:
        typer.echo(f"The accord '{found.title}' would be proposed as the next version.")
