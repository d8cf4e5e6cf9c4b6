"""The settings of lanes and of the rate limit: what does not fit is refused before anything starts."""

import pytest

from api.errors import AccordError, ErrorCode
from api.settings import LaneSizes, Settings
from api.settings.groups import BACKGROUND_CONNECTIONS, DEFAULT_RATE_LIMIT
from api.traffic.traffic import Traffic


def test_the_lanes_have_fewer_places_than_a_pool_has_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.settings.settings.processors", lambda: 64)
    settings = Settings.load()
    lanes = settings.lane_sizes
    places = lanes.light + lanes.medium + lanes.heavy + lanes.mutations
    assert places + BACKGROUND_CONNECTIONS <= settings.pool_size
    monkeypatch.setenv("ACCORD_HEAVY_LANE", str(settings.pool_size - places - BACKGROUND_CONNECTIONS + 5))
    with pytest.raises(AccordError) as refused:
        Settings.load()
    assert refused.value.code is ErrorCode.BAD_INPUT
    assert f"ACCORD_POOL_SIZE is {settings.pool_size}, and the lanes need {settings.pool_size + 1}" in str(
        refused.value
    )
    monkeypatch.setenv("ACCORD_POOL_SIZE", str(settings.pool_size + 1))
    assert Settings.load().heavy_lane == 5


@pytest.mark.parametrize(
    ("processors", "workers", "places"), [(1, 1, 1), (2, 1, 1), (4, 1, 2), (8, 1, 4), (64, 1, 4), (8, 2, 2), (8, 8, 1)]
)
def test_medium_and_heavy_requests_leave_processors_to_others(
    monkeypatch: pytest.MonkeyPatch, processors: int, workers: int, places: int
) -> None:
    monkeypatch.setattr("api.settings.settings.processors", lambda: processors)
    lanes = Settings.load(workers=workers).lane_sizes
    assert (lanes.medium, lanes.heavy) == (places, places)
    assert (lanes.light, lanes.mutations) == (LaneSizes().light, LaneSizes().mutations)
    assert Settings.load(heavy_lane=3).lane_sizes.heavy == 3


@pytest.mark.parametrize(
    ("host", "given", "quota"),
    [
        ("127.0.0.1", None, None),
        ("localhost", None, None),
        ("0.0.0.0", None, DEFAULT_RATE_LIMIT),
        ("127.0.0.1", 600, 600),
        ("0.0.0.0", 600, 600),
        ("0.0.0.0", 0, None),
    ],
)
def test_the_rate_limit_is_off_on_loopback_unless_it_is_set(host: str, given: int | None, quota: int | None) -> None:
    settings = Settings.load(host=host, rate_limit=given)
    assert settings.rate_limit_in_force == quota
    rate_limit = Traffic.of(settings, workers=2).rate_limit
    assert (rate_limit and rate_limit.quota) == (quota and quota // 2)


def test_the_settings_reach_the_lanes_and_the_deadline() -> None:
    settings = Settings.load(
        light_lane=1,
        medium_lane=4,
        heavy_lane=2,
        mutation_lane=3,
        lane_queue=0,
        medium_cost=5,
        heavy_cost=50,
        request_seconds=7.5,
    )
    traffic = Traffic.of(settings)
    lanes = traffic.lanes
    places = (lanes.light.places, lanes.medium.places, lanes.heavy.places, lanes.mutations.places)
    assert places == (1, 4, 2, 3)
    assert lanes.of_request(5, is_mutation=False) is lanes.medium
    assert lanes.of_request(50, is_mutation=False) is lanes.heavy
    assert traffic.request_seconds == 7.5
