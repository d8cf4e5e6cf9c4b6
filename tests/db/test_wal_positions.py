"""Watermarks as texts, and how far a replica is behind at most."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.db.wal_positions import NOWHERE, UNKNOWN, ReplayLag, WalPosition, read_watermark, watermark_text
from api.errors import AccordError, ErrorCode


@given(st.integers(0, 2**64 - 1))
def test_a_watermark_is_read_as_it_was_written(position: int) -> None:
    assert read_watermark(watermark_text(WalPosition(position))) == position


def test_every_server_has_the_first_position_and_none_has_the_unknown_one() -> None:
    assert watermark_text(NOWHERE) == "w1-0000000000000000"
    assert watermark_text(UNKNOWN) == "w1-ffffffffffffffff"


@pytest.mark.parametrize("text", ["", "0/16B3748", "w1-", "w1-16b3748", "w2-00000000016b3748", "w1-00000000016B3748 "])
def test_any_other_text_is_no_watermark(text: str) -> None:
    with pytest.raises(AccordError) as refused:
        read_watermark(text)
    assert refused.value.code is ErrorCode.BAD_REQUEST
    assert "leave it out" in refused.value.remedy


def test_the_lag_is_the_time_since_the_primary_was_where_the_replica_is() -> None:
    lag = ReplayLag()
    assert lag.seconds(WalPosition(100), 1.0) is None
    for at, position in ((1.0, 100), (2.0, 200), (3.0, 200), (4.0, 300)):
        lag.sample(WalPosition(position), at)
    assert lag.seconds(WalPosition(99), 5.0) is None, "before everything that is known"
    assert lag.seconds(WalPosition(150), 5.0) == 4.0
    assert lag.seconds(WalPosition(200), 5.0) == 2.0, "the primary stood there until 3.0"
    assert lag.seconds(WalPosition(1_000), 5.0) == 1.0


def test_the_lag_of_another_primary_is_not_known_from_the_former_one() -> None:
    lag = ReplayLag()
    lag.sample(WalPosition(500), 1.0)
    lag.sample(WalPosition(300), 2.0)
    assert lag.seconds(WalPosition(250), 3.0) is None
    assert lag.seconds(WalPosition(300), 3.0) == 1.0


@given(st.lists(st.integers(0, 3), min_size=1, max_size=3_000), st.integers(0, 3_000))
def test_the_lag_is_a_bound_however_long_a_replica_is_behind(steps: list[int], replayed: int) -> None:
    lag, position = ReplayLag(), 0
    reached = None  # when the primary left the position of the replica
    for at, step in enumerate(steps):
        position += step
        lag.sample(WalPosition(position), float(at))
        if position <= replayed:
            reached = at
    found = lag.seconds(WalPosition(replayed), float(len(steps)))
    if reached is None:
        assert found is None
    else:
        assert found is not None
        assert found >= len(steps) - reached
        if len(steps) <= 1_000:  # beyond that, samples are left out
            assert found == len(steps) - reached
