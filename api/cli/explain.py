"""`accord explain`."""

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from api.cli.options import Data
from api.errors import AccordError, ErrorCode

if TYPE_CHECKING:
    from api.db import Database
    from api.graph.request import GraphQLRequest


def register(app: typer.Typer) -> None:
    """Add this group's commands."""
    app.command("explain")(explain)


def explain(
    file: Annotated[Path, typer.Argument(help="A GraphQL document.", show_default=False)],
    variables: Annotated[str, typer.Option(help="Its variables, as a JSON object.")] = "{}",
    operation: Annotated[str | None, typer.Option(help="The operation, where the document has several.")] = None,
    analyze: Annotated[bool, typer.Option("--analyze", help="Run it, and show times and rows.")] = False,
    data: Data = None,
) -> None:
    """Show how a document of records is answered: selection, cost, statement, values and PostgreSQL's plan."""
    question = _question(file, variables, operation)
    asyncio.run(_explain(question, data, analyze=analyze))


def _question(file: Path, variables: str, operation: str | None) -> "GraphQLRequest":
    import orjson

    from api.graph.request import GraphQLRequest

    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{file} cannot be read: {error}."
        raise AccordError(ErrorCode.BAD_FILE, message, "Name a file that holds a GraphQL document.") from error
    try:
        values: Any = orjson.loads(variables)
    except orjson.JSONDecodeError as error:
        message = f"The variables are not valid JSON: {error}."
        raise AccordError(ErrorCode.BAD_INPUT, message, """Write them as --variables '{"first": 10}'.""") from error
    if not isinstance(values, dict):
        message = "The variables are no JSON object."
        raise AccordError(ErrorCode.BAD_INPUT, message, """Write them as --variables '{"first": 10}'.""")
    return GraphQLRequest(text, values, operation)


async def _explain(question: "GraphQLRequest", data: Path | None, *, analyze: bool) -> None:
    from api.cli.session import opened

    async with opened(data) as database:
        for title, text in await _stages(database, question, analyze=analyze):
            typer.echo(f"{title}\n{'-' * len(title)}\n{text}\n")


async def _stages(database: "Database", question: "GraphQLRequest", *, analyze: bool) -> list[tuple[str, str]]:
    from api.access.principal import EVERYONE
    from api.graph.contract import gateway
    from api.graph.explanation import explanation_sections

    validated = gateway().validated(question)
    if validated.errors:
        message = "; ".join(error.message for error in validated.errors)
        raise AccordError(ErrorCode.BAD_INPUT, f"The document cannot be run: {message}", "Correct it there.")
    return await explanation_sections(database, gateway().explain(question, validated, EVERYONE), is_run=analyze)
