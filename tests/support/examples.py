"""How much tests generate: a sixth of the examples and small samples in `make test`, all in `make test-thorough`."""

import os
from collections.abc import Sequence
from typing import TypeVar

_Case = TypeVar("_Case")

_IS_THOROUGH = os.environ.get("EXAMPLES") == "all"
_SHARE, _FEWEST = 6, 3


def examples(all_of_them: int) -> int:
    """Return how many examples of a slow property to generate in this run, of all that are worth generating."""
    return all_of_them if _IS_THOROUGH else max(min(_FEWEST, all_of_them), all_of_them // _SHARE)


def some_of(cases: Sequence[_Case], turn: int) -> Sequence[_Case]:
    """Return a third of the cases, at least one, at each turn the next ones; all cases in thorough runs."""
    return cases if _IS_THOROUGH else cases[turn % 3 :: 3] or cases[:1]


def sample_people(few: int) -> int:
    """Return how many people a sample has that is counted again in plain Python."""
    return 20_000 if _IS_THOROUGH else few
