"""The rate limit: a token bucket for each principal. Requests pay by their cost.

The buckets are those of one process. With several workers, each gives its share.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass

from cachetools import LRUCache

from api.errors import ErrorCode, RetryLaterError

WINDOW_SECONDS = 60
_MOST_BUCKETS = 10_000  # principals; who came back after so many others starts with a full bucket


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


@dataclass(frozen=True, slots=True)
class Balance:
    """What a principal has left of a quota, and in how many seconds the whole quota is there again."""

    quota: int
    left: int
    seconds: int


class RateLimitedError(RetryLaterError):
    """The principal has not enough left for the request."""

    def __init__(self, cost: int, balance: Balance, retry_after: int) -> None:
        super().__init__(
            ErrorCode.RATE_LIMITED,
            f"The request costs {cost:,}, and you have {balance.left:,} of {balance.quota:,} per minute left. Nothing"
            " was executed.",
            f"Send it again in {retry_after} second{'s' if retry_after > 1 else ''}, or request less.",
            retry_after=retry_after,
        )
        self.balance = balance


class RateLimit:
    """A quota of cost per minute for each principal. It fills up evenly, and a full bucket may be spent at once."""

    def __init__(self, per_minute: int, *, workers: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self.quota = max(1, per_minute // workers)
        self._rate = self.quota / WINDOW_SECONDS
        self._clock = clock
        self._buckets: LRUCache[str, _Bucket] = LRUCache(_MOST_BUCKETS)

    def pay(self, subject: str, cost: int) -> Balance:
        """Take the cost of a request from the bucket of a principal, at least 1 and at most the whole quota.

        Errors: RateLimitedError if less is left; nothing is taken then.
        """
        now, price = self._clock(), min(max(cost, 1), self.quota)
        bucket = self._buckets.get(subject)
        if bucket is None:
            bucket = self._buckets[subject] = _Bucket(self.quota, now)
        bucket.left = min(self.quota, bucket.left + (now - bucket.at) * self._rate)
        bucket.at = now
        if price > bucket.left:
            raise RateLimitedError(cost, self._balance(bucket), math.ceil((price - bucket.left) / self._rate))
        bucket.left -= price
        return self._balance(bucket)

    def give_back(self, subject: str, cost: int) -> Balance:
        """Give the cost back of a request that was not executed."""
        bucket = self._buckets.get(subject) or _Bucket(self.quota, self._clock())
        bucket.left = min(self.quota, bucket.left + max(cost, 1))
        return self._balance(bucket)

    def _balance(self, bucket: _Bucket) -> Balance:
        return Balance(self.quota, int(bucket.left), math.ceil((self.quota - bucket.left) / self._rate))
