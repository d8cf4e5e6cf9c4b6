"""`make bench-funnel`: evaluation, KPIs and lists by stage, beside hand-written SQL for the same rows and numbers.

For each size a sample company is generated (or reused, with --keep) and vacuumed, as autovacuum would leave it. Then
the evaluation of the standard accord, each KPI, and each list of people by their stage, runs in turn with the best
statements that could be written by hand for exactly this accord, KPI or list, on one connection. Both sides must return
the same. Costs are those of the backend process, which serves both.
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

import psutil

from tests.bench.funnel_evaluation import compare_derived, compare_stored, compare_two_versions, entries
from tests.bench.funnel_kpis import compare_kpis
from tests.bench.funnel_leaves import compare_leaves
from tests.bench.funnel_meter import Comparison
from tests.bench.funnel_plot import plot
from tests.bench.funnel_preview import compare_preview
from tests.bench.funnel_readers import Waits, measure_readers
from tests.bench.sample_company import sample_company
from tests.bench.stage_lists import compare_stage_lists

UNTIL, START, END = date(2026, 11, 1), date(2026, 1, 1), date(2026, 10, 1)
AS_OF = datetime(2026, 11, 1, tzinfo=UTC)
ACTIVATION = datetime(2026, 5, 1, tzinfo=UTC)  # of the second version, where two are in force


@dataclass(frozen=True, slots=True)
class SizeComparison:
    """The comparisons of one size."""

    contacts: int
    entries: int
    evaluation: list[Comparison]
    kpis: list[Comparison]
    lists: list[Comparison]
    waits: Waits


async def measure(folder: Path, contacts: int, rounds: int) -> SizeComparison:
    """Generate the company unless the folder has it already, and compare."""
    async with sample_company(folder, contacts, UNTIL) as (connection, dsn):
        evaluation = [
            await compare_derived(connection, AS_OF, rounds),
            await compare_two_versions(connection, ACTIVATION, AS_OF, rounds),
            await compare_stored(connection, AS_OF, rounds),
            *await compare_leaves(connection, AS_OF, rounds),
            await compare_preview(connection, AS_OF, rounds),
        ]
        kpis = await compare_kpis(connection, START, END, AS_OF, rounds)
        lists = await compare_stage_lists(connection, dsn, rounds)
        waits = await measure_readers(connection, dsn, AS_OF)
        return SizeComparison(contacts, await entries(connection), evaluation, kpis, lists, waits)


def report(measured: SizeComparison) -> None:
    """Print the table of one size."""
    print(f"\n{measured.contacts:,} contacts, {measured.entries:,} entries")
    print(
        f"{'':<22}{'CPU ours':>10}{'by hand':>10}{'ratio':>8}"
        f"{'wall ours':>11}{'by hand':>10}{'ratio':>8}{'MB':>7}{'MB':>7}"
    )
    for comparison in (*measured.evaluation, *measured.kpis, *measured.lists):
        print(
            f"{comparison.title:<22}{_seconds(comparison.ours.cpu):>10}{_seconds(comparison.rival.cpu):>10}"
            f"{comparison.cpu_ratio:>8.2f}"
            f"{_seconds(comparison.ours.wall):>11}{_seconds(comparison.rival.wall):>10}{comparison.wall_ratio:>8.2f}"
            f"{comparison.ours.memory >> 20:>7}{comparison.rival.memory >> 20:>7}",
            flush=True,
        )
    waits = measured.waits
    print(
        f"Evaluation {_seconds(waits.evaluation)}, its commit {_seconds(waits.commit)}. Of {waits.reads:,} reads"
        f" meanwhile {waits.lock_waits} waited for a lock; the longest took {_seconds(waits.meanwhile)}, at rest"
        f" {_seconds(waits.at_rest)}.",
        flush=True,
    )


def _seconds(value: float) -> str:
    return f"{value:.2f} s" if value >= 1 else f"{value * 1000:.1f} ms"


def growth(found: Sequence[SizeComparison]) -> str:
    """Plot the evaluation's cost over all sizes."""
    lines: dict[str, list[tuple[int, float]]] = {}
    for measured in found:
        for comparison in measured.evaluation:
            title, contacts = comparison.title, measured.contacts
            lines.setdefault(f"{title}, Accord", []).append((contacts, comparison.ours.cpu))
            lines.setdefault(f"{title}, by hand", []).append((contacts, comparison.rival.cpu))
    return plot("CPU-seconds of evaluating every contact by the standard accord", lines)


def main() -> None:
    """Compare at the requested sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", default="20000,100000", help="numbers of contacts, such as 100000,1000000")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="keep the companies in the temp folder, to be reused")
    parser.add_argument("--out", type=Path, default=Path("build/bench"), help="folder of the plot")
    options = parser.parse_args()
    memory = psutil.virtual_memory().total >> 30
    load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"{os.cpu_count()} cores, {memory} GB, {platform.machine()}, Python {platform.python_version()}, load {load}")
    found = []
    for size in map(int, options.sizes.split(",")):
        folder = Path(tempfile.gettempdir()) / f"accord-bench-funnel-{size}"
        try:
            found.append(asyncio.run(measure(folder, size, options.rounds)))
        finally:
            if not options.keep:
                shutil.rmtree(folder, ignore_errors=True)
        report(found[-1])
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "funnel.svg").write_text(growth(found), encoding="utf-8")
    unit = 1 if sys.platform == "darwin" else 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit >> 20
    print(f"\nPeak memory of Python, including sample generation: {peak} MB. Plot: {options.out / 'funnel.svg'}")


if __name__ == "__main__":
    main()
