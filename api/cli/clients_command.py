"""`accord clients`."""

from typing import Annotated

import typer
from graphql import build_schema

from api.errors import AccordError, ErrorCode
from api.graph.client_files import CLIENT_FILES
from api.graph.contract import sdl

_CLIENT = typer.Argument(help=f"The client or generator: {', '.join(CLIENT_FILES)}.")


def clients(client: Annotated[str, _CLIENT]) -> None:
    """Print scalars or cache keys for a GraphQL client or generator.

    codegen, relay: a JSON object of scalars. gql-tada: a TypeScript interface of scalars. apollo-kotlin: lines for
    Gradle. apollo-client: `typePolicies` in TypeScript. graphcache: `keys` and `resolvers` in TypeScript.
    """
    if client not in CLIENT_FILES:
        message = f"There is no file for the client '{client}'."
        raise AccordError(ErrorCode.BAD_INPUT, message, f"Choose one of: {', '.join(CLIENT_FILES)}.")
    typer.echo(CLIENT_FILES[client](build_schema(sdl())), nl=False)
