"""Serves twice the load that the machine can carry, and measures who waits: `make bench-serve`.

The benchmark creates a sample company in the private PostgreSQL, or uses an existing one (KEEP=1), and starts two
servers on it: `accord serve` with its default lanes, and a plain Starlette endpoint with a hand-written statement for
the light request (one contact by id). Eight API keys send the requests, each within the rate limit that applies
elsewhere than on loopback; the first key sends half of all heavy requests.

1. Unloaded: light requests, 50 a second, to the plain endpoint and to Accord.
2. Calibration: clients that send their next request when the last one is answered find out how many light requests a
   second the server answers, and how many heavy ones (`documents.py`), each kind alone.
3. Overload: light and heavy requests arrive at random, whether or not others were answered, at `--load` times what the
   server can do; `--light-share` of the work are light ones. Meanwhile the plain endpoint gets 50 light requests a
   second: what those wait is due to the machine, not to the server.
4. Restart: PostgreSQL is stopped and started again under the same load. Counted is the time from the first successful
   connection of the benchmark to the first right answer.

Every light answer is compared with the one from before. The generator runs on the same machine, with a higher priority
than the servers, because clients are elsewhere as a rule; the output says how much of a core it takes, and how much
later than they arrive requests are sent. Nothing is pinned to a core: the kernel shares them out.

The command fails if a request gets no answer or a wrong one, if `/readyz` is not 200 while PostgreSQL runs, if memory
grows by more than a tenth in the second half, if light requests take three times as long as unloaded (99th
percentile), or if the first right answer comes more than two seconds after PostgreSQL is back.

    make bench-serve                                                              # a quarter of an hour
    make bench-serve ARGS="--minutes 0.5 --contacts 20000" KEEP=1
    ACCORD_HEAVY_LANE=2 make bench-serve ARGS="--workers 2" KEEP=1                # with other settings of the server
"""

import argparse
import asyncio
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import asyncpg
import httpx
import orjson
import psutil

from api.cli.access.access_options import performed
from api.db import Database
from api.embedded.server import start
from api.workflows.access.create_api_key import TOKEN, CreateApiKey, create_api_key
from schema.access.rights import Right
from tests.bench.command import UNTIL, free_port, run_on_company, server_parser
from tests.bench.read.adapters import AccordAdapter, EndpointAdapter
from tests.bench.read.peers import Peer, RunningPeer, peers, running
from tests.bench.read.queries import BenchmarkQuery, benchmark_queries
from tests.bench.serve.arrivals import LoadResult, RunningLoad, Stream
from tests.bench.serve.documents import HEAVY, LIGHT
from tests.bench.serve.observer import Observer
from tests.bench.serve.report import flat, latencies, print_load, print_observed, quantile, unanswered
from tests.bench.serve.restart import AFTER_SECONDS, BEFORE_SECONDS, DOWN_SECONDS, restart_postgresql

PRINCIPALS = 8
LIGHT_CONNECTIONS, HEAVY_CONNECTIONS = 16, 6
UNLOADED_RATE = 50.0
MOST_RATIO, MOST_RESTART_SECONDS = 3.0, 2.0
_RATE_LIMIT = "60000"
_LIGHT_VARIABLES = 500
_ERROR, _SHOWN_ERRORS, _SHOWN_LINES = " ERROR ", 3, 60
ACCORD, PLAIN, HEAVY_NAME = "light", "plain endpoint", "heavy"


@dataclass(frozen=True, slots=True)
class Servers:
    """What runs: Accord, the plain endpoint, and PostgreSQL's main process."""

    accord: RunningPeer
    plain: RunningPeer
    postmaster: psutil.Process
    company: Path
    dsn: str


def run(options: argparse.Namespace, company: Path, scratch: Path) -> list[str]:
    """Start the servers, measure them, and return what failed."""
    with ExitStack() as stack:
        postgresql = start(company)
        stack.callback(postgresql.close)
        dsn = postgresql.dsn()
        queries, postmaster = asyncio.run(prepare(dsn))
        keys = asyncio.run(create_keys(dsn))
        accord, plain = (peer for name in ("accord", "raw") for peer in peers() if peer.name == name)
        command = [*accord.command[:-1], "--workers", str(options.workers), accord.command[-1]]
        served = Peer(accord.name, command, accord.adapter, {"ACCORD_RATE_LIMIT": _RATE_LIMIT})
        servers = Servers(
            stack.enter_context(running(served, free_port(), dsn, scratch)),
            stack.enter_context(running(plain, free_port(), dsn, scratch)),
            postmaster,
            company,
            dsn,
        )
        light = next(query for query in queries if query.key == LIGHT)
        streams = {
            ACCORD: light_stream(ACCORD, servers.accord, AccordAdapter(), light, keys),
            PLAIN: light_stream(PLAIN, servers.plain, EndpointAdapter(), light, keys),
            HEAVY_NAME: heavy_stream(servers.accord, keys),
        }
        failed = asyncio.run(measure(options, servers, streams, stack))
    return failed + logged_errors(scratch / f"{served.name}.log")


