"""The rate limit: each principal has a quota of cost per minute, which fills up evenly."""

import pytest

from api.errors import ErrorCode
from api.traffic.rate_limit import Balance, RateLimit, RateLimitedError


class Clock:
    """A clock that stands still."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_full_quota_may_be_spent_at_once_and_comes_back_within_a_minute(clock: Clock) -> None:
    limit = RateLimit(600, clock=clock)
    assert limit.pay("ada", 550) == Balance(600, 50, 55)
    with pytest.raises(RateLimitedError) as refused:
        limit.pay("ada", 100)
    assert (refused.value.code, refused.value.retry_after) == (ErrorCode.RATE_LIMITED, 5)
    assert refused.value.balance == Balance(600, 50, 55)  # nothing was taken
    clock.now += 4.9
    with pytest.raises(RateLimitedError):
        limit.pay("ada", 100)
    clock.now += 0.1
    assert limit.pay("ada", 100) == Balance(600, 0, 60)
    clock.now += 3_600
    assert limit.pay("ada", 1) == Balance(600, 599, 1)  # never more than the quota


def test_each_principal_pays_alone(clock: Clock) -> None:
    limit = RateLimit(10, clock=clock)
    limit.pay("ada", 10)
    assert limit.pay("bob", 4).left == 6
    with pytest.raises(RateLimitedError):
        limit.pay("ada", 1)


def test_a_request_costs_at_least_one_and_at_most_the_quota(clock: Clock) -> None:
    limit = RateLimit(10, clock=clock)
    assert limit.pay("ada", 0).left == 9
    with pytest.raises(RateLimitedError) as refused:
        limit.pay("ada", 50_000)
    clock.now += refused.value.retry_after
    assert limit.pay("ada", 50_000).left == 0


def test_what_was_not_executed_is_given_back(clock: Clock) -> None:
    limit = RateLimit(10, clock=clock)
    limit.pay("ada", 4)
    assert limit.give_back("ada", 4).left == 10
    limit.pay("ada", 0)
    assert limit.give_back("ada", 0).left == 10
    limit.pay("ada", 50)
    assert limit.give_back("ada", 50).left == 10


def test_workers_share_the_quota(clock: Clock) -> None:
    assert RateLimit(1_000, workers=4, clock=clock).quota == 250
