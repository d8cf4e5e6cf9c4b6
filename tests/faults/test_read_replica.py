"""A read replica: who has written something reads it, whatever the replica lags, and nobody notices that it is away."""

from collections.abc import Iterator
from time import monotonic

import httpx
import pytest

from tests.faults.replication import Replication, replicated

pytestmark = pytest.mark.faults


@pytest.fixture(scope="module")
def installed_replica() -> Iterator[Replication]:
    with replicated({"ACCORD_READ_LAG_SECONDS": "600"}) as made:
        made.installation.start_server()
        yield made


@pytest.fixture
def replica(installed_replica: Replication) -> Iterator[Replication]:
    """A replica that is read, and has replayed everything."""
    installed_replica.catch_up()
    wait_until_read(installed_replica)
    yield installed_replica
    installed_replica.resume()


def post(replica: Replication, document: str, token: str | None = None) -> httpx.Response:
    headers = {} if token is None else {"Accord-Watermark": token}
    address = f"{replica.installation.address}/graphql"
    return httpx.post(address, json={"query": document}, headers=headers, timeout=60)


def wait_until_read(replica: Replication) -> None:
    deadline = monotonic() + 30
    while "accord-replica-lag" not in post(replica, "{ teams { totalCount } }").headers:
        assert monotonic() < deadline, replica.installation.log()[-3000:]


def create_team(replica: Replication, name: str) -> str:
    """Create a team. Return the watermark of the answer."""
    response = post(replica, f'mutation {{ createTeam(input: {{name: "{name}", kind: SALES}}) {{ team {{ id }} }} }}')
    assert response.json()["data"]["createTeam"]["team"], response.text
    return response.headers["accord-watermark"]


def team_count(response: httpx.Response) -> int:
    assert response.status_code == 200, response.text
    return int(response.json()["data"]["teams"]["totalCount"])


TEAMS = "{ teams { totalCount } }"


def test_a_read_with_the_watermark_of_a_write_has_it_whatever_the_replica_lags(replica: Replication) -> None:
    before = team_count(post(replica, TEAMS))
    replica.pause()
    token = create_team(replica, "paused")
    without = post(replica, TEAMS)
    assert (team_count(without), "accord-replica-lag" in without.headers) == (before, True), "the replica was read"
    began = monotonic()
    with_token = post(replica, TEAMS, token)
    assert 0.9 < monotonic() - began < 3
    assert (team_count(with_token), "accord-replica-lag" in with_token.headers) == (before + 1, False)
    replica.resume()
    caught_up = post(replica, TEAMS, token)
    assert (team_count(caught_up), "accord-replica-lag" in caught_up.headers) == (before + 1, True)
