"""Reading by GraphQL, beside the fastest ways to serve the same front end: `make bench-read`.

A sample company of 100,000 people (1.1 million touchpoints) is made in the private PostgreSQL, or found again (KEEP=1).
All peers run at once on it, by the same socket, ten connections each, one process and one worker each:

- raw: Starlette and asyncpg with a hand-written endpoint and statement for each question, the limit;
- accord: `accord serve`, with scope, limits and cost as always;
- postgraphile: PostGraphile 5 (npm), tuned for production; it is let off the condition that hides deleted records;
- mercurius: Mercurius with its JIT (npm), hand-written resolvers and batched loaders;
- strawberry: Strawberry, hand-written types and data loaders, parsed and validated documents kept.

Four questions (`documents/`): one contact by id; 50 contacts with company, deals and last touchpoints; 500 contacts; a
filtered, ordered page with the number of all its rows and their sum and maximum in each currency. Each is asked with
hundreds of values, so that no answer comes from memory. First all must answer the same, but for wording: form of ids,
instants and cursors, amounts by currency. Then all take turns, at 16 and at 64 connections, every round begun by
another. A turn is longer for a peer that would hardly answer in it, and begins when the last server rests. Told are the
medians over the rounds of requests per second, their ratio to raw's of the same round, CPU time per request of the
server and of PostgreSQL (all its processes), and latencies.

wrk sends the requests, or a generator of ours where there is none. The generator, the server and PostgreSQL share the
machine's cores: on a machine that others use only the ratios and CPU times mean anything.

    make bench-read                                # a quarter of an hour
    make bench-read ARGS=--quick KEEP=1            # a few minutes; the company stays for the next time
    make bench-read ARGS="--peers raw,accord --questions one_contact --rounds 9 --connections 16"
"""

import argparse
import asyncio
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import psutil

from api.embedded.server import start
from tests.bench.read.benchmark import Benchmark, PeerResult, require_equal
from tests.bench.read.cpu_meter import CpuMeter
from tests.bench.read.load_generator import generator_name
from tests.bench.read.peers import RunningPeer, peers, running
from tests.bench.read.queries import BenchmarkQuery, questions

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
_HEAD = f"{'':<14}{'of raw':>8}{'req/s':>10}{'server':>10}{'PostgreSQL':>12}{'p50 ms':>9}{'p99 ms':>9}"


def make_company(folder: Path, contacts: int) -> None:
    """Make the sample company, unless it is there."""
    accord = Path(sys.executable).with_name("accord")
    command = [str(accord), "sample", "--if-empty", "--contacts", str(contacts), "--until", f"{UNTIL:%Y-%m-%d}"]
    without = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    subprocess.run([*command, "--data", str(folder)], check=True, env=without)


async def prepare(dsn: str) -> tuple[list[BenchmarkQuery], CpuMeter]:
    """Leave the tables as autovacuum would; then what is asked, and what it costs."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum (analyze)")
    finally:
        await connection.close()
    return await questions(dsn, UNTIL), await CpuMeter.of(dsn)


def run(wanted: argparse.Namespace, company: Path, scratch: Path) -> None:
    """Start everything, compare, measure, and end everything."""
    make_company(company, wanted.contacts)
    with ExitStack() as stack:
        holding = start(company)
        stack.callback(holding.close)
        asked, meter = asyncio.run(prepare(holding.dsn()))
        asked = [each for each in asked if each.key in wanted.questions]
        servers = [stack.enter_context(running(each, free_port(), holding.dsn(), scratch)) for each in wanted.peers]
        for question in asked:
            require_equal(question, servers)
        print(f"All answer the same: {', '.join(each.key for each in asked)}.", flush=True)
        summary = measure(asked, servers, meter, scratch, wanted)
    tell_summary(summary, [each.name for each in wanted.peers])


Summary = dict[tuple[str, int], list[PeerResult]]


def measure(
    asked: Sequence[BenchmarkQuery],
    servers: list[RunningPeer],
    meter: CpuMeter,
    scratch: Path,
    wanted: argparse.Namespace,
) -> Summary:
    """Measure each question, and tell it at once."""
    bench = Benchmark(servers, meter, scratch, wanted.seconds)
    found: Summary = {}
    for question in asked:
        for connections in wanted.connections:
            lines = bench.lines(question, connections, wanted.rounds)
            found[question.key, connections] = lines
            print(f"\n{question.key}: {question.title}; {connections} connections\n{_HEAD}")
            for line in lines:
                print(
                    f"{line.peer:<14}{line.of_limit:>8.2f}{line.rate:>10,.0f}{line.server_cpu:>7,.0f} µs"
                    f"{line.postgresql_cpu:>9,.0f} µs{line.p50:>9.1f}{line.p99:>9.1f}",
                    flush=True,
                )
    return found


def tell_summary(found: Summary, names: Sequence[str]) -> None:
    """Accord's rate as a multiple of each peer's, for every question."""
    if "accord" not in names or len(names) < 2:
        return
    others = [name for name in names if name != "accord"]
    print(f"\n{'Accord, as a multiple of':<28}" + "".join(f"{name:>14}" for name in others))
    for (key, connections), lines in found.items():
        ratios = {line.peer: line.of_limit for line in lines}
        shown = "".join(f"{ratios['accord'] / ratios[name]:>14.2f}" for name in others)
        print(f"{f'{key}, {connections}':<28}{shown}")


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def options() -> argparse.Namespace:
    """What the command line says."""
    known, asked = {each.name: each for each in peers()}, argparse.ArgumentParser(description=__doc__)
    keys = ("one_contact", "nested_page", "long_page", "filtered_page")
    asked.add_argument("--contacts", type=int, default=100_000)
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--seconds", type=int, default=2, help="how long each turn lasts at least")
    asked.add_argument("--connections", default="16,64")
    asked.add_argument("--peers", default=",".join(known), help="the first is what the others are compared with")
    asked.add_argument("--questions", default=",".join(keys))
    asked.add_argument("--quick", action="store_true", help="one round of a second each, or more")
    asked.add_argument("--keep", action="store_true", help="leave the company in the temp folder, to be found again")
    wanted = asked.parse_args()
    unknown = {*wanted.peers.split(",")} - {*known} | {*wanted.questions.split(",")} - {*keys}
    if unknown:
        asked.error(f"not known: {', '.join(sorted(unknown))}; there are {', '.join((*known, *keys))}")
    wanted.peers = [known[name] for name in wanted.peers.split(",")]
    wanted.questions = wanted.questions.split(",")
    wanted.connections = [int(each) for each in wanted.connections.split(",")]
    if wanted.quick:
        wanted.rounds, wanted.seconds = 1, 1
    return wanted


def main() -> None:
    """Run what is asked for."""
    wanted = options()
    for ended in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ended, lambda number, _frame: sys.exit(128 + number))
    memory = psutil.virtual_memory().total >> 30
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(
        f"{os.cpu_count()} cores, {memory} GB, {platform.machine()}, Python {platform.python_version()}, load {load};"
        f" {generator_name()}; {wanted.rounds} rounds of {wanted.seconds} s or more, {wanted.contacts:,} contacts",
        flush=True,
    )
    company = Path(tempfile.gettempdir()) / f"accord-bench-read-{wanted.contacts}"
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as scratch:
        try:
            run(wanted, company, Path(scratch))
        finally:
            if not wanted.keep:
                shutil.rmtree(company, ignore_errors=True)


if __name__ == "__main__":
    main()