def logged_errors(log: Path) -> list[str]:
    """Return that the server logged errors, after printing the first ones."""
    lines = log.read_text(errors="replace").splitlines()
    numbers = [number for number, line in enumerate(lines) if _ERROR in line]
    for number in numbers[:_SHOWN_ERRORS]:
        print("\n".join(lines[number : number + _SHOWN_LINES]))
    return [f"the server logged {len(numbers)} errors"] if numbers else []


async def create_keys(dsn: str) -> list[str]:
    """Create API keys that read every record, and return their tokens."""
    expires_at = datetime.now(UTC) + timedelta(days=1)
    tokens = []
    async with Database.open(dsn, size=1) as database:
        for number in range(PRINCIPALS):
            do = CreateApiKey(f"bench {number}", rights=(Right.PERSONAL_DATA,), expires_at=expires_at)
            outcome = await performed(database, "createApiKey", partial(create_api_key, do=do))
            tokens.append(outcome.secrets[TOKEN])
    return tokens


async def prepare(dsn: str) -> tuple[list[BenchmarkQuery], psutil.Process]:
    """Vacuum and analyze the tables, as autovacuum would; return the queries and PostgreSQL's main process."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("vacuum (analyze)")
        postmaster = psutil.Process(connection.get_server_pid()).parent()
    finally:
        await connection.close()
    if postmaster is None:
        raise RuntimeError("The processes of PostgreSQL are not visible. Use a PostgreSQL server on this machine.")
    return await benchmark_queries(dsn, UNTIL), postmaster


def light_stream(
    name: str, server: RunningPeer, adapter: EndpointAdapter, light: BenchmarkQuery, keys: Sequence[str]
) -> Stream:
    """Return the light requests to a server, without a rate. Their answers have to be those that it gives now."""
    requests, answers = [], []
    with httpx.Client(timeout=60) as client:
        for number, variables in enumerate(light.variables[:_LIGHT_VARIABLES]):
            body = adapter.body(light, variables)
            path, key = adapter.path(light), keys[number % len(keys)]
            requests.append(http_request(path, body, key))
            answers.append(data_of(client, f"http://127.0.0.1:{server.port}{path}", body, key))
    return Stream(name, server.port, requests, answers)


def heavy_stream(server: RunningPeer, keys: Sequence[str]) -> Stream:
    """Return the heavy requests, without a rate: documents and keys in every combination, half of them of one key."""
    requests = []
    documents = list(HEAVY.values())
    for number in range(2 * len(documents) * (len(keys) - 1)):
        key = keys[0] if number % 2 else keys[1 + number // 2 % (len(keys) - 1)]
        body = orjson.dumps({"query": documents[number % len(documents)]})
        requests.append(http_request("/graphql", body, key))
    return Stream(HEAVY_NAME, server.port, requests)


def http_request(path: str, body: bytes, key: str) -> str:
    """Return an HTTP request."""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
        f"Accept: application/graphql-response+json\r\nAuthorization: Bearer {key}\r\nContent-Length: {len(body)}\r\n"
    )
    return f"{head}\r\n{body.decode()}"


def data_of(client: httpx.Client, address: str, body: bytes, key: str) -> str:
    """Return how the body of an answer begins: its data. Errors: ValueError without data."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
    text = client.post(address, content=body, headers=headers).text
    found = orjson.loads(text)
    if not found.get("data") or found.get("errors"):
        raise ValueError(f"the answer has no data or has errors: {text[:500]}")
    return text.partition(',"extensions"')[0].removesuffix("}")


async def load(streams: Sequence[Stream], seconds: float) -> LoadResult:
    """Send these streams for so long."""
    running_load = RunningLoad(streams, seconds)
    try:
        return await running_load.result()
    finally:
        running_load.close()


