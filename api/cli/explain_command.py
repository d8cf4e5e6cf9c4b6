"""`accord explain`."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from api.access.principal import LOCAL_OPERATOR
from api.cli.options import Data
from api.cli.session import open_database
from api.db import Database
from api.errors import AccordError, ErrorCode
from api.graph.contract import gateway
from api.graph.explanation import explanation_sections
from api.graph.request import GraphQLRequest

_VARIABLES_EXAMPLE = """Write them as --variables '{"first": 10}'."""


def explain(
    file: Annotated[Path, typer.Argument(help="A file with a GraphQL document.", show_default=False)],
    variables: Annotated[str, typer.Option(help="The variables, as a JSON object.")] = "{}",
    operation: Annotated[
        str | None, typer.Option(help="The operation to explain, if the document has several.")
    ] = None,
    analyze: Annotated[bool, typer.Option("--analyze", help="Execute it, and show times and rows.")] = False,
    data: Data = None,
) -> None:
    """Explain how a GraphQL document is executed.

    Prints the selection, its cost, the SQL statement with its values, and PostgreSQL's plan.
    """
    request = _read_request(file, variables, operation)
    asyncio.run(_print_stages(request, data, analyze=analyze))


def _read_request(file: Path, variables: str, operation: str | None) -> GraphQLRequest:
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file that contains a GraphQL document.") from error
    try:
        values: Any = orjson.loads(variables)
    except orjson.JSONDecodeError as error:
        message = f"The variables are not valid JSON: {error}."
        raise AccordError(ErrorCode.BAD_INPUT, message, _VARIABLES_EXAMPLE) from error
    if not isinstance(values, dict):
        raise AccordError(ErrorCode.BAD_INPUT, "The variables are not a JSON object.", _VARIABLES_EXAMPLE)
    return GraphQLRequest(text, values, operation)


async def _print_stages(request: GraphQLRequest, data: Path | None, *, analyze: bool) -> None:
    async with open_database(data) as database:
        for title, text in await _stages(database, request, analyze=analyze):
            typer.echo(f"{title}\n{'-' * len(title)}\n{text}\n")


async def _stages(database: Database, request: GraphQLRequest, *, analyze: bool) -> list[tuple[str, str]]:
    validated = gateway().validated(request)
    if validated.errors:
        message = "; ".join(error.message for error in validated.errors)
        raise AccordError(ErrorCode.BAD_INPUT, f"The document is not valid: {message}", "Correct the document.")
    plan = await gateway().plan(database, request, validated, LOCAL_OPERATOR)
    return await explanation_sections(database, gateway().explain(plan), plan.price, is_run=analyze)
