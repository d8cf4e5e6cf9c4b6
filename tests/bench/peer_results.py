"""The figures of servers that took turns: medians over the rounds, and the table that shows them."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.read.cpu_meter import MeasuredLoad

_HEADER = f"{'':<14}{'cost':>8}{'speed':>8}{'req/s':>10}{'server':>12}{'PostgreSQL':>13}{'p50 ms':>9}{'p99 ms':>9}"

Rounds = Sequence[Mapping[str, MeasuredLoad]]
"""What was measured in every round, by the name of the server."""


@dataclass(frozen=True, slots=True)
class PeerResult:
    """A peer's figures: medians over the rounds. CPU times are microseconds a request, latencies milliseconds.

    `cost` is the CPU time of server and PostgreSQL together as a multiple of the baseline's in the same round, `speed`
    the rate as a multiple of the baseline's; None if the baseline was not measured.
    """

    peer: str
    cost: float | None
    speed: float | None
    rate: float
    server_cpu: float
    postgresql_cpu: float
    p50: float
    p99: float


def peer_result(name: str, baseline: str, rounds: Rounds) -> PeerResult:
    """Return the figures of one peer."""
    own = [measured[name] for measured in rounds]
    has_baseline = baseline in rounds[0]
    return PeerResult(
        name,
        statistics.median(_cpu(it[name]) / _cpu(it[baseline]) for it in rounds) if has_baseline else None,
        statistics.median(it[name].load.rate / it[baseline].load.rate for it in rounds) if has_baseline else None,
        statistics.median(measured.load.rate for measured in own),
        statistics.median(measured.server_cpu for measured in own),
        statistics.median(measured.postgresql_cpu for measured in own),
        statistics.median(measured.load.p50 for measured in own) / 1000,
        statistics.median(measured.load.p99 for measured in own) / 1000,
    )


def print_results(title: str, results: Sequence[PeerResult]) -> None:
    """Print the figures of all peers."""
    print(f"\n{title}\n{_HEADER}")
    for row in results:
        cost, speed = (f"{ratio:>8.2f}" if ratio is not None else f"{'':>8}" for ratio in (row.cost, row.speed))
        print(
            f"{row.peer:<14}{cost}{speed}{row.rate:>10,.1f}{row.server_cpu:>9,.0f} µs{row.postgresql_cpu:>10,.0f} µs"
            f"{row.p50:>9.1f}{row.p99:>9.1f}",
            flush=True,
        )


def _cpu(measured: MeasuredLoad) -> float:
    return measured.server_cpu + measured.postgresql_cpu
