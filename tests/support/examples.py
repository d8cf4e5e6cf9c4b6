"""How many examples Hypothesis generates: a third in `make test`, all in `make test-thorough`."""

import os

_SHARE = 1 if os.environ.get("EXAMPLES") == "all" else 3


def examples(all_of_them: int) -> int:
    """Return how many examples of a slow property to generate in this run, of all that are worth generating."""
    return max(1, all_of_them // _SHARE)
