"""Judging everybody and answering, beside hand-written SQL for the same rows and numbers: `make bench-funnel`.

For each size a sample company is made (or found again, with --keep), and vacuumed as autovacuum leaves it. Then the
evaluation of the standard accord and each KPI take turns with the best statements that could be written by hand for
exactly these, on one connection. Both sides must say the same. Costs are those of the backend that works for both.
"""

import argparse
import asyncio
import os
import platform
import resource
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import asyncpg
import psutil

from api.db import SERVER_SETTINGS, Database, _prepare
from api.embedded.server import start
from api.revisions import is_fresh, migrate, require_current
from api.workflows.make_sample import make_sample
from tests.bench.funnel_evaluation import compare_derived, compare_stored, entries
from tests.bench.funnel_kpis import compare_kpis
from tests.bench.funnel_meter import Beside
from tests.bench.funnel_plot import plot

UNTIL, START, END = date(2026, 11, 1), date(2026, 1, 1), date(2026, 10, 1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
# Workers would hide their CPU time from the backend's; a job has no patience of a reader.
_SETTINGS = {**SERVER_SETTINGS, "max_parallel_workers_per_gather": "0", "statement_timeout": "0"}


@dataclass(frozen=True, slots=True)
class Measured:
    """What one size cost."""

    contacts: int
    entries: int
    evaluation: list[Beside]
    kpis: list[Beside]


async def measure(folder: Path, contacts: int, rounds: int) -> Measured:
    """Make the company unless it is there, and compare."""
    running = start(folder)
    try:
        async with Database.open(running.dsn(), size=1) as database:
            if await is_fresh(database):
                await migrate(running.dsn())
                async with database.write() as session:
                    await make_sample(session, contacts=contacts, seed=1, until=UNTIL)
            await require_current(database)
        connection = await asyncpg.connect(running.dsn(), server_settings=_SETTINGS)
        try:
            await _prepare(connection)
            await connection.execute("vacuum (analyze)")
            evaluation = [
                await compare_derived(connection, AS_OF, rounds),
                await compare_stored(connection, AS_OF, rounds),
            ]
            kpis = await compare_kpis(connection, START, END, AS_OF, rounds)
            return Measured(contacts, await entries(connection), evaluation, kpis)
        finally:
            await connection.close()
    finally:
        running.close()


def tell(measured: Measured) -> None:
    """Print the table of one size."""
    print(f"\n{measured.contacts:,} contacts, {measured.entries:,} entries")
    print(
        f"{'':<22}{'CPU ours':>10}{'by hand':>10}{'ratio':>8}"
        f"{'wall ours':>11}{'by hand':>10}{'ratio':>8}{'MB':>7}{'MB':>7}"
    )
    for each in (*measured.evaluation, *measured.kpis):
        print(
            f"{each.title:<22}{_seconds(each.ours.cpu):>10}{_seconds(each.rival.cpu):>10}{each.cpu_ratio:>8.2f}"
            f"{_seconds(each.ours.wall):>11}{_seconds(each.rival.wall):>10}{each.wall_ratio:>8.2f}"
            f"{each.ours.memory >> 20:>7}{each.rival.memory >> 20:>7}",
            flush=True,
        )


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def growth(found: Sequence[Measured]) -> str:
    """The plot of all sizes."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for measured in found:
        for each in measured.evaluation:
            lines.setdefault(f"{each.title}, Accord", []).append((measured.contacts, each.ours.cpu))
            lines.setdefault(f"{each.title}, by hand", []).append((measured.contacts, each.rival.cpu))
    return plot("CPU-seconds of judging everybody by the standard accord", lines)


def main() -> None:
    """Run the sizes that are asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--sizes", default="20000,100000", help="contacts, as in 100000,1000000")
    asked.add_argument("--rounds", type=int, default=5)
    asked.add_argument("--keep", action="store_true", help="leave the companies in the temp folder, to be found again")
    asked.add_argument("--out", type=Path, default=Path("build/bench"), help="where the plot goes")
    wanted = asked.parse_args()
    memory = psutil.virtual_memory().total >> 30
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"{os.cpu_count()} cores, {memory} GB, {platform.machine()}, Python {platform.python_version()}, load {load}")
    found = []
    for size in (int(each) for each in wanted.sizes.split(",")):
        folder = Path(tempfile.gettempdir()) / f"accord-bench-funnel-{size}"
        try:
            found.append(asyncio.run(measure(folder, size, wanted.rounds)))
        finally:
            if not wanted.keep:
                shutil.rmtree(folder, ignore_errors=True)
        tell(found[-1])
    wanted.out.mkdir(parents=True, exist_ok=True)
    (wanted.out / "funnel.svg").write_text(growth(found), encoding="utf-8")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20
    print(f"\nPython's peak, making the samples included: {peak} MB. Plot: {wanted.out / 'funnel.svg'}")


if __name__ == "__main__":
    main()
