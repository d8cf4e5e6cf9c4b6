"""Options that many commands share, and groups of options as dataclasses."""

import inspect
import shlex
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from functools import wraps
from pathlib import Path
from typing import Annotated, Any

import typer

DATA_OPTION: Any = typer.Option(
    "--data",
    metavar="DIR",
    help="The data folder of the private PostgreSQL; default: ACCORD_DATA_DIR, or else .accord.",
    show_default=False,
)

Data = Annotated[Path | None, DATA_OPTION]


def next_command(words: str, data: Path | None) -> str:
    """A command to suggest next, with the same data folder if one was given."""
    return words if data is None else f"{words} --data {shlex.quote(str(data))}"


def expand_options(command: Callable[..., None]) -> Callable[..., None]:
    """Replace every dataclass parameter of a command by one keyword parameter for each field of the dataclass.

    Typer reads the options of a command from its signature; the command itself receives the dataclasses. A field is
    annotated as a parameter would be: `Annotated[type, typer.Option(…)]`, with a default.
    """
    signature = inspect.signature(command)
    groups: dict[str, type[Any]] = {
        parameter.name: parameter.annotation
        for parameter in signature.parameters.values()
        if isinstance(parameter.annotation, type) and is_dataclass(parameter.annotation)
    }
    parameters: list[inspect.Parameter] = []
    for parameter in signature.parameters.values():
        group = groups.get(parameter.name)
        parameters += [parameter] if group is None else _field_parameters(group)

    @wraps(command)
    def expanded(**values: object) -> None:
        made = {
            name: group(**{field.name: values.pop(field.name) for field in fields(group)})
            for name, group in groups.items()
        }
        command(**values, **made)

    expanded.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
    expanded.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return expanded


def _field_parameters(group: type[Any]) -> list[inspect.Parameter]:
    return [
        inspect.Parameter(
            field.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=inspect.Parameter.empty if field.default is MISSING else field.default,
            annotation=field.type,
        )
        for field in fields(group)
    ]
