"""`accord comments`, `comment`, `resolve` and `request-changes`."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from api.accord.stored_versions import StoredVersion, VersionComment, requested_version
from api.cli.access.access_options import AsJson, instant_text, performed, print_json, print_table
from api.cli.accord.version_commands import VersionNumber
from api.cli.options import Data, next_command
from api.cli.session import open_database
from api.workflows.accord.comment_accord import (
    COMMENT_ID,
    CommentAccord,
    RequestAccordChanges,
    comment_accord,
    request_accord_changes,
)
from api.workflows.accord.opaque_ids import opaque_id
from api.workflows.accord.resolve_comment import ResolveComment, resolve_comment
from api.workflows.accord.versions import COMMENT_TABLE
from api.workflows.commands import OpaqueId

Text = Annotated[str, typer.Argument(metavar="TEXT", help="The comment.")]
Clause = Annotated[
    str | None,
    typer.Option(
        "--clause", metavar="PATH", help="A clause, such as stages.mql.rule. Left out: the document as a whole."
    ),
]


def comments(version: VersionNumber, as_json: AsJson = False, data: Data = None) -> None:
    """List the comments on a version of the accord.

    A version cannot be signed while one is open.
    """

    async def run() -> StoredVersion:
        async with open_database(data) as database, database.read() as session:
            return await requested_version(session, version)

    found = asyncio.run(run()).comments
    if as_json:
        print_json([_values(comment) for comment in found])
    elif not found:
        typer.echo(f"Nobody has commented on version {version}.")
    else:
        print_table(("written at", "by", "clause", "comment", "resolved at", "id"), map(_cells, found))


def comment(version: VersionNumber, text: Text, clause: Clause = None, data: Data = None) -> None:
    """Comment on a version of the accord.

    It cannot be signed before the comment is resolved.
    """

    async def run() -> object:
        async with open_database(data) as database:
            do = CommentAccord(version, text, clause)
            outcome = await performed(database, "commentAccord", partial(comment_accord, do=do))
            return outcome.values[COMMENT_ID]

    _print_written(f"The comment on version {version} is written.", asyncio.run(run()), data)


def request_changes(version: VersionNumber, text: Text, clause: Clause = None, data: Data = None) -> None:
    """Request changes of a version in review.

    It cannot be signed before it is submitted again, and the request is resolved.
    """

    async def run() -> object:
        async with open_database(data) as database:
            do = RequestAccordChanges(version, text, clause)
            outcome = await performed(database, "requestAccordChanges", partial(request_accord_changes, do=do))
            return outcome.values[COMMENT_ID]

    _print_written(f"Changes of version {version} are requested.", asyncio.run(run()), data)


def resolve(
    comment_id: Annotated[
        str, typer.Argument(metavar="COMMENT", help="The id of the comment, from `accord comments VERSION`.")
    ],
    data: Data = None,
) -> None:
    """Resolve a comment on a version of the accord."""

    async def run() -> None:
        async with open_database(data) as database:
            await performed(
                database, "resolveComment", partial(resolve_comment, do=ResolveComment(OpaqueId(comment_id)))
            )

    asyncio.run(run())
    typer.echo("The comment is resolved.")


def _print_written(sentence: str, id_: object, data: Path | None) -> None:
    typer.echo(f"{sentence} Resolve it with: {next_command(f'accord resolve {id_}', data)}")


def _cells(found: VersionComment) -> tuple[str, ...]:
    return (
        instant_text(found.written_at),
        found.member.name if found.member else "",
        found.clause or "",
        found.text,
        instant_text(found.resolved_at, "open"),
        opaque_id(COMMENT_TABLE, found.id),
    )


def _values(found: VersionComment) -> dict[str, object]:
    return {
        "id": opaque_id(COMMENT_TABLE, found.id),
        "clause": found.clause,
        "text": found.text,
        "member": found.member and found.member.name,
        "writtenAt": found.written_at,
        "resolvedAt": found.resolved_at,
        "resolvedBy": found.resolved_by and found.resolved_by.name,
    }
