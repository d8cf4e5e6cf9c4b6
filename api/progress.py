"""The callback by which long-running work reports its progress."""

from collections.abc import Callable

Progress = Callable[[str, int, int], None]
"""Called with the name of the current step, the number of units done, and the number of all units."""


def no_progress(_step: str, _done: int, _total: int) -> None:
    """Report nothing."""
