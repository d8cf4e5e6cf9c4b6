"""A progress bar with rate and remaining time, for work that tells its steps."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.text import Text


class _Rate(TextColumn):
    """How many a second, once that is known."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


@contextmanager
def told_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Yield what to tell a step, how much of it is done, and of how much; silent where nobody watches."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _Rate(), TimeRemainingColumn(),
    )  # fmt: skip
    with Progress(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        tasks: dict[int, TaskID] = {}

        def tell(step: str, done: int, total: int) -> None:
            # Steps of one count share a bar: the evaluator counts its stages, the loader its contacts.
            if total not in tasks:
                tasks[total] = bar.add_task(step, total=total)
            bar.update(tasks[total], description=step, completed=done)

        yield tell
