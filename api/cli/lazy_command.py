"""Commands that are imported only when they run, so that `accord --help` is quick."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

import typer
from typer.core import TyperCommand, TyperGroup


class LazyCommand(TyperCommand):
    """A placeholder for a command of another module.

    It has what the list of commands shows, the name and a summary. `target` is the function, as `module:function`.
    """

    def __init__(self, name: str, summary: str, target: str) -> None:
        super().__init__(name, short_help=summary)
        self._target = target

    def load(self) -> TyperCommand:
        """Import the module, and make the command from its function."""
        module, _, function = self._target.partition(":")
        app = typer.Typer(add_completion=False, rich_markup_mode=None)
        app.command(self.name)(getattr(import_module(module), function))
        command = typer.main.get_command(app)
        if not isinstance(command, TyperCommand):
            raise TypeError(f"{self._target} is not a single command")
        return command

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:  # noqa: ANN401 - Typer does not export the class
        """Parse the arguments of the real command: from here on, the context refers to that one."""
        return self.load().make_context(info_name, args, parent, **extra)


class LazyGroup(TyperGroup):
    """A group of lazy commands. A subclass lists them in `TARGETS`: by name, the summary and the target.

    `GROUPS` has further groups within it, by name: the summary and the class.
    """

    TARGETS: ClassVar[Mapping[str, tuple[str, str]]] = {}
    GROUPS: ClassVar[Mapping[str, tuple[str, type["LazyGroup"]]]] = {}

    def __init__(self, **attributes: Any) -> None:  # noqa: ANN401 - the arguments of Typer's group
        commands: list[TyperCommand | TyperGroup] = [
            LazyCommand(name, summary, target) for name, (summary, target) in self.TARGETS.items()
        ]
        commands += [
            group(name=name, help=summary, no_args_is_help=True, rich_markup_mode=None)
            for name, (summary, group) in self.GROUPS.items()
        ]
        super().__init__(**attributes | {"commands": commands})
