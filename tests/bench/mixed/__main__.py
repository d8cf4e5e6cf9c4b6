"""Whether memory and dead rows stay flat under mixed reads and writes: `make bench-mixed`.

The benchmark creates a sample company in the private PostgreSQL, or uses an existing one (KEEP=1), and starts
`accord serve` on it. For ten minutes, sixteen clients read and write, one request after the other: the screens of a
front end, contacts and `changes`; updates of contacts, touchpoints, moves of deals, upserts of 50 contacts, merges and
their undoing. Every client changes its own records.

Each line is a sample: requests a second, the median and the 99th percentile of the latency, resident memory of the
server, what PostgreSQL's processes hold beside shared memory, dead rows of the tables and of the system's tables, their
size, what was written to temporary files, and the age of the oldest snapshot in transactions. Then all tables follow
that have dead rows.

The command fails if a request failed other than because it met a busy record, if memory of the server or of
PostgreSQL's processes grew by more than a tenth from the second third of the time to the last, or if a table ends with
three times the dead rows at which autovacuum starts.

    make bench-mixed                                                # ten minutes
    make bench-mixed ARGS="--minutes 3 --contacts 5000" KEEP=1
"""

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import asyncpg
import httpx

from api.embedded.server import start
from tests.bench.command import free_port, run_on_company, server_parser
from tests.bench.mixed.usage import TableRows, Usage, UsageMeter
from tests.bench.mixed.workers import Example, Tally, Worker, own_records
from tests.bench.read.peers import RunningPeer, peers, running
from tests.bench.write.write_peers import give_keys

_SAMPLE_SECONDS = 15
_MOST_GROWTH = 1.10
_DEAD_LIMITS = 3  # times the number of dead rows at which autovacuum starts
_HEADER = (
    f"{'s':>5}{'reads/s':>9}{'writes/s':>9}{'p50 ms':>8}{'p99 ms':>8}{'errors':>7}{'server MB':>10}"
    f"{'processes':>10}{'their MB':>9}{'largest':>8}{'dead rows':>10}{'of system':>10}{'system MB':>10}"
    f"{'temp MB':>8}{'database MB':>12}{'oldest':>7}"
)


def run(options: argparse.Namespace, company: Path, scratch: Path) -> list[str]:
    """Serve the company to the clients, and return what failed."""
    postgresql = start(company)
    try:
        dsn = postgresql.dsn()
        asyncio.run(give_keys(dsn))
        accord = next(peer for peer in peers() if peer.name == "accord")
        with running(accord, free_port(), dsn, scratch) as server:
            return asyncio.run(mix(options, dsn, server))
    finally:
        postgresql.close()


async def mix(options: argparse.Namespace, dsn: str, server: RunningPeer) -> list[str]:
    """Read and write for the required time, print the samples, and return what failed."""
    connections = int(options.connections)
    tally, errors, usages = Tally(), Counter[str](), list[Usage]()
    connection = await asyncpg.connect(dsn)
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections, keepalive_expiry=2)
    client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{server.port}", timeout=60, limits=limits)
    try:
        found = (await client.get("/graphql/examples")).raise_for_status().json()
        examples = [Example(example["query"], example["variables"] or {}) for example in found]
        meter = UsageMeter(connection, server.process)
        before = await meter.tables()
        print(f"\n{connections} connections, {len(examples)} screens and examples\n{_HEADER}", flush=True)
        began = time.monotonic()
        until = began + options.minutes * 60
        workers = [
            asyncio.create_task(Worker(client, examples, own, tally, seed).run(until))
            for seed, own in enumerate(await own_records(dsn, connections))
        ]
        while any(not worker.done() for worker in workers):
            sampled = time.monotonic()
            await asyncio.wait(workers, timeout=_SAMPLE_SECONDS)
            usages.append(await meter.usage())
            errors += tally.errors
            print(sample_line(time.monotonic() - began, time.monotonic() - sampled, tally, usages), flush=True)
            tally.reads, tally.writes = 0, 0
            tally.errors.clear()
            tally.latencies.clear()
        await asyncio.gather(*workers)
        after = await meter.tables()
        thresholds = await autovacuum_thresholds(connection, after)
    finally:
        await client.aclose()
        await connection.close()
    print_tables(before, after, thresholds)
    print("Errors: " + (", ".join(f"{code} {count}" for code, count in errors.most_common()) or "none"))
    return [*failed_requests(errors), *growth(usages), *dead_rows(after, thresholds)]


