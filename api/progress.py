"""How long-running work reports its progress."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the current step, how many units are done, and how many there are."""


def no_progress(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""
