"""`accord clients`."""

from enum import StrEnum
from typing import Annotated

import typer
from graphql import build_schema

from api.graph.client_files import CLIENT_FILES
from api.graph.contract import sdl

Client = StrEnum("Client", {name.replace("-", "_"): name for name in CLIENT_FILES})


def clients(client: Annotated[Client, typer.Argument(help="The client or generator to print a file for.")]) -> None:
    """Print scalars or cache keys for a GraphQL client or generator.

    codegen, relay: a JSON object of scalars. gql-tada: a TypeScript interface of scalars. apollo-kotlin: lines for
    Gradle. apollo-client: `typePolicies` in TypeScript. graphcache: `keys` and `resolvers` in TypeScript.
    """
    typer.echo(CLIENT_FILES[client.value](build_schema(sdl())), nl=False)