async def autovacuum_thresholds(
    connection: "asyncpg.Connection[asyncpg.Record]", tables: Mapping[str, TableRows]
) -> Mapping[str, float]:
    """Return the number of dead rows at which autovacuum starts, for every table."""
    base, share = [
        float(await connection.fetchval(f"show autovacuum_vacuum_{name}")) for name in ("threshold", "scale_factor")
    ]
    return {name: base + share * rows.live for name, rows in tables.items()}


def failed_requests(errors: Counter[str]) -> list[str]:
    """Return what failed other than because of a lock that was not free in time."""
    return [f"{count} requests: {code}" for code, count in errors.items() if "BUSY" not in code]


def growth(usages: Sequence[Usage]) -> list[str]:
    """Return what grew from the second third of the samples to the last."""
    third = len(usages) // 3
    if not third:
        return []
    found = []
    for name in ("server", "largest_backend", "catalog_bytes"):
        middle, last = (
            statistics.median(getattr(usage, name) for usage in some)
            for some in (usages[third : 2 * third], usages[2 * third :])
        )
        if last > middle * _MOST_GROWTH:
            found.append(f"{name} grew from {middle / 2**20:,.0f} to {last / 2**20:,.0f} MB")
    return found


def dead_rows(tables: Mapping[str, TableRows], thresholds: Mapping[str, float]) -> list[str]:
    """Return the tables whose dead rows autovacuum did not take."""
    return [
        f"{name} has {rows.dead:,} dead rows beside {rows.live:,}"
        for name, rows in tables.items()
        if rows.dead > _DEAD_LIMITS * thresholds[name]
    ]


def sample_line(elapsed: float, seconds: float, tally: Tally, usages: Sequence[Usage]) -> str:
    """Return the line of the last sample, which is about the seconds before it."""
    usage, first = usages[-1], usages[0]
    latencies = sorted(tally.latencies) or [0.0]
    p50, p99 = (latencies[int(len(latencies) * share)] * 1000 for share in (0.5, 0.99))
    return (
        f"{elapsed:>5,.0f}{tally.reads / seconds:>9,.1f}{tally.writes / seconds:>9,.1f}{p50:>8,.1f}{p99:>8,.1f}"
        f"{tally.errors.total():>7}{_megabytes(usage.server):>10}{usage.backends:>10}"
        f"{_megabytes(usage.backend_memory):>9}{_megabytes(usage.largest_backend):>8}{usage.dead:>10,}"
        f"{usage.catalog_dead:>10,}{_megabytes(usage.catalog_bytes):>10}"
        f"{_megabytes(usage.temp_bytes - first.temp_bytes):>8}{_megabytes(usage.database_bytes):>12}"
        f"{usage.oldest_xmin:>7,}"
    )


def print_tables(
    before: Mapping[str, TableRows], after: Mapping[str, TableRows], thresholds: Mapping[str, float]
) -> None:
    """Print all tables that have dead rows, or that autovacuum has visited."""
    print(f"\n{'':<24}{'rows before':>12}{'after':>12}{'dead':>9}{'limit':>9}{'vacuums':>9}")
    for name, rows in sorted(after.items(), key=lambda item: -item[1].dead):
        former = before.get(name, TableRows(0, 0, 0))
        vacuums = rows.vacuums - former.vacuums
        if rows.dead or vacuums:
            print(
                f"{name:<24}{former.live:>12,}{rows.live:>12,}{rows.dead:>9,}{thresholds[name]:>9,.0f}{vacuums:>9}",
                flush=True,
            )


def _megabytes(size: int) -> str:
    return f"{size / 2**20:,.0f}"


def main() -> None:
    """Run the benchmark that the command line describes."""
    parser = server_parser(__doc__, connections="16")
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    failures = run_on_company("mixed", options, lambda company, scratch: run(options, company, scratch))
    if failures:
        sys.exit("Failed: " + "; ".join(failures))


if __name__ == "__main__":
    main()
