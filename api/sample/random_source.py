"""Random numbers that repeat on every machine and Python version: all are made from `random()` and `getrandbits()`."""

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Generic, NewType, TypeVar

Item = TypeVar("Item")
UuidBytes = NewType("UuidBytes", bytes)
"""The 16 bytes of a UUIDv7. A sample of a million people has twenty million ids, so none becomes a `UUID` object."""

_VERSION_7, _VARIANT_2, _LOW_62 = 0x7 << 76, 0x2 << 62, (1 << 62) - 1


class Weighted(Generic[Item]):
    """Items to pick from, with their weights."""

    __slots__ = ("cumulative", "items")

    def __init__(self, weights: Iterable[tuple[Item, float]]) -> None:
        pairs = tuple(weights)
        self.items = tuple(item for item, _ in pairs)
        self.cumulative = tuple(accumulate(weight for _, weight in pairs))


class SeededRandom(Random):
    """One repeatable stream of random numbers."""

    @classmethod
    def stream(cls, seed: int, kind: int, number: int) -> "SeededRandom":
        """Return the stream of one item (its kind and number), which no other item consumes."""
        return cls((seed << 48) | (kind << 40) | number)

    def chance(self, probability: float) -> bool:
        """Return True with this probability."""
        return self.random() < probability

    def between(self, low: float, high: float) -> float:
        """Return a uniform number of the half-open range."""
        return low + (high - low) * self.random()

    def integer(self, low: int, high: int) -> int:
        """Return a uniform whole number, both ends included."""
        return low + int((high - low + 1) * self.random())

    def pick(self, items: Sequence[Item]) -> Item:
        """Return one of several equally likely items."""
        return items[int(self.random() * len(items))]

    def pick_weighted(self, weighted: Weighted[Item]) -> Item:
        """Return one of several items by their weights."""
        return weighted.items[bisect(weighted.cumulative, self.random() * weighted.cumulative[-1])]

    def log_normal(self, median: float, spread: float = 0.5) -> float:
        """Return a log-normal number: durations and amounts have a median and a long upper tail."""
        # Box-Muller: Python promises the same results in every version for random() only, not for gauss().
        normal = math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())
        return median * math.exp(spread * normal)

    def uuid7(self, seconds: int) -> UuidBytes:
        """Return a UUIDv7 of an instant (RFC 9562: 48 bits of milliseconds, version 7, 12 bits, variant 2, 62 bits)."""
        noise = self.getrandbits(74)
        number = (seconds * 1000 << 80) | _VERSION_7 | (noise >> 62 << 64) | _VARIANT_2 | (noise & _LOW_62)
        return UuidBytes(number.to_bytes(16, "big"))


def to_datetime(seconds: int) -> datetime:
    """Convert seconds since 1970 to a datetime. Simulation and rows count in whole seconds, which is much faster."""
    return datetime.fromtimestamp(seconds, UTC)
