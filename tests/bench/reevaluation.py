"""`make bench-entries`: what it costs PostgreSQL to re-evaluate some contacts, by their number.

A sample company is generated (or reused, with --data). For each number of contacts the same sets of contacts are
evaluated again by the one statement for a few, and through temporary tables, in transactions that add a touchpoint to
each contact before and are rolled back. Costs are the CPU time of the backend process, from the first lock on.
"""

import argparse
import asyncio
import random
import statistics
import tempfile
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from uuid import UUID

import asyncpg

from api.db import LONGEST_PREPARED, WriteSession
from api.funnel.following import reevaluate as reevaluation
from api.sql import Sql
from tests.bench.funnel_meter import Cost, metered
from tests.bench.sample_company import sample_company

UNTIL = date(2026, 11, 1)
NUMBERS = (1, 10, 100, 1_000, 10_000)


async def measure(folder: Path, contacts: int, numbers: Sequence[int], rounds: int) -> None:
    """Generate the company unless the folder has it already, and print a line for each number of contacts."""
    held = sample_company(folder, contacts, UNTIL, longest_prepared=LONGEST_PREPARED)
    async with held as (connection, _):
        everyone = [row["id"] for row in await connection.fetch("select id from contact order by id")]
        print(f"{len(everyone):,} contacts; milliseconds of PostgreSQL for a contact")
        print(f"{'contacts':>9} {'one statement':>14} {'through tables':>15} {'wall, one':>10} {'wall, tables':>13}")
        for number in numbers:
            choices = random.Random(number)
            sets = [choices.sample(everyone, number) for _ in range(rounds if number > 1 else rounds * 20)]
            one = await _cost(connection, sets, most=10**9)
            tables = await _cost(connection, sets[: rounds * 2], most=0)
            print(f"{number:9,} {_shown(one, 'cpu', number):>14} {_shown(tables, 'cpu', number):>15}", end=" ")
            print(f"{_shown(one, 'wall', number):>10} {_shown(tables, 'wall', number):>13}")


async def _cost(
    connection: "asyncpg.Connection[asyncpg.Record]", sets: Sequence[Sequence[UUID]], *, most: int
) -> list[Cost]:
    """Measure the re-evaluation of each set of contacts, after one run to prepare the statements."""
    before, reevaluation.MOST_IN_ONE_STATEMENT = reevaluation.MOST_IN_ONE_STATEMENT, most
    costs = []
    try:
        for contacts in (sets[0], *sets):
            transaction = connection.transaction()
            await transaction.start()
            session = WriteSession(connection)
            await session.run(
                Sql(
                    "insert into touchpoint (contact_id, id, occurred_at, kind, direction, channel)"
                    " select id, gen_random_uuid(), now(), 'FORM', 'INBOUND', 'EMAIL' from unnest({}::uuid[]) id",
                    list(contacts),
                )
            )
            async with metered(connection.get_server_pid()) as cost:
                await reevaluation.reevaluate(session, contacts)
            await transaction.rollback()
            costs.append(cost)
    finally:
        reevaluation.MOST_IN_ONE_STATEMENT = before
    return costs[1:]


def _shown(costs: Sequence[Cost], kind: str, contacts: int) -> str:
    return f"{statistics.median(getattr(cost, kind) for cost in costs) * 1000 / contacts:.3f}"


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(prog="make bench-entries", description=__doc__)
    parser.add_argument("--contacts", type=int, default=100_000)
    parser.add_argument("--data", type=Path, help="a data folder to keep the company in")
    parser.add_argument("--numbers", type=lambda text: [int(part) for part in text.split(",")], default=NUMBERS)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="accord-bench-", ignore_cleanup_errors=True) as folder:
        data = arguments.data or Path(folder)
        asyncio.run(measure(data, arguments.contacts, arguments.numbers, arguments.rounds))


if __name__ == "__main__":
    main()
