"""`make bench-cost`: the cost that Accord states for made-up documents, and the time that they take.

The documents are run in this process, one at a time, on a sample company. Their time is the shortest of some rounds, so
that other work on the machine matters little. Cost and time have to keep the same order, by their rank correlation.
"""

import argparse
import asyncio
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from api.access.principal import LOCAL_OPERATOR
from api.db import Database
from api.embedded.server import start
from api.graph.contract import gateway
from api.graph.gateway import ExecutedResult
from api.graph.request import GraphQLRequest
from api.metrics.summing.store_sums import store_day_sums
from tests.bench.command import run_on_company
from tests.bench.cost.documents import DOCUMENTS
from tests.bench.cost.ranks import rank_correlation

LEAST = 0.8
_LONGEST_SECONDS = 20.0  # of all rounds of one document


@dataclass(frozen=True, slots=True)
class Measured:
    """The stated cost of a document, its work in rows, and its time in milliseconds."""

    title: str
    cost: int
    work: float
    milliseconds: float


async def measured(folder: Path, rounds: int) -> list[Measured]:
    """Measure all documents on the company of a data folder."""
    running = start(folder)
    try:
        async with Database.open(running.dsn(), size=1) as database:
            await _prepare(database)
            return [await _measure(database, title, document, rounds) for title, document in DOCUMENTS.items()]
    finally:
        running.close()


async def _prepare(database: Database) -> None:
    """Bring the statistics and the day sums up to date, as the worker and autovacuum do."""
    async with database.snapshot() as session:
        await store_day_sums(session, datetime.now(UTC))
    async with database.write() as session:
        await session.connection.execute("analyze")


async def _measure(database: Database, title: str, document: str, rounds: int) -> Measured:
    request = GraphQLRequest(document)
    validated = gateway().validated(request)
    if validated.errors:
        raise SystemExit(f"{title}: {validated.errors[0].message}")
    plan = await gateway().plan(database, request, validated, LOCAL_OPERATOR)
    price = plan.price
    times: list[float] = []
    while len(times) < rounds and sum(times) < _LONGEST_SECONDS:
        started = time.perf_counter()
        result = await gateway().execute(database, plan)
        times.append(time.perf_counter() - started)
        if isinstance(result, ExecutedResult) and result.result.errors:
            raise SystemExit(f"{title}: {result.result.errors[0].message}")
    found = Measured(title, price.cost, price.work, min(times) * 1_000)
    print(f"{found.title:<46}{found.cost:>9,}{found.milliseconds:>12,.1f} ms", flush=True)
    return found


def main() -> None:
    """Measure, print the correlation, and fail if it is too low."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000, help="size of the sample company")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--keep", action="store_true", help="keep the sample company for the next run")
    options = parser.parse_args()
    print(f"{len(DOCUMENTS)} documents: stated cost, time")
    found = run_on_company("cost", options, lambda company, _scratch: asyncio.run(measured(company, options.rounds)))
    correlation = rank_correlation([it.work for it in found], [it.milliseconds for it in found])
    print(f"\nrank correlation of cost and time: {correlation:.3f} (at least {LEAST})")
    if correlation < LEAST:
        sys.exit(1)


if __name__ == "__main__":
    main()
