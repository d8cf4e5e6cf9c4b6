import os

import pytest

from api.db import Database
from tests.funnel.test_reevaluation import compare_ways
from tests.funnel.test_reference import compare_generated
from tests.support.random_choices import RandomChoices

FIRST, LAST = map(int, os.environ.get("SEEDS", "0-0").split("-"))
SIZE = int(os.environ.get("SIZE", "12"))


async def test_rebuild(module_database: Database) -> None:
    n = 0
    for seed in range(FIRST, LAST):
        try:
            n += await compare_generated(module_database, RandomChoices.of_seed(seed), size=SIZE)
        except BaseException:
            print("SEED", seed)
            raise
    print("entries", n)


async def test_ways(module_database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    n = 0
    for seed in range(FIRST, LAST):
        try:
            n += await compare_ways(module_database, RandomChoices.of_seed(seed), monkeypatch)
        except BaseException:
            print("SEED", seed)
            raise
    print("entries", n)
