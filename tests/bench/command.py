"""The command lines of the benchmarks of servers: options, the company that they use, and how they begin and end."""

import argparse
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import psutil

from tests.bench.read.load_generator import generator_name

UNTIL = datetime(2026, 11, 1, tzinfo=UTC)
_Result = TypeVar("_Result")


def server_parser(description: str | None, *, connections: str) -> argparse.ArgumentParser:
    """Return a parser with the options of all benchmarks of servers."""
    layout = argparse.RawDescriptionHelpFormatter
    parser = argparse.ArgumentParser(description=description, formatter_class=layout)
    parser.add_argument("--contacts", type=int, default=100_000, help="size of the sample company")
    parser.add_argument("--connections", default=connections, help="numbers of connections, separated by commas")
    parser.add_argument("--keep", action="store_true", help="keep the sample company for the next run")
    return parser


def add_comparison_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the benchmarks that compare servers in rounds."""
    parser.add_argument("--rounds", type=int, default=5, help="how often every peer is measured")
    parser.add_argument("--seconds", type=int, default=2, help="shortest duration of a run")
    parser.add_argument("--quick", action="store_true", help="one round with runs of one second or more")


def run_on_company(name: str, options: argparse.Namespace, run: Callable[[Path, Path], _Result]) -> _Result:
    """Say what measures what, then run a benchmark on the data folder of its company, and a scratch folder."""
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        # Exit normally, so that the servers and PostgreSQL are stopped.
        signal.signal(signal_number, lambda number, _frame: sys.exit(128 + number))
    memory = psutil.virtual_memory().total >> 30
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(
        f"{os.cpu_count()} cores, {memory} GB, {platform.machine()}, Python {platform.python_version()}, load {load};"
        f" {options.contacts:,} contacts",
        flush=True,
    )
    company = Path(tempfile.gettempdir()) / f"accord-bench-{name}-{options.contacts}"
    with tempfile.TemporaryDirectory(prefix="accord-bench-") as scratch:
        try:
            create_company(company, options.contacts)
            return run(company, Path(scratch))
        finally:
            if not options.keep:
                shutil.rmtree(company, ignore_errors=True)


def print_rounds(options: argparse.Namespace) -> None:
    """Print what generates the load, and for how long."""
    print(f"{generator_name()}; {options.rounds} rounds of {options.seconds} s or more", flush=True)


def create_company(folder: Path, contacts: int) -> None:
    """Create the sample company unless the data folder has one."""
    accord = Path(sys.executable).with_name("accord")
    command = [str(accord), "sample", "--if-empty", "--contacts", str(contacts), "--until", f"{UNTIL:%Y-%m-%d}"]
    environment = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    subprocess.run([*command, "--data", str(folder)], check=True, env=environment)


def free_port() -> int:
    """Return a free port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
