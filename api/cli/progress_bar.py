"""A progress bar with the rate and the remaining time."""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Task, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.text import Text

from api.progress import Progress


class _RateColumn(TextColumn):
    """The units done per second, once they are known."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s")


@contextmanager
def progress_bar() -> Iterator[Progress]:
    """Yield a function that reports progress to a bar on the terminal; without a terminal nothing is shown."""
    console = Console(stderr=True)
    columns = (
        TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), _RateColumn(), TimeRemainingColumn(),
    )  # fmt: skip
    with Bar(*columns, console=console, disable=not console.is_terminal, transient=True) as bar:
        tasks: dict[int, TaskID] = {}

        def report(step: str, done: int, total: int) -> None:
            # Steps with the same total share a bar: the evaluator counts its stages, the loader its contacts.
            if total not in tasks:
                tasks[total] = bar.add_task(step, total=total)
            bar.update(tasks[total], description=step, completed=done)

        yield report
