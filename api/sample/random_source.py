"""Randomness that can be repeated on every machine and Python: all of it comes from `random()` and `getrandbits()`."""

import math
from bisect import bisect
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Generic, NewType, TypeVar

Item = TypeVar("Item")
Id = NewType("Id", bytes)
"""The 16 bytes of a UUIDv7: a story of a million people has twenty million, and never looks into one."""

_VERSION_7, _VARIANT_2, _LOW_62 = 0x7 << 76, 0x2 << 62, (1 << 62) - 1


class Weighted(Generic[Item]):
    """Items, some likelier than others."""

    __slots__ = ("edges", "items")

    def __init__(self, weights: Iterable[tuple[Item, float]]) -> None:
        pairs = tuple(weights)
        self.items = tuple(item for item, _ in pairs)
        self.edges = tuple(accumulate(weight for _, weight in pairs))


class Dice(Random):
    """One stream of chance."""

    @classmethod
    def of(cls, seed: int, kind: int, number: int) -> "Dice":
        """Return the stream that belongs to one thing alone, whatever else is made."""
        return cls((seed << 48) | (kind << 40) | number)

    def chance(self, share: float) -> bool:
        """Whether something happens that happens in this share of cases."""
        return self.random() < share

    def between(self, low: float, high: float) -> float:
        """Any number of the half-open range."""
        return low + (high - low) * self.random()

    def whole(self, low: int, high: int) -> int:
        """A whole number, both ends included."""
        return low + int((high - low + 1) * self.random())

    def pick(self, items: Sequence[Item]) -> Item:
        """One of several, all equally likely."""
        return items[int(self.random() * len(items))]

    def draw(self, weighted: Weighted[Item]) -> Item:
        """One of several, some likelier than others."""
        return weighted.items[bisect(weighted.edges, self.random() * weighted.edges[-1])]

    def around(self, middle: float, spread: float = 0.5) -> float:
        """A positive number with this median, sometimes far above it: durations and amounts are like that."""
        # Box and Muller, because only random() itself is promised to stay the same from one Python to the next.
        bell = math.sqrt(-2 * math.log(1 - self.random())) * math.cos(2 * math.pi * self.random())
        return middle * math.exp(spread * bell)

    def identity(self, seconds: int) -> Id:
        """A UUIDv7 of that instant (RFC 9562: 48 bits of milliseconds, version 7, 12 bits, variant 2, 62 bits)."""
        noise = self.getrandbits(74)
        number = (seconds * 1000 << 80) | _VERSION_7 | (noise >> 62 << 64) | _VARIANT_2 | (noise & _LOW_62)
        return Id(number.to_bytes(16, "big"))


def moment(seconds: int) -> datetime:
    """Turn seconds since 1970 into an instant, to know its day: stories and rows reckon in whole seconds."""
    return datetime.fromtimestamp(seconds, UTC)
