"""Wrong credentials by client address: some at once, then one every few seconds, in bounded memory."""

import pytest

from api.access.credentials import attempts
from api.access.credentials.attempts import AT_ONCE, SECONDS_EACH, WrongAttempts


class Clock:
    """A clock that is set by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.seconds = 1_000.0
        monkeypatch.setattr(attempts, "monotonic", lambda: self.seconds)


def test_the_first_attempts_are_free_and_the_wait_does_not_grow(monkeypatch: pytest.MonkeyPatch) -> None:
    clock, wrong = Clock(monkeypatch), WrongAttempts()
    assert [wrong.count("192.0.2.1") for _ in range(AT_ONCE)] == [0] * AT_ONCE
    assert {wrong.count("192.0.2.1") for _ in range(1_000)} == {SECONDS_EACH}
    clock.seconds += SECONDS_EACH
    assert wrong.count("192.0.2.1") == 0
    assert wrong.count("192.0.2.1") == SECONDS_EACH
    clock.seconds += AT_ONCE * SECONDS_EACH
    assert [wrong.count("192.0.2.1") for _ in range(AT_ONCE + 1)] == [0] * AT_ONCE + [SECONDS_EACH]


@pytest.mark.parametrize(
    ("one", "other", "are_one"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("", "unix", False),
    ],
)
def test_addresses_of_one_client_count_together(one: str, other: str, are_one: bool) -> None:
    wrong = WrongAttempts()
    for _ in range(AT_ONCE):
        wrong.count(one)
    assert bool(wrong.count(other)) == are_one


def test_the_memory_is_bounded() -> None:
    wrong = WrongAttempts()
    for number in range(attempts.MOST_ADDRESSES + 100):
        wrong.count(f"client-{number}")
    assert len(wrong._forgiven_at) == attempts.MOST_ADDRESSES
