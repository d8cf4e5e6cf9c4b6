"""Prints what a load did, as tables of latencies and outcomes, and of memory by time."""

from collections import Counter
from collections.abc import Sequence

from tests.bench.serve.arrivals import LoadResult, StreamResult
from tests.bench.serve.observer import Memory, Observed, megabytes_per_minute

_MEMORY_LINES = 20
REFUSALS = ("429", "503")


def quantile(values: Sequence[float], share: float) -> float:
    """Return a quantile; nan without values."""
    found = sorted(values)
    return found[min(len(found) - 1, int(len(found) * share))] if found else float("nan")


def latencies(stream: StreamResult, outcome: str = "200") -> list[float]:
    """Return the latencies of the requests with this outcome, in milliseconds."""
    return [
        latency * 1000 for latency, found in zip(stream.latencies, stream.outcomes, strict=True) if found == outcome
    ]


def print_load(title: str, load: LoadResult) -> None:
    """Print a line for each stream: how many requests, their latencies, and their outcomes."""
    print(f"\n{title}\n{'':<16}{'requests':>9}{'/s':>8}{'p50 ms':>9}{'p90':>9}{'p99':>9}{'p99.9':>9}{'largest':>9}"
          f"{'sent late':>10}  outcomes")  # fmt: skip
    for stream in load.streams:
        times = latencies(stream)
        columns = "".join(f"{quantile(times, share):>9,.1f}" for share in (0.5, 0.9, 0.99, 0.999, 1))
        late = quantile(stream.lags, 0.99) * 1000
        outcomes = ", ".join(f"{outcome} {count:,}" for outcome, count in Counter(stream.outcomes).most_common())
        number = len(stream.outcomes)
        print(f"{stream.name:<16}{number:>9,}{number / load.seconds:>8,.1f}{columns}{late:>10,.1f}  {outcomes}")
    print(f"The generator took {load.cpu_seconds / load.seconds:.0%} of a core.", flush=True)


def print_observed(observed: Observed) -> None:
    """Print readiness, and memory by time with its slope over the second half."""
    answers = ", ".join(f"{status} {count:,}" for status, count in observed.ready.most_common())
    print(f"/readyz: {answers}; the slowest took {observed.slowest * 1000:,.0f} ms")
    samples = observed.memory
    print(f"\n{'s':>5}{'server MB':>11}{'backends':>10}{'their MB (PSS)':>16}  each process of the server")
    for sample in samples[:: max(1, len(samples) // _MEMORY_LINES)]:
        each = " ".join(_megabytes(size) for size in sample.processes)
        print(
            f"{sample.at - samples[0].at:>5.0f}{_megabytes(sample.server):>11}{sample.number:>10}"
            f"{_megabytes(sample.backends):>16}  {each}"
        )
    print(
        f"In the second half, the server grew by {megabytes_per_minute(samples, 'server'):+.2f} MB a minute,"
        f" the backends by {megabytes_per_minute(samples, 'backends'):+.2f}.",
        flush=True,
    )


def unanswered(load: LoadResult) -> list[str]:
    """Return what was neither answered rightly nor refused with the time after which to try again."""
    return [
        f"{count} requests of {stream.name}: {outcome}"
        for stream in load.streams
        for outcome, count in Counter(stream.outcomes).items()
        if outcome not in ("200", *REFUSALS)
    ]


def flat(samples: Sequence[Memory]) -> list[str]:
    """Return what grew by more than a tenth from the first third to the last third of the second half of the time."""
    half = samples[len(samples) // 2 :]
    third = len(half) // 3
    if not third:
        return []
    found = []
    for name in ("server", "backends"):
        first, last = (
            quantile([getattr(sample, name) for sample in some], 0.5) for some in (half[:third], half[-third:])
        )
        if last > first * 1.1:
            found.append(f"{name} grew from {_megabytes(int(first))} to {_megabytes(int(last))} MB")
    return found


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f}"
