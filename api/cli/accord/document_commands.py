"""`accord versions`, `accord export` and `accord diff`: the versions of the accord, and what they say."""

import asyncio
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from api.accord.diff.changes import ClauseChange
from api.accord.diff.diff_text import diff_text
from api.accord.diff.document_diff import document_changes
from api.accord.stored_versions import (
    StoredVersion,
    requested_version,
    stored_versions,
    version_page,
)
from api.accord.unknown_version import unknown_version
from api.accord.version_warnings import version_warnings
from api.cli.access.access_options import AsJson, instant_text, print_json, print_table
from api.cli.options import Data
from api.cli.session import open_database
from schema.toml_text import accord_toml

_MOST = 1_000


def versions(as_json: AsJson = False, data: Data = None) -> None:
    """List the versions of the accord.

    The newest comes first. Below them: what to know about each.
    """

    async def run() -> tuple[tuple[StoredVersion, ...], Mapping[int, tuple[str, ...]]]:
        async with open_database(data) as database, database.read() as session:
            found = (await version_page(session, size=_MOST)).versions
            return found, await version_warnings(session, found)

    found, warnings = asyncio.run(run())
    if as_json:
        print_json([_values(version) | {"warnings": [*warnings[version.number]]} for version in found])
        return
    headings = ("version", "status", "title", "replaces", "in force from", "until", "to be signed by", "hash")
    print_table(headings, map(_cells, found))
    for version in found:
        for warning in warnings[version.number]:
            typer.echo(f"Version {version.number}: {warning}")


def export(
    version: Annotated[
        int | None, typer.Argument(metavar="[VERSION]", help="The number of the version. Left out: the one in force.")
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the canonical JSON, which the hash is made of.")
    ] = False,
    data: Data = None,
) -> None:
    """Print the document of a version of the accord.

    As TOML, to edit and propose.
    """

    async def run() -> StoredVersion:
        async with open_database(data) as database, database.read() as session:
            return await requested_version(session, version)

    document = asyncio.run(run()).document
    if as_json:
        typer.echo(document.text)
    else:
        typer.echo(accord_toml(document.accord), nl=False)


def diff(
    a: Annotated[int, typer.Argument(metavar="A", help="The number of a version.")],
    b: Annotated[int, typer.Argument(metavar="B", help="The number of another version.")],
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Say in sentences what differs between two versions.

    Each change is marked by what it does.
    """
    changes = asyncio.run(_changes(a, b, data))
    if as_json:
        print_json([_change_values(change) for change in changes])
    else:
        typer.echo(diff_text(changes), nl=False)


async def _changes(a: int, b: int, data: Path | None) -> tuple[ClauseChange, ...]:
    async with open_database(data) as database, database.read() as session:
        found = await stored_versions(session, {a, b})
        for number in (a, b):
            if number not in found:
                raise await unknown_version(session, number)
    return document_changes(found[a].document.accord, found[b].document.accord)


def _change_values(change: ClauseChange) -> dict[str, object]:
    return {
        "clause": change.clause,
        "title": change.title,
        "kind": change.kind.value,
        "marks": [mark.value for mark in change.marks],
        "before": change.before,
        "after": change.after,
    }


def _values(version: StoredVersion) -> dict[str, object]:
    return {
        "version": version.number,
        "status": version.status.value,
        "title": version.document.accord.title,
        "hash": version.content_hash,
        "base": None if version.base is None else version.base.version,
        "note": version.note,
        "signedAt": version.signed_at,
        "activatesAt": version.activates_at,
        "from": version.in_force_from,
        "until": version.in_force_until,
        "missingSignatures": [team.value for team in version.missing_signatures],
    }


def _cells(version: StoredVersion) -> tuple[str, ...]:
    return (
        str(version.number),
        version.status.lower(),
        version.document.accord.title,
        "" if version.base is None else str(version.base.version),
        instant_text(version.in_force_from or version.activates_at),
        instant_text(version.in_force_until),
        ", ".join(team.lower() for team in version.missing_signatures),
        version.content_hash[:12],
    )
