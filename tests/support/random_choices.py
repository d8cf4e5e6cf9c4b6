"""The source of random choices for generated test data: hypothesis, which can shrink them, or a seed, which is fast."""

import random
from collections.abc import Callable, Sequence
from typing import TypeVar

from hypothesis import strategies as st

T = TypeVar("T")


class RandomChoices:
    """Draws whole numbers, and derives every other choice from them."""

    def __init__(self, integer: Callable[[int, int], int]) -> None:
        self.integer = integer

    @classmethod
    def of_hypothesis(cls, data: st.DataObject) -> "RandomChoices":
        return cls(lambda low, high: data.draw(st.integers(low, high)))

    @classmethod
    def of_seed(cls, seed: int) -> "RandomChoices":
        return cls(random.Random(seed).randint)

    def one(self, options: Sequence[T]) -> T:
        return options[self.integer(0, len(options) - 1)]

    def some(self, options: Sequence[T]) -> tuple[T, ...]:
        return tuple(option for option in options if self.integer(0, 2) == 2)

    def happens(self, one_in: int) -> bool:
        return self.integer(1, one_in) == one_in

    def several(self, low: int, high: int, make: Callable[[], T]) -> tuple[T, ...]:
        return tuple(make() for _ in range(self.integer(low, high)))
