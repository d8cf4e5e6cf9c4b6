"""A plain count over the facts of the example gives its acceptance rates."""

from tests.golden.world import HANDOFFS, day


def decided(before: str) -> tuple[int, int, int]:
    """Count the handoffs before a day: accepted in 2026, decided in 2026, handed over."""
    handed = [handoff for handoff in HANDOFFS if day(handoff[1]) < day(before)]
    decisions = [status for _, _, decided_at, status, _ in handed if day("01-01") <= day(decided_at) < day(before)]
    return decisions.count("ACCEPTED"), len(decisions), len(handed)


def test_acceptance_decided_in_the_quarter() -> None:
    assert decided("04-01") == (6, 8, 8)


def test_acceptance_as_of_a_day_within_the_quarter() -> None:
    assert decided("03-29") == (5, 7, 8)
