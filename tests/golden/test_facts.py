"""The facts of the example give the acceptance figures by a plain count."""

from tests.golden.world import HANDOFFS, day


def decided(before: str) -> tuple[int, int, int]:
    """Accepted, decided and handed over, of this year's decisions seen before a day."""
    seen = [each for each in HANDOFFS if day(each[1]) < day(before)]
    told = [each for each in seen if day("01-01") <= day(each[2]) < day(before)]
    return sum(each[3] == "ACCEPTED" for each in told), len(told), len(seen)


def test_acceptance_decided_in_the_quarter() -> None:
    assert decided("04-01") == (6, 8, 8)


def test_acceptance_seen_as_of_a_day_within_it() -> None:
    assert decided("03-29") == (5, 7, 8)
