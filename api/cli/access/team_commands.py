"""`accord team add` and `list`."""

import asyncio
from functools import partial
from typing import Annotated

import typer

from api.access.credentials.listings import ListedTeam, list_teams
from api.cli.access.access_options import AsJson, performed, print_json, print_table
from api.cli.kpi_values import parse_word
from api.cli.options import Data, next_command
from api.cli.session import open_database
from api.workflows.access.add_team import AddTeam, add_team
from schema.vocab import TeamKind

_KINDS = ", ".join(kind.lower() for kind in TeamKind)


def add(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The team's name.")],
    kind: Annotated[str, typer.Option("--kind", metavar="KIND", help=f"What the team is: {_KINDS}.")],
    data: Data = None,
) -> None:
    """Add a team of marketing, sales or revenue operations.

    Members of marketing and sales teams sign the accord.
    """
    word = parse_word(TeamKind, "--kind", kind)

    async def run() -> None:
        async with open_database(data) as database:
            await performed(database, "createTeam", partial(add_team, do=AddTeam(name, word)))

    asyncio.run(run())
    typer.echo(f"Added: the team {name} ({word.lower()}).")
    command = next_command("accord member add NAME --email ADDRESS --team TEAM --reach all", data)
    typer.echo(f"Add its members with: {command}")


def list_all(as_json: AsJson = False, data: Data = None) -> None:
    """List the teams."""

    async def run() -> list[ListedTeam]:
        async with open_database(data) as database, database.read() as session:
            return await list_teams(session)

    teams = asyncio.run(run())
    if as_json:
        print_json([{"name": team.name, "kind": team.kind.value, "members": team.members} for team in teams])
    else:
        print_table(("name", "kind", "members"), ((t.name, t.kind.lower(), f"{t.members:,}") for t in teams))
