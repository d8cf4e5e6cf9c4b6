"""`accord clients`."""

from typing import Annotated

import click
import typer
from graphql import build_schema

from api.graph.client_files import CLIENT_FILES
from api.graph.contract import sdl

CLIENT = typer.Argument(help="The client or generator.", click_type=click.Choice(list(CLIENT_FILES)))


def clients(client: Annotated[str, CLIENT]) -> None:
    """Print scalars or cache keys for a GraphQL client or generator.

    codegen, relay: a JSON object of scalars. gql-tada: a TypeScript interface of scalars. apollo-kotlin: lines for
    Gradle. apollo-client: `typePolicies` in TypeScript. graphcache: `keys` and `resolvers` in TypeScript.
    """
    typer.echo(CLIENT_FILES[client](build_schema(sdl())), nl=False)
