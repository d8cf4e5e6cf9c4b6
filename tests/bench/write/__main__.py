"""Compares mutations with the statements that they cannot do without: `make bench-write`.

The benchmark creates a sample company of 100,000 people in the private PostgreSQL, or uses an existing one (KEEP=1),
and copies its database for each peer, so that all of them write to the same tables, through the same socket, each with
ten connections for writes and one process with one worker:

- bare: Starlette and asyncpg with one hand-written statement for each write, without history, audit, outbox, entries;
- history: the same with the triggers that write the history: the baseline;
- no_entries: `accord serve` on a database without an evaluation;
- entries: `accord serve`, as always;
- repeatable: the same with an idempotency key in every request;
- postgraphile: PostGraphile 5 (npm) with the triggers. It has no bulk writes: 500 mutations in one document.

There are four writes: two values of a contact (with its version), a call, a deal to another stage, and two values of
500 contacts by their external keys. Every request changes something. After each run the rows of the database have to
prove it: every response stands for a written row.

The peers take turns, with 16 and with 64 connections; each round starts with another peer. The output has the medians
over the rounds: CPU time of server and PostgreSQL together as a multiple of the baseline's (`cost`), the rate as a
multiple of the baseline's (`speed`), and both CPU times a request. Then it says where the time of Accord's mutations
goes: every statement of one request on one connection, in process.

The generator, the servers and PostgreSQL share the cores of the machine: if anything else runs on it, only ratios and
CPU times are meaningful.

    make bench-write                               # about half an hour
    make bench-write ARGS=--quick KEEP=1           # a few minutes; keeps the company for the next run
    make bench-write ARGS="--peers history,entries --writes update_contact --rounds 9 --connections 16"
"""

import argparse
import asyncio
import sys
from contextlib import ExitStack
from pathlib import Path

from api.embedded.server import start
from tests.bench.command import add_comparison_options, free_port, print_rounds, run_on_company, server_parser
from tests.bench.peer_results import print_results
from tests.bench.read.cpu_meter import CpuMeter
from tests.bench.read.peers import running
from tests.bench.write.benchmark import WriteBenchmark, WriteServer
from tests.bench.write.parts import measure_parts, print_parts
from tests.bench.write.write_peers import WritePeer, create_databases, drop_databases, folder_of, write_peers
from tests.bench.write.writers import AccordWriter
from tests.bench.write.writes import WRITES, Write

_CONNECTIONS = 300  # Accord has up to thirty, the other peers ten


def run(options: argparse.Namespace, company: Path, scratch: Path) -> list[str]:
    """Start all peers, measure them, and stop them. Return what failed."""
    allow_connections(company)
    with ExitStack() as stack:
        postgresql = start(company)
        stack.callback(postgresql.close)
        dsn = postgresql.dsn()
        asyncio.run(create_databases(dsn, options.peers))
        stack.callback(lambda: asyncio.run(drop_databases(dsn, options.peers)))
        with ExitStack() as running_peers:
            servers = [
                WriteServer(
                    it, running_peers.enter_context(running(it.peer, free_port(), it.dsn(dsn), folder)), it.dsn(dsn)
                )
                for it in options.peers
                for folder in (folder_of(scratch, it),)
            ]
            meter = asyncio.run(CpuMeter.connect(dsn))
            failures = measure(WriteBenchmark(servers, meter, scratch, options.seconds), options)
        for write in options.writes:
            explain_parts(write, dsn, options)
    return failures


def allow_connections(company: Path) -> None:
    """Let all peers hold their pools at once. PostgreSQL reads this setting when it starts."""
    postgresql = start(company)
    try:
        postgresql.psql(f"alter system set max_connections = {_CONNECTIONS}")
    finally:
        postgresql.close()


def measure(benchmark: WriteBenchmark, options: argparse.Namespace) -> list[str]:
    """Measure all writes and print every table as soon as it is complete. Return what failed."""
    failures = []
    for write in options.writes:
        for connections in options.connections:
            try:
                results = benchmark.measure(write, connections, options.rounds)
            except ValueError as error:
                failures.append(str(error))
                print(f"FAILED: {error}", flush=True)
            else:
                print_results(f"{write.key}: {write.title}; {connections} connections", results)
    return failures


def explain_parts(write: Write, dsn: str, options: argparse.Namespace) -> None:
    """Print where the time of a write goes, for all peers that are Accord."""
    requests = max(1, options.part_requests // write.rows)
    for peer in options.peers:
        if type(peer.writer) is AccordWriter:
            parts = asyncio.run(measure_parts(peer.dsn(dsn), write, peer.writer, requests))
            print_parts(f"{write.key}, {peer.name}", parts)


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    known, writes = write_peers(), {write.key: write for write in WRITES}
    parser = server_parser(__doc__, connections="16,64")
    add_comparison_options(parser)
    parser.add_argument("--peers", default=",".join(known), help=f"some of {', '.join(known)}")
    parser.add_argument("--writes", default=",".join(writes), help=f"some of {', '.join(writes)}")
    parser.add_argument("--part-requests", type=int, default=3_000, help="rows for which statements are timed")
    options = parser.parse_args()
    unknown = {*options.peers.split(",")} - {*known} | {*options.writes.split(",")} - {*writes}
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; use one of {', '.join((*known, *writes))}")
    options.peers = list[WritePeer](known[name] for name in options.peers.split(","))
    options.writes = list[Write](writes[name] for name in options.writes.split(","))
    options.connections = [int(number) for number in options.connections.split(",")]
    if options.quick:
        options.rounds, options.seconds, options.part_requests = 1, 1, 500
    return options


def main() -> None:
    """Run the benchmark that the command line describes."""
    options = parse_options()
    print_rounds(options)
    failures = run_on_company("write", options, lambda company, scratch: run(options, company, scratch))
    if failures:
        sys.exit("Failed: " + "; ".join(failures))


if __name__ == "__main__":
    main()