async def measure(
    options: argparse.Namespace, servers: Servers, streams: dict[str, Stream], stack: ExitStack
) -> list[str]:
    """Measure everything, print it, and return what failed."""
    light, plain, heavy = streams[ACCORD], streams[PLAIN], streams[HEAVY_NAME]
    await load([replace(light, connections=4)], 2)  # a warm-up: connections, plans, the kept price of documents
    await load([replace(plain, connections=4)], 2)
    unloaded = {}
    for stream in (plain, light):
        alone = await load([replace(stream, rate=UNLOADED_RATE)], options.unloaded_seconds)
        print_load(f"Unloaded: {stream.name}", alone)
        unloaded[stream.name] = quantile(latencies(alone.stream(stream.name)), 0.99)
    rates = []
    for stream, connections, seconds in (
        (light, LIGHT_CONNECTIONS, options.calibration_seconds),
        (heavy, HEAVY_CONNECTIONS, 3 * options.calibration_seconds),
    ):
        alone = await load([replace(stream, connections=connections)], seconds)
        print_load(f"Calibration: {stream.name}, {connections} connections", alone)
        rates.append(alone.stream(stream.name).outcomes.count("200") / seconds)
    overload = [
        replace(light, rate=options.load * options.light_share * rates[0]),
        replace(heavy, rate=options.load * (1 - options.light_share) * rates[1]),
        replace(plain, rate=UNLOADED_RATE),
    ]
    failed = await measure_overload(options, servers, overload, unloaded)
    return failed + await measure_restart(servers, overload, stack)


async def measure_overload(
    options: argparse.Namespace, servers: Servers, streams: Sequence[Stream], unloaded: dict[str, float]
) -> list[str]:
    """Send the overload for the required time. Return what failed."""
    seconds = options.minutes * 60
    observer = Observer(servers.accord.port, servers.accord.process, servers.postmaster)
    found, observed = await asyncio.gather(load(streams, seconds), observer.observe(seconds))
    print_load(f"Overload: {options.load:g} times what the server can do, {options.minutes:g} minutes", found)
    ratios = {}
    for name in (PLAIN, ACCORD):
        loaded = quantile(latencies(found.stream(name)), 0.99)
        ratios[name] = loaded / unloaded[name]
        print(f"{name}: p99 {unloaded[name]:.1f} ms unloaded, {loaded:.1f} ms under load: {ratios[name]:.1f} times")
    print_observed(observed)
    failed = unanswered(found) + flat(observed.memory)
    if set(observed.ready) != {"200"}:
        failed.append(f"/readyz answered {dict(observed.ready)}")
    if not ratios[ACCORD] <= MOST_RATIO:
        failed.append(f"light requests took {ratios[ACCORD]:.1f} times as long as unloaded")
    return failed


async def measure_restart(servers: Servers, streams: Sequence[Stream], stack: ExitStack) -> list[str]:
    """Restart PostgreSQL under load. Return what failed."""
    own = [stream for stream in streams if stream.name != PLAIN]  # the plain endpoint knows nothing of restarts
    seconds = BEFORE_SECONDS + DOWN_SECONDS + AFTER_SECONDS
    found, restart = await asyncio.gather(load(own, seconds), restart_postgresql(servers.company, servers.dsn))
    stack.callback(restart.postgresql.close)
    print_load("Restart of PostgreSQL under the same load", found)
    took = restart.seconds_to_answer(found.stream(ACCORD))
    print(
        f"PostgreSQL was away for {restart.returned_at - restart.stopped_at:.1f} s; the first right answer came"
        f" {took:.2f} s after its return",
        flush=True,
    )
    failed = unanswered(found)
    if not took <= MOST_RESTART_SECONDS:
        failed.append(f"the first right answer came {took:.2f} s after the return of PostgreSQL")
    return failed


def parse_options() -> argparse.Namespace:
    """Parse the command line."""
    parser = server_parser(__doc__, connections=str(LIGHT_CONNECTIONS))
    parser.add_argument("--minutes", type=float, default=10, help="how long the overload lasts")
    parser.add_argument("--load", type=float, default=2, help="the overload, as a multiple of what the server can do")
    parser.add_argument("--light-share", type=float, default=0.1, help="the share of light requests in the work")
    parser.add_argument("--workers", type=int, default=1, help="processes of the server")
    parser.add_argument("--unloaded-seconds", type=float, default=60)
    parser.add_argument("--calibration-seconds", type=float, default=10)
    return parser.parse_args()


def main() -> None:
    """Run the benchmark that the command line describes."""
    options = parse_options()
    failed = run_on_company("serve", options, lambda company, scratch: run(options, company, scratch))
    if failed:
        sys.exit("Failed: " + "; ".join(failed))


if __name__ == "__main__":
    main()
