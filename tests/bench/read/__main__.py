"""Compares GraphQL reads with the fastest other ways to serve the same front end: `make bench-read`.

The benchmark creates a sample company of 100,000 people (1.1 million touchpoints) in the private PostgreSQL, or uses an
existing one (KEEP=1). All peers run at once on it, through the same socket, each with ten connections and one process
with one worker:

- raw: Starlette and asyncpg with a hand-written endpoint and statement for each query: the baseline;
- observed: the same with an access log and metrics, as it would be operated;
- accord: `accord serve`, with scope, limits and cost, log lines and metrics as always;
- unlogged: the same without a log line for each request (`ACCORD_LOG_LEVEL=warning`), as raw has none;
- postgraphile: PostGraphile 5 (npm), configured for production; it does not filter deleted records;
- mercurius: Mercurius with its JIT (npm), hand-written resolvers and batched loaders;
- strawberry: Strawberry, hand-written types and data loaders, with caches of parsed and validated documents.

There are four queries (`documents/`): one contact by id; 50 contacts with company, deals and last touchpoints; 500
contacts; a filtered and sorted page with the number of all matching rows and their sum and maximum by currency. Each
query has hundreds of sets of variables, so that no peer responds from a cache.

First, all peers must return the same results, apart from the form of ids, instants, cursors and amounts. Then they take
turns, with 16 and with 64 connections; each round starts with another peer. A run is longer for a slow peer, and starts
when the last server is idle. The output has the medians over the rounds: CPU time of server and PostgreSQL together as
a multiple of raw's (`cost`), the rate as a multiple of raw's (`speed`), requests a second, CPU time of the server and
of all PostgreSQL processes a request, and latencies.

The load comes from wrk or, if it is not installed, from a generator in Python. The generator, the server and PostgreSQL
share the cores of the machine: if anything else runs on it, only ratios and CPU times are meaningful.

    make bench-read                                # about 15 minutes
    make bench-read ARGS=--quick KEEP=1            # a few minutes; keeps the company for the next run
    make bench-read ARGS="--peers raw,accord --queries one_contact --rounds 9 --connections 16"
"""

import argparse
import asyncio
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

import asyncpg

from api.embedded.server import start
from tests.bench.command import UNTIL, add_comparison_options, free_port, print_rounds, run_on_company, server_parser
from tests.bench.peer_results import PeerResult, print_results
from tests.bench.read.benchmark import Benchmark, require_equal_results
from tests.bench.read.cpu_meter import CpuMeter
from tests.bench.read.peers import peers, running
from tests.bench.read.queries import BenchmarkQuery, benchmark_queries

Results = dict[tuple[str, int], list[PeerResult]]
"""Results by query and number of connections."""


async def prepare(dsn: str) -> tuple[list[BenchmarkQuery], CpuMeter]:
    """Vacuum and analyze the tables, as autovacuum would; return all queries and the meter."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()
    return await benchmark_queries(dsn, UNTIL), await CpuMeter.connect(dsn)


def run(options: argparse.Namespace, company: Path, scratch: Path) -> None:
    """Start all peers, compare their results, measure them, and stop them."""
    with ExitStack() as stack:
        postgresql = start(company)
        stack.callback(postgresql.close)
        dsn = postgresql.dsn()
        queries, meter = asyncio.run(prepare(dsn))
        queries = [query for query in queries if query.key in options.queries]
        servers = [stack.enter_context(running(peer, free_port(), dsn, scratch)) for peer in options.peers]
        for query in queries:
            require_equal_results(query, servers)
        print(f"All peers return the same results: {', '.join(query.key for query in queries)}.", flush=True)
        results = measure(queries, Benchmark(servers, meter, scratch, options.seconds), options)
    print_summary(results, [peer.name for peer in options.peers])


def measure(queries: Sequence[BenchmarkQuery], benchmark: Benchmark, options: argparse.Namespace) -> Results:
    """Measure all queries and print every table as soon as it is complete."""
    results: Results = {}
    for query in queries:
        for connections in options.connections:
            table = benchmark.measure(query, connections, options.rounds)
            results[query.key, connections] = table
            print_results(f"{query.key}: {query.title}; {connections} connections", table)
    return results


def print_summary(results: Results, names: Sequence[str]) -> None:
    """Print Accord's rate as a multiple of each peer's, for every query."""
    if "accord" not in names or len(names) < 2:
        return
    others = [name for name in names if name != "accord"]
    print(f"\n{'Accord, as a multiple of':<28}" + "".join(f"{name:>14}" for name in others))
    for (key, connections), table in results.items():
        speeds = {row.peer: row.speed or 1.0 for row in table}
        multiples = "".join(f"{speeds['accord'] / speeds[name]:>14.2f}" for name in others)
        print(f"{f'{key}, {connections}':<28}{multiples}")


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    known = {peer.name: peer for peer in peers()}
    keys = ("one_contact", "nested_page", "long_page", "filtered_page")
    parser = server_parser(__doc__, connections="16,64")
    add_comparison_options(parser)
    parser.add_argument("--peers", default=",".join(known), help="the first is the baseline of the others")
    parser.add_argument("--queries", default=",".join(keys), help="keys, separated by commas")
    options = parser.parse_args()
    unknown = {*options.peers.split(",")} - {*known} | {*options.queries.split(",")} - {*keys}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; use one of {', '.join((*known, *keys))}")
    options.peers = [known[name] for name in options.peers.split(",")]
    options.queries = options.queries.split(",")
    options.connections = [int(number) for number in options.connections.split(",")]
    if options.quick:
        options.rounds, options.seconds = 1, 1
    return options


def main() -> None:
    """Run the benchmark that the command line describes."""
    options = parse_options()
    print_rounds(options)
    run_on_company("read", options, lambda company, scratch: run(options, company, scratch))


if __name__ == "__main__":
    main()
