"""How much tests generate: a third of the examples and small samples in `make test`, all in `make test-thorough`."""

import os

_IS_THOROUGH = os.environ.get("EXAMPLES") == "all"
_SHARE = 1 if _IS_THOROUGH else 3


def examples(all_of_them: int) -> int:
    """Return how many examples of a slow property to generate in this run, of all that are worth generating."""
    return max(1, all_of_them // _SHARE)


def sample_people(few: int) -> int:
    """Return how many people a sample has that is counted again in plain Python."""
    return 20_000 if _IS_THOROUGH else few
