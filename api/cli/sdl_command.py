"""`accord sdl`."""

from pathlib import Path
from typing import Annotated

import typer

import schema
from api.errors import AccordError, ErrorCode
from api.graph.contract import sdl as generated_sdl

COMMITTED = Path(schema.__file__).with_name("schema.graphql")


def sdl(
    write: Annotated[bool, typer.Option("--write", help="Write it to schema/schema.graphql.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Fail if schema/schema.graphql differs.")] = False,
) -> None:
    """Print the GraphQL schema as SDL."""
    text = generated_sdl()
    if write:
        COMMITTED.write_text(text, encoding="utf-8")
    if check:
        _compare(COMMITTED.read_text(encoding="utf-8") if COMMITTED.exists() else "", text)
    if not write and not check:
        typer.echo(text, nl=False)


def _compare(committed: str, text: str) -> None:
    """Raise DRIFT if the texts differ; the message has the first line that does, because the file is long."""
    if committed == text:
        return
    pairs = enumerate(zip(committed.splitlines(), text.splitlines(), strict=False), start=1)
    shorter = min(len(committed.splitlines()), len(text.splitlines()))
    line = next((number for number, (old, new) in pairs if old != new), shorter + 1)
    message = f"schema/schema.graphql differs from the generated schema, from line {line} on."
    raise AccordError(
        ErrorCode.DRIFT, message, "Run `accord sdl --write`, and review the difference as a change of the API."
    )
